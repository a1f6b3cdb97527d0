// The why line: one sentence per event, in the engine's own reasons.

import { expand } from "./fold.js";

const MISS_REASONS = {
  never_seen: "never seen before",
  evicted: "evicted",
  below_block: "it differs inside the block, and only whole blocks are shared",
  namespace: "it is cached, but in another namespace",
  last_token_rule: "held back so that one token is left to compute",
  not_cached: "not cached",
};

/** "1 block", "4 blocks". */
export function plural(count, word) {
  return `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
}

/** Block ids as a person writes them: "4–6, 9". */
export function runsText(runs, most = 4) {
  const shown = runs.slice(0, most).map(([first, count]) => (count > 1 ? `${first}–${first + count - 1}` : `${first}`));
  return shown.join(", ") + (runs.length > most ? ", …" : "");
}

/** Say in one sentence what the event did and why; `state` is the state after it. */
export function whyLine(event, state) {
  if (!event) return "The start: step or play to see what happens, and why.";
  const rule = Object.hasOwn(WHY_RULES, event.type) ? WHY_RULES[event.type] : null;
  return rule ? rule(event, state) : event.type;
}

function blocks(runs) {
  return `${plural(expand(runs).length, "block")} (${runsText(runs)})`;
}

function missed(e, state) {
  if (!e.miss_reason) return "";
  const count = Math.ceil((e.num_tokens - e.hit_tokens) / state.block_size);
  const tick = e.evicted_tick !== null && e.evicted_tick !== undefined ? ` at tick ${e.evicted_tick}` : "";
  return `; missed ${plural(count, "block")}: ${MISS_REASONS[e.miss_reason] ?? e.miss_reason}${tick}`;
}

function readersOf(state, block, besides) {
  const readers = [...state.sequences.values()].filter((s) => s.id !== besides && s.block_table.includes(block));
  const names = readers.slice(0, 3).map((s) => s.id).join(", ");
  if (readers.length) return `sequence${readers.length > 1 ? "s" : ""} ${names} still read${readers.length > 1 ? "" : "s"}`;
  return "the tree still holds it";
}

function under(parentId) {
  return parentId === null ? "the root" : `node ${parentId}`;
}

const WHY_RULES = {
  SequenceStarted: (e) => `sequence ${e.sequence_id} arrived with ${plural(e.token_ids.length, "token")}`,
  TokensAppended: (e) => `sequence ${e.sequence_id} grew by ${plural(e.token_ids.length, "token")}`,
  PrefixMatched: (e, state) =>
    `sequence ${e.sequence_id}: ${e.hit_tokens} of ${plural(e.num_tokens, "token")} found in the tree${missed(e, state)}`,
  BlocksAllocated: (e) => `sequence ${e.sequence_id} took ${blocks(e.block_runs)} from the free list`,
  BlocksFreed: (e) => `sequence ${e.sequence_id} gave back its private ${blocks(e.block_runs)}`,
  NodeSplit: (e) =>
    `node ${e.node_id} was split after ${plural(e.num_blocks, "block")}: the shared front is now node ${e.upper_id}`,
  NodeLocked: (e) =>
    `node ${e.node_id} and its ancestors were locked${e.sequence_id === null ? "" : ` for sequence ${e.sequence_id}`}: they cannot be evicted`,
  NodeUnlocked: (e) =>
    `node ${e.node_id} and its ancestors lost one lock${e.sequence_id === null ? "" : ` of sequence ${e.sequence_id}`}`,
  BlockStored: (e) => `${blocks(e.block_runs)} entered the tree: node ${e.node_id} under ${under(e.parent_id)}`,
  BlockRemoved: (e) =>
    `evicted node ${e.node_id} (${plural(expand(e.block_runs).length, "block")}): leaf, unlocked, ${e.reason} (tick ${e.tick})`,
  BlocksDeduplicated: (e) =>
    `the tree had them already: sequence ${e.sequence_id} freed its ${blocks(e.freed_runs)} and now reads ${runsText(e.kept_runs)}`,
  BlockCopied: (e, state) =>
    `copied block ${e.src} → ${e.dst}: sequence ${e.sequence_id} wrote, ${readersOf(state, e.src, e.sequence_id)}`,
  TransfersCompleted: (e) => `${plural(e.pairs.length, "copy").replace("copys", "copies")} arrived`,
  SequenceForked: (e) =>
    `sequence ${e.sequence_id} was forked from sequence ${e.parent_id}: it shares ${plural(e.num_tokens, "token")} and copies nothing`,
  RequestFinished: (e) => `sequence ${e.sequence_id} was ${e.reason}; what it committed stays cached`,
  RequestPreempted: (e) => `sequence ${e.sequence_id} was taken off to make room; it will come back`,
  OutOfBlocks: (e) =>
    `out of blocks: ${e.num_needed} needed, ${e.num_free} free, ${e.num_evictable} evictable; nothing was changed`,
  TreeResynced: () => "the tree changed in a way that no other event can tell; it is drawn as it is now",
  AllBlocksCleared: () => "the cache was reset: every block is free",
};
