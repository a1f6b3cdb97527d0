// What an event did, in words that follow a run's name: "lru evicted 2 blocks (3–4) of node 1".
// The same words as radixlab/observe/deeds.py; a test compares them. The reasons are the why line's.

const plainCount = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

/** "2 blocks (3–4)", without a list where it would be long. */
function blocksSaid(runs) {
  const number = runs.reduce((sum, [, count]) => sum + count, 0);
  const ids = runs.slice(0, 4).map(([first, count]) => (count === 1 ? `${first}` : `${first}–${first + count - 1}`));
  return `${plainCount(number, "block")} (${ids.join(", ")}${runs.length > 4 ? ", …" : ""})`;
}

/** Say what the event did. */
export function deedWords(event) {
  return Object.hasOwn(DEED_RULES, event.type) ? DEED_RULES[event.type](event) : event.type;
}

const DEED_RULES = {
  SequenceStarted: (e) => `started sequence ${e.sequence_id} with ${plainCount(e.token_ids.length, "token")}`,
  TokensAppended: (e) => `appended ${plainCount(e.token_ids.length, "token")} to sequence ${e.sequence_id}`,
  PrefixMatched: (e) => `found ${e.hit_tokens} of ${plainCount(e.num_tokens, "token")} for sequence ${e.sequence_id}`,
  BlocksAllocated: (e) => `took ${blocksSaid(e.block_runs)} for sequence ${e.sequence_id}`,
  BlocksFreed: (e) => `freed ${blocksSaid(e.block_runs)} of sequence ${e.sequence_id}`,
  NodeSplit: (e) => `split node ${e.node_id} after ${plainCount(e.num_blocks, "block")}`,
  NodeLocked: (e) => `locked node ${e.node_id}`,
  NodeUnlocked: (e) => `unlocked node ${e.node_id}`,
  BlockStored: (e) => `stored ${blocksSaid(e.block_runs)} in node ${e.node_id}`,
  BlockRemoved: (e) => `${e.reason.includes("corrupt") ? "removed" : "evicted"} ${blocksSaid(e.block_runs)} of node ${e.node_id}`,
  WrittenBack: (e) => `wrote back ${blocksSaid(e.block_runs)} of node ${e.node_id}`,
  LoadedBack: (e) => `loaded back ${blocksSaid(e.block_runs)} of node ${e.node_id}`,
  BlocksDeduplicated: (e) => `freed duplicate ${blocksSaid(e.freed_runs)} of sequence ${e.sequence_id}`,
  BlockCopied: (e) => `copied block ${e.src} to block ${e.dst} for sequence ${e.sequence_id}`,
  TransfersCompleted: (e) => `completed ${plainCount(e.transfers.length, "transfer")}`,
  SequenceForked: (e) => `forked sequence ${e.sequence_id} from sequence ${e.parent_id}`,
  RequestFinished: (e) => `ended sequence ${e.sequence_id} (${e.reason})`,
  RequestPreempted: (e) => `preempted sequence ${e.sequence_id}`,
  OutOfBlocks: (e) => `was out of blocks (${e.num_needed} needed, ${e.num_free} free)`,
  BlocksQuarantined: (e) => `put ${blocksSaid(e.block_runs)} in quarantine`,
  CacheRestarted: () => "restarted the cache",
  AllBlocksCleared: () => "cleared the cache",
  TreeResynced: () => "changed the tree in a way that no other event tells",
  PartBroke: (e) => `broke rule ${e.rule} in ${e.call}`,
  StreamReported: (e) => `reported of its stream: ${e.cause.replace("_", " ")}`,
};
