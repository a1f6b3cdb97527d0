// The cache's state as a fold over its events: the same function as radixlab/observe/state.py.
// A golden test feeds both the same logs. Arrays are replaced, never written, so that copies of a state can share them.

const MOST_BLOCKS = 1e7; // a recording is untrusted: no number in it may make the browser hang

/** List the block ids of runs: [[4, 3], [9, 1]] is blocks 4, 5, 6 and 9. */
export function expand(runs) {
  const ids = [];
  for (const [first, count] of runs) {
    if (!(count <= MOST_BLOCKS)) throw new Error(`a run of ${count} blocks`);
    for (let k = 0; k < count; k += 1) ids.push(first + k);
  }
  return ids;
}

/** Rebuild a state from the JSON of Python's `state_to_json`. */
export function stateFromJson(record) {
  for (const name of ["num_blocks", "block_size"]) {
    if (!Number.isInteger(record?.[name]) || record[name] <= 0 || record[name] > MOST_BLOCKS) {
      throw new Error(`${name} must be a positive whole number, not ${JSON.stringify(record?.[name])}`);
    }
  }
  const byId = (items) => new Map((items ?? []).map((item) => [item.id, { ...item }]));
  const state = { ...record, nodes: byId(record.nodes), sequences: byId(record.sequences), transfers: record.transfers ?? [] };
  if (!(state.num_host_blocks >= 0 && state.num_host_blocks <= MOST_BLOCKS)) state.num_host_blocks = 0;
  return state;
}

/** The JSON of a state, as Python's `state_to_json` writes it. */
export function stateToJson(state) {
  return { ...state, nodes: [...state.nodes.values()], sequences: [...state.sequences.values()] };
}

/** Copy what `fold` would change; token and block arrays are shared. */
export function copyState(state) {
  const copy = (items) => new Map(Array.from(items, ([id, item]) => [id, { ...item }]));
  return { ...state, nodes: copy(state.nodes), sequences: copy(state.sequences) };
}

/** The node and its ancestors, deepest first. A learner's tree may have lost an ancestor; then the path ends there. */
export function pathOf(state, nodeId) {
  const path = [];
  let node = nodeId === null || nodeId === undefined ? null : need(state.nodes, "node", nodeId);
  while (node) {
    path.push(node);
    if (path.length > state.nodes.size) throw new Error(`node ${nodeId} is its own ancestor`);
    node = state.nodes.get(node.parent_id);
  }
  return path;
}

/** Apply one event to `state`, in place, and return it; an event that does not fit raises an error that says why. */
export function fold(state, event) {
  const rule = Object.hasOwn(FOLD_RULES, event.type) ? FOLD_RULES[event.type] : null;
  if (!rule) throw new Error(`unknown event type ${JSON.stringify(event.type ?? null)}`);
  rule(state, event);
  return state;
}

/** Apply events in order. */
export function foldAll(state, events) {
  for (const event of events) fold(state, event);
  return state;
}

function need(items, what, id) {
  const item = items.get(id);
  if (!item) throw new Error(`${what} ${JSON.stringify(id ?? null)} does not exist`);
  return item;
}

function changeLocks(state, nodeId, by) {
  for (const node of pathOf(state, nodeId)) node.lock_ref += by;
}

function newSequence(id, namespace, tokens, blockTable) {
  return { id, namespace, tokens, block_table: blockTable, hit_tokens: 0, node_id: null };
}

function nodeFromRow([id, parent_id, namespace, tokens, block_ids, lock_ref, num_hits, tick]) {
  return { id, parent_id, namespace, tokens, block_ids, lock_ref, num_hits, tick, resident: true };
}

function order(state, src, dst, kind) {
  state.transfers = [...state.transfers, ...src.map((block, k) => [block, dst[k], kind])];
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

const noChange = () => {};

/** What is counted of the stream of another engine's events. */
export const STREAM_COUNTERS = ["missing_payloads", "lost_payloads", "refused_messages", "left_out_blocks", "publisher_restarts"];

const FOLD_RULES = {
  SequenceStarted(state, e) {
    state.sequences.set(e.sequence_id, newSequence(e.sequence_id, e.namespace, [...e.token_ids], []));
  },

  TokensAppended(state, e) {
    const sequence = need(state.sequences, "sequence", e.sequence_id);
    sequence.tokens = sequence.tokens.slice(0, e.start).concat(e.token_ids);
  },

  PrefixMatched(state, e) {
    const sequence = need(state.sequences, "sequence", e.sequence_id);
    const path = pathOf(state, e.node_id);
    for (const node of path) {
      node.num_hits += 1;
      node.tick = e.tick;
    }
    sequence.block_table = path.reverse().flatMap((node) => node.block_ids);
    sequence.hit_tokens = e.hit_tokens;
    state.tick = e.tick;
    state.num_requests += 1;
    state.prompt_tokens += e.num_tokens;
    state.hit_tokens += e.hit_tokens;
    state.host_hit_tokens += e.host_hit_tokens ?? 0;
    if (e.resumed) {
      state.resumed_prompt_tokens = (state.resumed_prompt_tokens ?? 0) + e.num_tokens;
      state.resumed_hit_tokens = (state.resumed_hit_tokens ?? 0) + e.hit_tokens;
    }
  },

  BlocksAllocated(state, e) {
    const sequence = need(state.sequences, "sequence", e.sequence_id);
    sequence.block_table = sequence.block_table.concat(expand(e.block_runs));
  },

  BlocksFreed: noChange,

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

  BlocksDeduplicated(state, e) {
    const sequence = need(state.sequences, "sequence", e.sequence_id);
    const kept = expand(e.kept_runs);
    sequence.block_table = sequence.block_table.toSpliced(e.start_block, kept.length, ...kept);
  },

  BlockCopied(state, e) {
    const sequence = need(state.sequences, "sequence", e.sequence_id);
    sequence.block_table = sequence.block_table.with(e.table_index, e.dst);
    order(state, [e.src], [e.dst], "copy");
    state.copied_blocks += 1;
  },

  TransfersCompleted(state, e) {
    const left = [...state.transfers];
    for (const done of e.transfers) {
      const at = left.findIndex((one) => one.every((part, k) => part === done[k]));
      if (at < 0) throw new Error(`${done[2]} ${done[0]} → ${done[1]} is not under way`);
      left.splice(at, 1);
    }
    state.transfers = left;
  },

  SequenceForked(state, e) {
    const parent = need(state.sequences, "sequence", e.parent_id);
    const table = parent.block_table.slice(0, Math.ceil(e.num_tokens / state.block_size));
    const tokens = parent.tokens.slice(0, e.num_tokens);
    state.sequences.set(e.sequence_id, newSequence(e.sequence_id, parent.namespace, tokens, table));
  },

  RequestFinished(state, e) {
    const sequence = need(state.sequences, "sequence", e.sequence_id);
    state.sequences.delete(e.sequence_id);
    for (const node of pathOf(state, sequence.node_id)) node.tick = e.tick;
    state.tick = e.tick;
  },

  RequestPreempted: noChange,
  OutOfBlocks: noChange,

  BlocksQuarantined(state, e) {
    state.quarantined_blocks = (state.quarantined_blocks ?? 0) + expand(e.block_runs).length;
  },

  CacheRestarted(state, { type: _type, seq: _seq, step: _step, site: _site, ...counters }) {
    Object.assign(state, { nodes: new Map(), sequences: new Map(), transfers: [] });
    for (const [name, value] of Object.entries(counters)) {
      if (!Number.isInteger(value)) throw new Error(`${name} must be a whole number, not ${JSON.stringify(value)}`);
      if (Number.isInteger(state[name] ?? 0)) state[name] = value;
    }
  },

  AllBlocksCleared(state) {
    state.nodes.clear();
  },

  PartBroke: noChange, // the cache goes on without the part

  TreeResynced(state, e) {
    state.nodes = new Map(e.nodes.map((row) => [row[0], nodeFromRow(row)]));
  },

  StreamReported(state, e) {
    for (const name of STREAM_COUNTERS) {
      if (!Number.isInteger(e[name])) throw new Error(`${name} must be a whole number, not ${JSON.stringify(e[name] ?? null)}`);
      state[name] = e[name];
    }
  },
};
