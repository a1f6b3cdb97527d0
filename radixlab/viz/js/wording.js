// How the why line names things: blocks, nodes and their number.

import { expand, pathOf } from "./cachestate.js";

/** "1 block", "4 blocks". */
export function plural(count, word) {
  return `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
}

/** Block ids as a person writes them: "4–6, 9". */
export function runsText(runs, most = 4) {
  const shown = runs.slice(0, most).map(([first, count]) => (count > 1 ? `${first}–${first + count - 1}` : `${first}`));
  return shown.join(", ") + (runs.length > most ? ", …" : "");
}

/** "3 blocks (4–6)". */
export function blocks(runs, word = "block") {
  return `${plural(expand(runs).length, word)} (${runsText(runs)})`;
}

/** "the root", or "node 4". */
export function under(parentId) {
  return parentId === null ? "the root" : `node ${parentId}`;
}

/** "node 4", "node 4 and node 2 above it", "node 4 and the 3 nodes above it". */
export function withAncestors(state, nodeId) {
  const above = pathOf(state, nodeId).slice(1);
  if (!above.length) return `node ${nodeId}`;
  const others = above.length > 1 ? `the ${above.length} nodes` : `node ${above[0].id}`;
  return `node ${nodeId} and ${others} above it`;
}

/** "node 4 (2 blocks)", or "the last 2 blocks of node 4" where some are left. */
export function allOrTail(e, left) {
  const count = plural(expand(e.block_runs).length, "block");
  return left ? `the last ${count} of node ${e.node_id}` : `node ${e.node_id} (${count})`;
}
