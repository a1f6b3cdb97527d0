// Which events of a log can be asked about, and what is asked. An event is asked about at the position before it, so
// that nothing drawn there knows the answer.

import { pathOf } from "./cachestate.js";
import { HOST_FULL, UNORDERED } from "./changes.js";

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
export function ruleOf(event) {
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
