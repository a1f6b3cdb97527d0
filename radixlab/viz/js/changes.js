// What the last call did, as marks on blocks, nodes and sequences: just hit, new, evicted, copied.
// A pure function of the log and a position: the same marks however the reader, or the cell, came there.

import { expand, pathOf } from "./cachestate.js";

export const HOST_FULL = "host full"; // why a node is dropped that the host would have taken or kept
export const BELOW_CORRUPT = "below corrupt KV, on the host"; // and this is why a node of the host goes in a quarantine
export const UNORDERED = "evicted"; // the reason that `watch` gives: it knows what one call evicted, and no order
export const LOST = "gone after "; // with the name of a call of a learner's tree that does not evict

/**
 * Marks for the events up to `position` of the call that it is in (calls.js), in their order: what is evicted and
 * then taken is new, what is new and then evicted is evicted. Kinds in `dimmed` (legend names) are left out.
 */
export function changesAt(timeline, position, dimmed = new Set()) {
  const state = timeline.stateAt(position);
  const changes = { hit: marks(), new: marks(), evicted: marks(), copies: [], node: null };
  for (const event of timeline.callAt(position)) {
    const rule = CHANGE_RULES[event.type];
    if (rule) rule(changes, event, state);
    if (Number.isInteger(event.node_id)) changes.node = event.node_id;
  }
  for (const [name, key] of [["just hit", "hit"], ["new", "new"], ["evicted", "evicted"]]) {
    if (dimmed.has(name)) changes[key] = marks();
  }
  return changes;
}

function marks() {
  return { blocks: new Set(), hostBlocks: new Set(), nodes: new Set(), sequences: new Set() };
}

/** Mark blocks, in place of the mark that they have from an event before. */
function mark(changes, kind, blocks, pool = "blocks") {
  for (const block of blocks) {
    for (const other of ["hit", "new", "evicted"]) changes[other][pool].delete(block);
    changes[kind][pool].add(block);
  }
}

/** A node may be new and hit; it is evicted only once its last block is, and then nothing else. */
function markNode(changes, kind, id) {
  changes.evicted.nodes.delete(id);
  if (kind === "evicted") for (const other of ["hit", "new"]) changes[other].nodes.delete(id);
  changes[kind].nodes.add(id);
}

const CHANGE_RULES = {
  SequenceStarted: (changes, e) => changes.new.sequences.add(e.sequence_id),
  SequenceForked: (changes, e) => changes.new.sequences.add(e.sequence_id),
  BlocksAllocated: (changes, e) => mark(changes, "new", expand(e.block_runs)),

  /** The path is looked up in the state at the position: its nodes are locked, so no later event of the call takes them. */
  PrefixMatched(changes, e, state) {
    if (!state.nodes.has(e.node_id)) return;
    for (const node of pathOf(state, e.node_id)) {
      markNode(changes, "hit", node.id);
      const pool = node.resident === false ? "hostBlocks" : "blocks";
      const known = changes.new[pool];
      mark(changes, "hit", node.block_ids.filter((block) => !known.has(block)), pool);
    }
  },

  BlockStored(changes, e) {
    markNode(changes, "new", e.node_id);
    mark(changes, "new", expand(e.block_runs));
  },

  NodeSplit: (changes, e) => markNode(changes, "new", e.upper_id),

  BlockRemoved(changes, e, state) {
    if (!state.nodes.has(e.node_id)) markNode(changes, "evicted", e.node_id);
    mark(changes, "evicted", expand(e.block_runs), [HOST_FULL, BELOW_CORRUPT].includes(e.reason) ? "hostBlocks" : "blocks");
  },

  WrittenBack(changes, e) {
    markNode(changes, "new", e.host_node_id);
    mark(changes, "evicted", expand(e.block_runs));
    mark(changes, "new", expand(e.host_runs), "hostBlocks");
  },

  LoadedBack(changes, e) {
    markNode(changes, "new", e.node_id);
    mark(changes, "new", expand(e.block_runs));
    mark(changes, "evicted", expand(e.host_runs), "hostBlocks");
  },

  BlockCopied(changes, e) {
    changes.copies.push([e.src, e.dst]);
    mark(changes, "new", [e.dst]);
  },
};
