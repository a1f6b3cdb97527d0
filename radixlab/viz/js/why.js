// The why line: one sentence per event, in the engine's own reasons.

import { expand } from "./cachestate.js";
import { BELOW_CORRUPT, HOST_FULL, LOST, UNORDERED } from "./changes.js";
import { streamLine } from "./doubt.js";
import { allOrTail, blocks, plural, runsText, under, withAncestors } from "./wording.js";

const MISS_REASONS = {
  never_seen: "never seen before",
  evicted: "evicted",
  below_block: "it differs inside the block, and only whole blocks are shared",
  namespace: "it is cached, but in another namespace",
  last_token_rule: "held back so that one token is left to compute",
  not_cached: "not cached",
};

/** A copy before a write, or, right after a match, one that saves computing the tokens that agree. */
function copyLine(e, state, before) {
  const copied = `copied block ${e.src} → ${e.dst}`;
  const match = before(2);
  if (match?.type === "PrefixMatched" && match.sequence_id === e.sequence_id) {
    return `${copied}: its first tokens are those of sequence ${e.sequence_id}, which computes only the rest`;
  }
  return `${copied}: sequence ${e.sequence_id} wrote, ${readersOf(state, e.src, e.sequence_id)}`;
}

/** Say in one sentence what the event did and why; `state` is the state after it, `before(k)` the k-th event before. */
export function whyLine(event, state, before = () => null) {
  if (!event) return before(-1) ? "The start: step or play to see what happens, and why." : "Nothing has happened yet.";
  const rule = Object.hasOwn(WHY_RULES, event.type) ? WHY_RULES[event.type] : null;
  return rule ? rule(event, state, before) : event.type;
}

function missed(e, state) {
  if (!e.miss_reason) return "";
  const count = Math.ceil((e.num_tokens - e.hit_tokens) / state.block_size);
  const tick = e.evicted_tick !== null && e.evicted_tick !== undefined ? ` at tick ${e.evicted_tick}` : "";
  return `; missed ${plural(count, "block")}: ${MISS_REASONS[e.miss_reason] ?? e.miss_reason}${tick}`;
}

function onHost(e) {
  return e.host_hit_tokens ? `, ${e.host_hit_tokens} of them on the host` : "";
}

function readersOf(state, block, besides) {
  const readers = [...state.sequences.values()].filter((s) => s.id !== besides && s.block_table.includes(block));
  const names = readers.slice(0, 3).map((s) => s.id).join(", ");
  if (readers.length) return `sequence${readers.length > 1 ? "s" : ""} ${names} still read${readers.length > 1 ? "" : "s"}`;
  return "the tree still holds it";
}

function locked(e, state) {
  const many = state.nodes.get(e.node_id).parent_id !== null;
  const owner = e.sequence_id === null ? "" : ` for sequence ${e.sequence_id}`;
  return `${withAncestors(state, e.node_id)} ${many ? "were" : "was"} locked${owner}: ${many ? "they" : "it"} cannot be evicted`;
}

function unlocked(e, state, before) {
  const lock = e.sequence_id === null ? "one lock" : `sequence ${e.sequence_id}'s lock`;
  const last = before(1);
  const moved = last?.type === "NodeLocked" && e.sequence_id !== null && last.sequence_id === e.sequence_id;
  if (!moved) return `${withAncestors(state, e.node_id)} lost ${lock}`;
  const left = state.nodes.get(e.node_id).lock_ref;
  const still = left ? `is still locked by ${left}, at or below it` : "is unlocked now";
  return `${lock} moved from node ${e.node_id} to node ${last.node_id}: node ${e.node_id} ${still}`;
}

const CORRUPT = "corrupt KV";
const GIVEN_UP = new Set(["BlockRemoved", "WrittenBack"]);

/** Blocks come from the free list, and from the evictions just before: those never pass through it. */
function took(e, before) {
  const ids = new Set(expand(e.block_runs));
  let evicted = 0;
  for (let k = 1; GIVEN_UP.has(before(k)?.type); k += 1) {
    evicted += expand(before(k).block_runs).filter((block) => ids.has(block)).length;
  }
  const share = evicted === ids.size ? "" : `${evicted} of them `;
  const note = evicted ? ` (${share}just evicted)` : "";
  return `sequence ${e.sequence_id} took block${ids.size === 1 ? "" : "s"} ${runsText(e.block_runs)}${note}`;
}

function evicted(e, state) {
  const what = allOrTail(e, state.nodes.has(e.node_id));
  if (e.reason === HOST_FULL) return `dropped ${what} from the host: ${e.reason}, least recent there (tick ${e.tick})`;
  if (e.reason === BELOW_CORRUPT) return `dropped ${what} from the host: its prefix holds corrupt KV`;
  if (e.reason === CORRUPT) return `took ${what} out of the cache: it holds corrupt KV, or its prefix does`;
  if (e.reason.startsWith(LOST)) return `${what}: gone after a call of ${e.reason.slice(LOST.length)}, which does not evict`;
  const order = e.reason === UNORDERED ? "" : `, ${e.reason} (tick ${e.tick})`;
  return `evicted ${what}: leaf, unlocked${order}`;
}

function wroteBack(e) {
  const what = allOrTail(e, e.host_node_id !== e.node_id);
  return `wrote back ${what} to host blocks ${runsText(e.host_runs)}: ${e.reason} (tick ${e.tick})`;
}

function loadedBack(e) {
  const where = `host blocks ${runsText(e.host_runs)} → ${runsText(e.block_runs)}`;
  return `loaded back ${allOrTail(e, false)}, ${where}: a prompt asks for it`;
}

const WHY_RULES = {
  SequenceStarted: (e) => `sequence ${e.sequence_id} arrived with ${plural(e.token_ids.length, "token")}`,
  TokensAppended: (e) => `sequence ${e.sequence_id} grew by ${plural(e.token_ids.length, "token")}`,
  PrefixMatched: (e, state) =>
    `sequence ${e.sequence_id}: ${e.hit_tokens} of ${plural(e.num_tokens, "token")} found in the tree${onHost(e)}${missed(e, state)}`,
  BlocksAllocated: (e, _state, before) => took(e, before),
  BlocksFreed: (e) => `sequence ${e.sequence_id} gave back ${blocks(e.block_runs, "private block")}`,
  NodeSplit: (e) =>
    `node ${e.node_id} was split after ${plural(e.num_blocks, "block")}: the shared front is now node ${e.upper_id}`,
  NodeLocked: locked,
  NodeUnlocked: unlocked,
  BlockStored: (e) => `${blocks(e.block_runs)} entered the tree: node ${e.node_id} under ${under(e.parent_id)}`,
  BlockRemoved: evicted,
  WrittenBack: wroteBack,
  LoadedBack: loadedBack,
  BlocksDeduplicated: (e) =>
    `the tree had them already: sequence ${e.sequence_id} freed its ${blocks(e.freed_runs)} and now reads ${runsText(e.kept_runs)}`,
  BlockCopied: copyLine,
  TransfersCompleted: (e) => `${plural(e.transfers.length, "copy").replace("copys", "copies")} arrived`,
  SequenceForked: (e) =>
    `sequence ${e.sequence_id} was forked from sequence ${e.parent_id}: it shares ${plural(e.num_tokens, "token")} and copies nothing`,
  RequestFinished: (e) => `sequence ${e.sequence_id} was ${e.reason}; what it committed stays cached`,
  RequestPreempted: (e) => `sequence ${e.sequence_id} was taken off to make room; it will come back`,
  OutOfBlocks: (e) =>
    `out of blocks: ${e.num_needed} needed, ${e.num_free} free, ${e.num_evictable} evictable; nothing was changed`,
  TreeResynced: () => "the tree changed in a way that no other event can tell; it is drawn as it is now",
  BlocksQuarantined: (e) => `${blocks(e.block_runs)} hold KV that is not finite: they leave the cache, with all below them`,
  CacheRestarted: () => "a fault broke a call off half-way: the whole cache was forgotten, and requests start over",
  AllBlocksCleared: () => "the cache was reset: every block is free",
  PartBroke: (e) => `your part broke rule ${e.rule} in ${e.call}: ${e.what}; the cache goes on without it`,
  StreamReported: streamLine,
};
