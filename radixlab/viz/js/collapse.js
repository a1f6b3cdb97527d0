// Which nodes of a tree are drawn: all of a small one; of a large one the upper levels, and what the last event touched.
// Pure. What is left out stands in for itself: a closed node says how much is below it, a crowded one has a "more" card.

export const MOST_CARDS = 120; // a tree of up to this many nodes is drawn whole
const FAN = 24; // so many children of one node are drawn before a "more" card
const FAN_STEP = 100; // and so many more each time that card is pressed

/** What a reader opened, closed and asked to see: kept by the panel, never by the state. */
export function newFolds() {
  return { opened: new Set(), closed: new Set(), fans: new Map() };
}

/** Open a closed node, or close an open one. */
export function toggleFold(folds, id, isClosed) {
  folds[isClosed ? "closed" : "opened"].delete(id);
  folds[isClosed ? "opened" : "closed"].add(id);
}

/** Show more children of a crowded node. */
export function widenFan(folds, id) {
  folds.fans.set(id, (folds.fans.get(id) ?? FAN) + FAN_STEP);
}

/**
 * The part of a tree to draw: `{children, hidden, more}`.
 *
 * `children` is as from `childrenOf`; `must` are ids that are shown whatever else is closed, with their ancestors.
 * `hidden` maps a closed node to the number of nodes below it, `more` a "more" card's id to the nodes it stands for.
 */
export function visibleTree(children, parentOf, folds, must = []) {
  const whole = children.size - 1 <= MOST_CARDS;
  const forced = pathsTo(must, parentOf, folds.closed);
  const part = { children: new Map([[null, []]]), hidden: new Map(), more: new Map() };
  const queue = [null];
  let room = MOST_CARDS;
  for (let k = 0; k < queue.length; k += 1) {
    const id = queue[k];
    const kids = children.get(id) ?? [];
    const open = id === null || isOpen(id, kids, { whole, folds, forced, room });
    if (!open && kids.length) part.hidden.set(id, 0);
    const shown = open ? shownKids(id, kids, { whole, folds, forced }) : [];
    const left = open ? kids.length - shown.length : 0;
    room -= shown.length;
    part.children.set(id, left ? [...shown, `more:${id}`] : shown);
    if (left) addMore(part, id, left);
    for (const kid of shown) queue.push(kid);
  }
  countHidden(part.hidden, children);
  return part;
}

function addMore(part, id, count) {
  part.more.set(`more:${id}`, { parent: id, count });
  part.children.set(`more:${id}`, []);
}

function isOpen(id, kids, { whole, folds, forced, room }) {
  if (folds.closed.has(id)) return false;
  return whole || folds.opened.has(id) || forced.has(id) || kids.length <= room || (typeof id === "string" && room > 0);
}

function shownKids(id, kids, { whole, folds, forced }) {
  const most = folds.fans.get(id) ?? FAN;
  if (whole || kids.length <= most + 1) return kids;
  return kids.filter((kid, k) => k < most || forced.has(kid));
}

/** All ids on the way from the roots to these; none below a node that the reader closed. */
function pathsTo(ids, parentOf, closed) {
  const forced = new Set();
  for (const start of ids) {
    const path = [];
    for (let id = start; id !== null && id !== undefined && !forced.has(id); id = parentOf(id)) path.push(id);
    const cut = path.findLastIndex((id, k) => k > 0 && closed.has(id));
    for (const id of path.slice(cut < 0 ? 0 : cut)) forced.add(id);
  }
  return forced;
}

function countHidden(hidden, children) {
  for (const id of hidden.keys()) {
    const stack = [...children.get(id)];
    let count = 0;
    while (stack.length) {
      count += 1;
      for (const kid of children.get(stack.pop()) ?? []) stack.push(kid);
    }
    hidden.set(id, count);
  }
}

/** The node that a key leads to in a drawn tree: right to a child, left to the parent, up and down along a level. */
export function walkTree(children, boxes, id, key) {
  const nodes = [...boxes].filter(([other]) => typeof other === "number");
  if (!nodes.length) return null;
  if (!boxes.has(id) || key === "Home") return nodes[0][0];
  if (key === "Here") return id;
  const here = boxes.get(id);
  const parent = nodes.find(([other]) => children.get(other)?.includes(id));
  if (key === "ArrowLeft") return parent ? parent[0] : id;
  if (key === "ArrowRight") return (children.get(id) ?? []).find((kid) => typeof kid === "number") ?? id;
  const level = nodes.filter(([, box]) => box.depth === here.depth).sort(([, a], [, b]) => a.y - b.y);
  const at = level.findIndex(([other]) => other === id);
  if (key === "End") return level.at(-1)[0];
  if (key === "ArrowDown") return (level[at + 1] ?? level[at])[0];
  return key === "ArrowUp" ? (level[at - 1] ?? level[at])[0] : null;
}
