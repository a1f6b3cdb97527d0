// Who holds what in a folded state: an index that is kept up to date event by event.
// The same as radixlab/observe/holders.py.

/** Blocks, children, first blocks and locks of a state, with the ids of those that have them. */
export class Holders {
  constructor(state) {
    this.state = state;
    this.rebuild();
  }

  rebuild() {
    this.onDevice = new Map(); // block → ids of nodes
    this.onHost = new Map(); // host block → ids of nodes
    this.children = new Map(); // parent → ids of nodes
    this.fronts = new Map(); // parent, namespace of a root and first block → ids of nodes
    this.tables = new Map(); // block → ids of sequences
    this.lockers = new Map(); // node → ids of the sequences that have locked it
    this.add(this.state.nodes.keys(), this.state.sequences.keys());
  }

  /** Enter those of these nodes and sequences that exist. */
  add(nodeIds, sequenceIds) {
    this.each(nodeIds, sequenceIds, (index, key, id) => {
      const ids = index.get(key);
      if (ids) ids.push(id);
      else index.set(key, [id]);
    });
  }

  /** Strike what `add` entered; call it before they change. */
  remove(nodeIds, sequenceIds) {
    this.each(nodeIds, sequenceIds, (index, key, id) => {
      const ids = index.get(key);
      if (ids.length === 1) index.delete(key);
      else ids.splice(ids.indexOf(id), 1);
    });
  }

  /** The index of the tier on which the node's blocks are. */
  blocksOf(node) {
    return node.resident === false ? this.onHost : this.onDevice;
  }

  /** What no sibling may have too; null if the tokens were left out of a recording. */
  front(node) {
    const first = node.tokens.slice(0, this.state.block_size);
    if (!first.some(Boolean)) return null;
    return JSON.stringify([node.parent_id, node.parent_id === null ? node.namespace : null, first]);
  }

  each(nodeIds, sequenceIds, enter) {
    for (const id of nodeIds) if (this.state.nodes.has(id)) this.enterNode(this.state.nodes.get(id), enter);
    for (const id of sequenceIds) if (this.state.sequences.has(id)) this.enterSequence(this.state.sequences.get(id), enter);
  }

  enterNode(node, enter) {
    enter(this.children, node.parent_id, node.id);
    const front = this.front(node);
    if (front !== null) enter(this.fronts, front, node.id);
    const index = this.blocksOf(node);
    for (const block of node.block_ids) enter(index, block, node.id);
  }

  enterSequence(sequence, enter) {
    if (sequence.node_id !== null) enter(this.lockers, sequence.node_id, sequence.id);
    for (const block of sequence.block_table) enter(this.tables, block, sequence.id);
  }
}

/** The holder with the lowest id, or null; `besides` does not count. */
export function firstHolder(ids, besides = null) {
  let first = null;
  for (const id of ids ?? []) if (id !== besides && (first === null || id < first)) first = id;
  return first;
}
