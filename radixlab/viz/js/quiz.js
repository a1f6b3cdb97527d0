// Predict mode, the half without a page: which events of a log can be asked about, what the answer is, and how an
// answer is judged. An event is asked about at the position before it, so that nothing drawn there knows the answer.

import { HOST_FULL, UNORDERED } from "./changes.js";
import { pathOf } from "./fold.js";
import { plural, whyLine } from "./why.js";

const NOT_BY_POLICY = /^(corrupt KV|below corrupt KV)/;

/** The question about the event after `position`: `{kind, position, text, ...}`; null where there is none. */
export function questionAt(timeline, position) {
  const event = timeline.eventBefore(position + 1);
  const rule = event && Object.hasOwn(QUESTION_RULES, event.type) ? QUESTION_RULES[event.type] : null;
  const question = rule ? rule(event, timeline.stateAt(position), timeline, position) : null;
  return question && { position, event, ...question };
}

/** The first position in [from, to) whose next event is asked about and for which `isOpen` holds; `to` if there is none. */
export function pauseBefore(timeline, from, to, isOpen = () => true) {
  for (let position = Math.max(from, timeline.start); position < Math.min(to, timeline.end); position += 1) {
    if (isOpen(position) && questionAt(timeline, position)) return position;
  }
  return to;
}

/** The nodes of the device that may give up blocks: unlocked, and nothing of the device below them. */
export function evictableNodes(state) {
  const parents = new Set();
  for (const node of state.nodes.values()) if (node.resident !== false) parents.add(node.parent_id);
  return [...state.nodes.values()].filter((n) => n.resident !== false && !n.lock_ref && !parents.has(n.id));
}

const QUESTION_RULES = {
  BlockRemoved: askEviction,
  WrittenBack: askEviction,
  NodeSplit: askSplit,
  BlockCopied: askCopy,
};

function askEviction(event, state, timeline, position) {
  const node = state.nodes.get(event.node_id);
  if (!node || node.resident === false || NOT_BY_POLICY.test(event.reason)) return null;
  const before = timeline.eventBefore(position);
  if (event.reason === UNORDERED && before?.type === event.type) return null; // asked at the first one of the call
  const nodes = event.reason === UNORDERED ? removedFrom(timeline, position) : [event.node_id];
  const which = event.reason === UNORDERED ? "Which node gives up blocks?" : `Which node gives up blocks next? (${ruleOf(event)} first)`;
  return { kind: "eviction", target: "node", nodes, text: `Blocks must go. ${which} Pick a node.` };
}

/** The policy's order, as its reason says it: "least recent". */
function ruleOf(event) {
  return event.reason.replace(`, ${HOST_FULL}`, "");
}

/** The nodes of the run of removals that begins after `position`. */
function removedFrom(timeline, position) {
  const nodes = [];
  for (let at = position + 1; timeline.eventBefore(at)?.type === "BlockRemoved"; at += 1) {
    nodes.push(timeline.eventBefore(at).node_id);
  }
  return nodes;
}

function askSplit(event, state, timeline, position) {
  const node = state.nodes.get(event.node_id);
  const prompt = node ? promptOfSplit(event, state, timeline, position) : null;
  if (!prompt) return null; // nobody could know where it parts
  const text = "This text goes its own way inside a node. Where is the node split? Pick the last block that the two share.";
  return { kind: "split", target: "block", nodes: [node.id], block: node.block_ids[event.num_blocks - 1], prompt, text };
}

/** The tokens that part from the node: the prompt that just arrived, or what is stored below the split. */
function promptOfSplit(event, state, timeline, position) {
  const before = timeline.eventBefore(position);
  if (before?.type === "SequenceStarted") return before.token_ids;
  const after = timeline.eventBefore(position + 2);
  if (after?.type !== "BlockStored" || after.parent_id !== event.upper_id) return null;
  if (!after.token_ids) return state.sequences.get(after.sequence_id)?.tokens ?? null;
  const above = pathOf(state, event.node_id).reverse();
  const shared = above.at(-1).tokens.slice(0, event.num_blocks * state.block_size);
  return [...above.slice(0, -1).flatMap((node) => node.tokens), ...shared, ...after.token_ids];
}

function askCopy(event, _state, timeline, position) {
  const found = timeline.eventBefore(position - 1);
  const isReuse = found?.type === "PrefixMatched" && found.sequence_id === event.sequence_id;
  const text = isReuse
    ? `The prompt of sequence ${event.sequence_id} agrees with the first tokens of one more cached block. Which block is copied? Pick it.`
    : `Sequence ${event.sequence_id} is about to write into a block that it must not change. Which block is copied? Pick it.`;
  return { kind: "copy", target: "block", nodes: [], block: event.src, text };
}

/**
 * Judge a pick `{kind: "node" | "block", id}`: `{right, text}`, where `right` is null as long as it is no answer yet.
 * `state` is the state at the question's position.
 */
export function judge(question, pick, state) {
  if (pick?.kind === "node" || pick?.kind === "block") return JUDGES[question.kind](question, pick, state);
  return { right: null, text: `Pick a ${question.target} of the device.` };
}

const JUDGES = {
  eviction(question, pick, state) {
    const node = pick.kind === "node" ? state.nodes.get(pick.id) : holderOf(state, pick.id);
    if (!node) return { right: null, text: `No node holds ${pick.kind} ${pick.id}. Pick a node.` };
    if (question.nodes.includes(node.id)) return { right: true, text: `Right, node ${node.id}.` };
    return { right: false, text: `Not node ${node.id}: ${whyNot(node, state)}.` };
  },

  split(question, pick, state) {
    const [id] = question.nodes;
    const node = pick.kind === "node" ? state.nodes.get(pick.id) : holderOf(state, pick.id);
    if (!node) return { right: null, text: `No node holds ${pick.kind} ${pick.id}. Pick a block of a node.` };
    if (node.id !== id) return { right: false, text: `Not node ${node.id}: node ${id} is split.` };
    const onlyCut = node.block_ids.length === 2;
    if (pick.kind === "node" && !onlyCut) return { right: null, text: `Node ${id} it is. Now pick the last block that stays in front.` };
    if (pick.kind === "node" || pick.id === question.block) return { right: true, text: `Right, after block ${question.block}.` };
    return { right: false, text: `The node is right, but it is not split after block ${pick.id}: it is split after block ${question.block}.` };
  },

  copy(question, pick) {
    if (pick.kind === "node") return { right: null, text: "Pick a block, not a whole node." };
    if (pick.id === question.block) return { right: true, text: `Right, block ${pick.id}.` };
    return { right: false, text: `Not block ${pick.id}: block ${question.block} is copied.` };
  },
};

function holderOf(state, block) {
  for (const node of state.nodes.values()) if (node.resident !== false && node.block_ids.includes(block)) return node;
  return null;
}

/** Why a node was not the one, in the order in which the rules decide. */
function whyNot(node, state) {
  if (node.resident === false) return "it is on the host already";
  if (node.lock_ref) return `it is locked by ${plural(node.lock_ref, "receipt")} at or below it`;
  if (!evictableNodes(state).includes(node)) return "it has children, and they are useless without its blocks";
  return "it may go, but the policy chose another one";
}

const ORDERS = {
  "least recent": ["tick", "The smallest tick of last use goes.", (node) => `tick ${node.tick}`],
  "most recent": ["tick", "The largest tick of last use goes.", (node) => `tick ${node.tick}`],
  "fewest hits": ["num_hits", "The fewest hits go; a hit from long ago weighs less.", (node) => `${plural(node.num_hits, "hit")}, tick ${node.tick}`],
};
const OTHER = [null, "The policy keeps scores of its own, which the log does not have; ticks and hits are what it sees.", (node) => `${plural(node.num_hits, "hit")}, tick ${node.tick}`];

/**
 * What the policy decided by: `{line, scores}`, scores by node id, for all nodes that could have gone.
 * Null where no policy decided, or the log does not know its order.
 */
export function evidenceOf(question, state) {
  if (question.kind !== "eviction" || question.event.reason === UNORDERED) return null;
  const [, line, score] = Object.hasOwn(ORDERS, ruleOf(question.event)) ? ORDERS[ruleOf(question.event)] : OTHER;
  return { line, scores: new Map(evictableNodes(state).map((node) => [node.id, score(node)])) };
}

/** Predict mode over one timeline: which questions are open, the verdict, the score. */
export class Quiz {
  constructor() {
    this.on = false;
    this.reset();
  }

  reset() {
    this.closed = new Set(); // positions answered or skipped
    this.verdict = null; // of the last answer: {position, right, text, why, evidence, answer}
    this.hint = null; // {position, text}: what was picked is no answer yet
    this.score = { right: 0, asked: 0 };
  }

  /** The open question at `position`; null while the mode is off. */
  questionAt(timeline, position) {
    return this.on && !this.closed.has(position) ? questionAt(timeline, position) : null;
  }

  /** As far as a step, a play or an arrival may go on the way from `from` to `to`. */
  limit(timeline, from, to) {
    return this.on && to > from ? pauseBefore(timeline, from, to, (at) => !this.closed.has(at)) : to;
  }

  /** Take a pick for the open question; true if there was one. */
  pick(timeline, position, pick) {
    const question = this.questionAt(timeline, position);
    if (!question) return false;
    const state = timeline.stateAt(position);
    const { right, text } = judge(question, pick, state);
    this.hint = right === null ? { position, text } : null;
    if (right !== null) this.close(question, { right, text }, timeline);
    return true;
  }

  /** Close the open question without an answer: it counts as asked. */
  skip(timeline, position) {
    const question = this.questionAt(timeline, position);
    if (question) this.close(question, { right: false, text: "Skipped." }, timeline);
  }

  close(question, { right, text }, timeline) {
    const { position } = question;
    const evidence = evidenceOf(question, timeline.stateAt(position));
    const before = (k) => timeline.eventBefore(position + 1 - k);
    const why = whyLine(question.event, timeline.stateAt(position + 1), before);
    this.closed.add(position);
    this.score = { right: this.score.right + Number(right), asked: this.score.asked + 1 };
    this.hint = null;
    this.verdict = { position, right, text, why, evidence, nodes: question.nodes, block: question.block ?? null };
  }
}
