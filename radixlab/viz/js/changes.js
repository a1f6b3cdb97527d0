// What the last events did, as marks on blocks, nodes and sequences: just hit, new, evicted, copied.

import { expand, pathOf } from "./fold.js";

export const HOST_FULL = "host full"; // why a node is dropped that the host would have taken or kept
export const BELOW_CORRUPT = "below corrupt KV, on the host"; // and this is why a node of the host goes in a quarantine

/** Marks for the events that led to `state`; those of kinds in `dimmed` (legend names) are left out. */
export function changesOf(events, state, dimmed = new Set()) {
  const changes = { hit: marks(), new: marks(), evicted: marks(), copies: [], node: null };
  for (const event of events) {
    const rule = CHANGE_RULES[event.type];
    if (rule) rule(changes, event, state);
    if (Number.isInteger(event.node_id)) changes.node = event.node_id;
  }
  for (const block of changes.evicted.blocks) changes.new.blocks.delete(block);
  for (const [name, key] of [["just hit", "hit"], ["new", "new"], ["evicted", "evicted"]]) {
    if (dimmed.has(name)) changes[key] = marks();
  }
  return changes;
}

function marks() {
  return { blocks: new Set(), hostBlocks: new Set(), nodes: new Set(), sequences: new Set() };
}

function addAll(set, items) {
  for (const item of items) set.add(item);
}

const CHANGE_RULES = {
  SequenceStarted: (changes, e) => changes.new.sequences.add(e.sequence_id),
  SequenceForked: (changes, e) => changes.new.sequences.add(e.sequence_id),
  BlocksAllocated: (changes, e) => addAll(changes.new.blocks, expand(e.block_runs)),

  PrefixMatched(changes, e, state) {
    if (!state.nodes.has(e.node_id)) return;
    for (const node of pathOf(state, e.node_id)) {
      changes.hit.nodes.add(node.id);
      addAll(changes.hit.blocks, node.block_ids);
    }
  },

  BlockStored(changes, e) {
    changes.new.nodes.add(e.node_id);
    addAll(changes.new.blocks, expand(e.block_runs));
  },

  NodeSplit(changes, e) {
    changes.new.nodes.add(e.upper_id);
  },

  BlockRemoved(changes, e) {
    changes.evicted.nodes.add(e.node_id);
    addAll([HOST_FULL, BELOW_CORRUPT].includes(e.reason) ? changes.evicted.hostBlocks : changes.evicted.blocks, expand(e.block_runs));
  },

  WrittenBack(changes, e) {
    changes.new.nodes.add(e.host_node_id);
    addAll(changes.evicted.blocks, expand(e.block_runs));
    addAll(changes.new.hostBlocks, expand(e.host_runs));
  },

  LoadedBack(changes, e) {
    changes.new.nodes.add(e.node_id);
    addAll(changes.new.blocks, expand(e.block_runs));
    addAll(changes.evicted.hostBlocks, expand(e.host_runs));
  },

  BlockCopied(changes, e) {
    changes.copies.push([e.src, e.dst]);
    changes.new.blocks.add(e.dst);
  },
};
