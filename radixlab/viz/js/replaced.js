// Whether a tree that was sent again as a whole has kept its blocks: a rule about the event TreeResynced.

/** Map the number of each prefix to its block and node; `known` numbers the prefixes. Rows come parents first. */
function byPrefix(rows, size, known) {
  const found = new Map();
  const ends = new Map([[null, 0]]);
  for (const [id, parentId, tokens, blockIds] of rows) {
    let at = ends.get(parentId) ?? 0;
    blockIds.forEach((block, k) => {
      const key = `${at}:${tokens.slice(k * size, (k + 1) * size).join(",")}`;
      if (!known.has(key)) known.set(key, known.size + 1);
      at = known.get(key);
      if (!found.has(at)) found.set(at, [block, id]);
    });
    ends.set(id, at);
  }
  return found;
}

/** Blocks of tokens that stay may not be replaced; ids of nodes may change. */
export function claimReplaced({ state }, operation, e, claim) {
  if (operation.changed) return; // the nodes are between two states
  const known = new Map();
  const nodes = Array.from(state.nodes.values(), (n) => [n.id, n.parent_id, n.tokens, n.block_ids]);
  const before = byPrefix(nodes, state.block_size, known);
  const now = byPrefix(e.nodes.map((row) => [row[0], row[1], row[3], row[4]]), state.block_size, known);
  for (const [prefix, [block, node]] of before) {
    const other = now.get(prefix)?.[0] ?? block;
    if (other === block) continue;
    return void claim("M9", `block ${block} of node ${node} was replaced by block ${other}`);
  }
}
