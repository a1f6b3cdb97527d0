// Tidy tree, left to right: every subtree has a horizontal band of its own, so nothing can overlap.
// Pure arithmetic over sizes; it does not know what a node looks like.

const GAP_X = 36;
const GAP_Y = 8;
export const MARGIN = 12; // empty space left and right
const MARGIN_Y = 8;
const IN_SIGHT = 390; // a parent stands in the middle of its band, but not further down: a tall tree starts at its root

/** Nodes by parent id; those without a (known) parent stand under `null`. */
export function childrenOf(nodes) {
  const children = new Map([[null, []]]);
  for (const id of nodes.keys()) children.set(id, []);
  for (const node of nodes.values()) {
    const parent = nodes.has(node.parent_id) ? node.parent_id : null;
    children.get(parent).push(node.id);
  }
  return children;
}

/**
 * Place boxes: `sizes` is a Map id → {w, h}, `children` as from `childrenOf`.
 * Returns {boxes: Map id → {x, y, w, h, depth}, width, height}; a child lies right of its parent, in its own band.
 */
export function layoutTree(children, sizes) {
  const order = []; // parents first
  const depth = new Map();
  const queue = [...children.get(null)];
  for (const id of queue) depth.set(id, 0);
  for (let k = 0; k < queue.length; k += 1) {
    order.push(queue[k]);
    for (const child of children.get(queue[k])) {
      depth.set(child, depth.get(queue[k]) + 1);
      queue.push(child);
    }
  }
  const bands = bandHeights(order, children, sizes);
  const columns = columnStarts(order, depth, sizes);
  return place(order, children, sizes, depth, bands, columns);
}

function stacked(ids, bands) {
  return ids.reduce((sum, id) => sum + bands.get(id), 0) + Math.max(0, ids.length - 1) * GAP_Y;
}

function bandHeights(order, children, sizes) {
  const bands = new Map();
  for (let k = order.length - 1; k >= 0; k -= 1) {
    bands.set(order[k], Math.max(sizes.get(order[k]).h, stacked(children.get(order[k]), bands)));
  }
  return bands;
}

function columnStarts(order, depth, sizes) {
  const widths = [];
  for (const id of order) widths[depth.get(id)] = Math.max(widths[depth.get(id)] ?? 0, sizes.get(id).w);
  const starts = [MARGIN];
  for (const width of widths) starts.push(starts.at(-1) + width + GAP_X);
  return starts;
}

function middle(band, h) {
  return (Math.max(h, Math.min(band, IN_SIGHT)) - h) / 2;
}

function place(order, children, sizes, depth, bands, columns) {
  const boxes = new Map();
  const tops = new Map();
  const stack = (ids, top) => {
    let y = top;
    for (const id of ids) {
      tops.set(id, y);
      y += bands.get(id) + GAP_Y;
    }
  };
  stack(children.get(null), MARGIN_Y);
  for (const id of order) {
    const { w, h } = sizes.get(id);
    const level = depth.get(id);
    boxes.set(id, { x: columns[level], y: tops.get(id) + middle(bands.get(id), h), w, h, depth: level });
    const kids = children.get(id);
    stack(kids, tops.get(id) + (bands.get(id) - stacked(kids, bands)) / 2);
  }
  const height = stacked(children.get(null), bands) + 2 * MARGIN_Y;
  return { boxes, width: columns.at(-1) - (order.length ? GAP_X : 0) + MARGIN, height };
}
