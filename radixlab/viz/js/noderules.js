// What events do to the nodes of the tree: the half of the fold that knows nodes.

import { expand, need, order, pathOf } from "./cachestate.js";

function changeLocks(state, nodeId, by) {
  for (const node of pathOf(state, nodeId)) node.lock_ref += by;
}

function nodeFromRow([id, parent_id, namespace, tokens, block_ids, lock_ref, num_hits, tick]) {
  return { id, parent_id, namespace, tokens, block_ids, lock_ref, num_hits, tick, resident: true };
}

/** Move a node's tail to the front of the node below it on the host, a new one if need be. */
function passDown(state, node, hostNodeId, hostIds) {
  const keep = node.block_ids.length - hostIds.length;
  const cut = keep * state.block_size;
  let below = state.nodes.get(hostNodeId);
  if (!below) {
    for (const child of state.nodes.values()) if (child.parent_id === node.id) child.parent_id = hostNodeId;
    below = { ...node, id: hostNodeId, parent_id: node.id, tokens: [], block_ids: [], resident: false };
    state.nodes.set(hostNodeId, below);
  }
  below.tokens = node.tokens.slice(cut).concat(below.tokens);
  below.block_ids = hostIds.concat(below.block_ids);
  node.tokens = node.tokens.slice(0, cut);
  node.block_ids = node.block_ids.slice(0, keep);
}

/** By event type: what happens to the nodes. */
export const NODE_RULES = {
  NodeSplit(state, e) {
    const lower = need(state.nodes, "node", e.node_id);
    const cut = e.num_blocks * state.block_size;
    const upper = { ...lower, id: e.upper_id };
    upper.tokens = lower.tokens.slice(0, cut);
    upper.block_ids = lower.block_ids.slice(0, e.num_blocks);
    state.nodes.set(e.upper_id, upper);
    lower.parent_id = e.upper_id;
    lower.tokens = lower.tokens.slice(cut);
    lower.block_ids = lower.block_ids.slice(e.num_blocks);
  },

  NodeLocked(state, e) {
    changeLocks(state, e.node_id, 1);
    if (e.sequence_id !== null) need(state.sequences, "sequence", e.sequence_id).node_id = e.node_id;
  },

  NodeUnlocked(state, e) {
    changeLocks(state, e.node_id, -1);
    const sequence = state.sequences.get(e.sequence_id);
    if (sequence && sequence.node_id === e.node_id) sequence.node_id = null;
  },

  BlockStored(state, e) {
    const blockIds = expand(e.block_runs);
    const stop = e.start_token + blockIds.length * state.block_size;
    const tokens = e.token_ids ?? need(state.sequences, "sequence", e.sequence_id).tokens.slice(e.start_token, stop);
    const node = state.nodes.get(e.node_id);
    if (node && !node.resident) {
      node.block_ids = blockIds;
      node.resident = true;
      return;
    }
    if (node) {
      node.tokens = node.tokens.concat(tokens);
      node.block_ids = node.block_ids.concat(blockIds);
      return;
    }
    if (e.parent_id !== null) need(state.nodes, "node", e.parent_id);
    state.nodes.set(e.node_id, {
      id: e.node_id,
      parent_id: e.parent_id,
      namespace: e.namespace,
      tokens: [...tokens],
      block_ids: blockIds,
      lock_ref: 0,
      num_hits: 0,
      tick: e.tick,
      resident: true,
    });
  },

  BlockRemoved(state, e) {
    const node = need(state.nodes, "node", e.node_id);
    const gone = expand(e.block_runs).length;
    const keep = node.block_ids.length - gone;
    node.block_ids = node.block_ids.slice(0, keep);
    node.tokens = node.tokens.slice(0, keep * state.block_size);
    if (!keep) state.nodes.delete(e.node_id);
    if (node.resident) state.evicted_blocks += gone;
    if (state.num_host_blocks) state.dropped_blocks += gone;
  },

  WrittenBack(state, e) {
    const node = need(state.nodes, "node", e.node_id);
    const hostIds = expand(e.host_runs);
    if (e.host_node_id === e.node_id) Object.assign(node, { block_ids: hostIds, resident: false });
    else passDown(state, node, e.host_node_id, hostIds);
    order(state, expand(e.block_runs), hostIds, "write_back");
    state.evicted_blocks += hostIds.length;
    state.written_back_blocks += hostIds.length;
  },

  LoadedBack(state, e) {
    const node = need(state.nodes, "node", e.node_id);
    Object.assign(node, { block_ids: expand(e.block_runs), resident: true });
    order(state, expand(e.host_runs), node.block_ids, "load_back");
    state.loaded_back_blocks += node.block_ids.length;
  },

  AllBlocksCleared(state) {
    state.nodes.clear();
  },

  TreeResynced(state, e) {
    state.nodes = new Map(e.nodes.map((row) => [row[0], nodeFromRow(row)]));
  },
};
