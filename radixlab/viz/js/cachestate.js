// The cache's state as the view keeps it: made from JSON, copied, written back, and looked up in.
// Arrays are replaced, never written, so that copies of a state can share them.

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

/** The item with this id; raise an error that names what is missing. */
export function need(items, what, id) {
  const item = items.get(id);
  if (!item) throw new Error(`${what} ${JSON.stringify(id ?? null)} does not exist`);
  return item;
}

/** Note transfers that have been ordered and are not done. */
export function order(state, src, dst, kind) {
  state.transfers = [...state.transfers, ...src.map((block, k) => [block, dst[k], kind])];
}
