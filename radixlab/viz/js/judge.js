// How an answer in predict mode is judged, and by what the policy decided.

import { UNORDERED } from "./changes.js";
import { ruleOf } from "./questions.js";
import { plural } from "./wording.js";

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

/** The nodes of the device that may give up blocks: unlocked, and nothing of the device below them. */
export function evictableNodes(state) {
  const parents = new Set();
  for (const node of state.nodes.values()) if (node.resident !== false) parents.add(node.parent_id);
  return [...state.nodes.values()].filter((n) => n.resident !== false && !n.lock_ref && !parents.has(n.id));
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
