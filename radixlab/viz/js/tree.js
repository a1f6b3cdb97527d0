// The radix tree: HTML cards on a plane that scrolls, SVG lines between them.
// Only cards near the visible part are in the page, so that thousands of nodes cost what a screenful costs.

import { h, prefersCalm, svg } from "./dom.js";
import { CACHED } from "./facts.js";
import { layoutTree, MARGIN } from "./layout.js";
import { styleCell } from "./palette.js";
import { clip, orderedChildren } from "./summary.js";

const CELL = { w: 27, h: 22, perRow: 10, most: 20 };
const LINE = { chars: 36, h: 16 };
const CARD = { padX: 12, padY: 5, head: 15, min: 96, gap: 3 };
const CHAR = 7.3; // width of a 12 px monospace character, rounded up
const SMALL_CHAR = 6.4;
const NEARBY = 400; // cards this far outside the visible part are kept
const FADE_MS = 300;
const SMALLEST = 0.75; // a tree too wide is drawn smaller, down to this; then it scrolls
const TALLEST = 420;

/** The panel of the tree: `{el, paint(frame), reveal(nodeId)}`. */
export function treePanel() {
  const edges = svg("svg", { class: "rx-edges", "aria-hidden": "true" });
  const world = h("div", { className: "rx-world" }, edges);
  const plane = h("div", { className: "rx-plane" }, world);
  const scroller = h("div", { className: "rx-tree" }, plane);
  const fade = h("div", { className: "rx-fade" });
  const el = h("div", { className: "rx-tree-box" }, scroller, fade);
  const panel = { scroller, plane, world, edges, fade, cards: new Map(), last: null, tallest: 0 };
  scroller.addEventListener("scroll", () => panel.last && paintVisible(panel, panel.last));
  dragToPan(scroller);
  return { el, paint: (frame) => paintTree(panel, frame), reveal: (id) => reveal(panel, id) };
}

/** Let the mouse pull the plane; a finger scrolls it without our help. */
function dragToPan(el) {
  let from = null;
  el.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button) return;
    from = { x: event.clientX + el.scrollLeft, y: event.clientY + el.scrollTop };
  });
  el.addEventListener("pointermove", (event) => {
    if (!from || !event.buttons) return;
    el.classList.add("rx-dragged");
    el.scrollTo(from.x - event.clientX, from.y - event.clientY);
  });
  for (const name of ["pointerup", "pointerleave"]) {
    el.addEventListener(name, () => {
      from = null;
      el.classList.remove("rx-dragged");
    });
  }
}

function paintTree(panel, frame) {
  const { plane, world, scroller } = panel;
  const { children, sizes } = withRoots(frame);
  const layout = layoutTree(children, sizes);
  const room = (scroller.offsetWidth || 900) - 2; // with a scroll bar: had it a say, the scale could swing for ever
  const scale = Math.min(1, Math.max(SMALLEST, room / layout.width));
  const size = { w: layout.width * scale, h: layout.height * scale };
  world.style.transform = scale < 1 ? `scale(${scale})` : "";
  plane.style.width = `${size.w}px`;
  plane.style.height = `${size.h}px`;
  scroller.style.minHeight = `${leastHeight(panel, frame, size.h) + 2}px`;
  panel.last = { frame, layout, children, scale, size };
  paintVisible(panel, panel.last);
}

/** The height grows with the tree and stays, so that nothing below jumps while stepping; after a jump it is anew. */
function leastHeight(panel, frame, height) {
  const before = frame.jumped || !frame.state.nodes.size ? 0 : panel.tallest;
  panel.tallest = Math.max(before, Math.min(height, TALLEST));
  return panel.tallest;
}

/** One root per namespace stands left of the first level; its id is text, so it meets no node's. */
function withRoots(frame) {
  const { nodes } = frame.state;
  const children = orderedChildren(nodes);
  const sizes = new Map(Array.from(nodes.values(), (node) => [node.id, cardSize(node, frame)]));
  const roots = new Map();
  for (const id of children.get(null)) {
    const name = (nodes.get(id).namespace ?? ["root"]).join(" ");
    if (!roots.has(name)) roots.set(name, []);
    roots.get(name).push(id);
  }
  if (!roots.size) roots.set("root", []);
  children.set(null, [...roots.keys()].map((name) => `root:${name}`));
  for (const [name, ids] of roots) {
    children.set(`root:${name}`, ids);
    sizes.set(`root:${name}`, { w: 20 + Math.min(name.length, 20) * SMALL_CHAR, h: 24 });
  }
  return { children, sizes };
}

/** The tokens as lines of a card, broken after spaces where it can be. */
export function labelLines(text) {
  const lines = [];
  let rest = Array.from(clip(text, 48, 18));
  while (rest.length > LINE.chars) {
    const space = rest.lastIndexOf(" ", LINE.chars - 1);
    const cut = space > LINE.chars / 2 ? space + 1 : LINE.chars;
    lines.push(rest.slice(0, cut).join(""));
    rest = rest.slice(cut);
  }
  return [...lines, rest.join("")];
}

function headOf(node) {
  const blocks = `${node.block_ids.length} block${node.block_ids.length === 1 ? "" : "s"}`;
  return `node ${node.id} · ${blocks}${node.resident === false ? " · on host" : ""}`;
}

function cardSize(node, frame) {
  const lines = labelLines(frame.text(node.tokens));
  const longest = Math.max(...lines.map((line) => Array.from(line).length));
  const cells = Math.min(node.block_ids.length, CELL.most + 1);
  const rows = Math.ceil(cells / CELL.perRow);
  const head = headOf(node).length * SMALL_CHAR + (node.lock_ref ? 34 : 0);
  const widths = [head, longest * CHAR, Math.min(cells, CELL.perRow) * CELL.w, CARD.min];
  const inner = CARD.head + lines.length * LINE.h + rows * CELL.h + CARD.gap;
  return { w: Math.ceil(Math.max(...widths)) + 2 * CARD.padX, h: inner + 2 * CARD.padY };
}

function paintVisible(panel, { frame, layout, children, scale, size }) {
  paintFade(panel, size);
  const view = visibleRect(panel.scroller, scale);
  const wanted = new Set();
  for (const [id, box] of layout.boxes) {
    if (!touches(box, view)) continue;
    wanted.add(id);
    const card = panel.cards.get(id) ?? addCard(panel, id, box);
    if (typeof id === "string") card.textContent = id.slice(5);
    else fillCard(card, frame.state.nodes.get(id), frame);
    placeCard(card, box);
  }
  for (const [id, card] of panel.cards) if (!wanted.has(id)) dropCard(panel, id, card, layout.boxes.has(id));
  paintEdges(panel, layout, children, view);
}

/** Fade the edges beyond which there is more to see. */
function paintFade({ scroller, fade }, size) {
  const { scrollLeft: left, scrollTop: top, clientWidth: w, clientHeight: h } = scroller;
  const hidden = { left, top, right: size.w - w - left, bottom: size.h - h - top };
  for (const [side, px] of Object.entries(hidden)) {
    fade.style.setProperty(`--rx-${side}`, w && px > MARGIN ? "40px" : "0px");
  }
}

/** What can be seen, and some more, in the tree's own coordinates. */
function visibleRect(scroller, scale) {
  const { scrollLeft: x, scrollTop: y, clientWidth: w, clientHeight: h } = scroller;
  const size = { w: (w || 900) / scale + 2 * NEARBY, h: (h || TALLEST) / scale + 2 * NEARBY };
  return { x: x / scale - NEARBY, y: y / scale - NEARBY, ...size };
}

function touches(box, view) {
  return box.x < view.x + view.w && box.x + box.w > view.x && box.y < view.y + view.h && box.y + box.h > view.y;
}

function addCard(panel, id, box) {
  const isRoot = typeof id === "string";
  const card = h("div", { className: isRoot ? "rx-root" : "rx-card", data: isRoot ? {} : { node: id } });
  panel.cards.set(id, card);
  panel.world.append(card);
  placeCard(card, box);
  return card;
}

function dropCard(panel, id, card, stillThere) {
  panel.cards.delete(id);
  if (stillThere || prefersCalm()) return card.remove();
  card.classList.add("rx-gone");
  delete card.dataset.node;
  setTimeout(() => card.remove(), FADE_MS);
}

function placeCard(card, { x, y, w, h: height }) {
  card.style.transform = `translate(${x}px, ${y}px)`;
  card.style.width = `${w}px`;
  card.style.height = `${height}px`;
}

function fillCard(card, node, frame) {
  const label = labelLines(frame.text(node.tokens)).join("\n");
  const marks = ["hit", "new"].filter((key) => frame.changes[key].nodes.has(node.id)).map((key) => `rx-m-${key}`);
  const evictable = node.block_ids.every((block) => frame.facts.standing[block] === CACHED);
  const state = node.resident === false ? "rx-on-host" : evictable ? "" : "rx-busy";
  card.className = `rx-card ${state} ${marks.join(" ")}`;
  card.title = `${frame.text(node.tokens)}\nlast use: tick ${node.tick}, hits: ${node.num_hits}`;
  const head = h("div", { className: "rx-card-head" }, h("span", {}, headOf(node)));
  if (node.lock_ref) head.append(lockBadge(node.lock_ref));
  card.replaceChildren(head, h("div", { className: "rx-label" }, label), cellRow(node, frame));
}

function lockBadge(count) {
  const icon = svg("svg", { viewBox: "0 0 12 12", class: "rx-lock", "aria-hidden": "true" });
  icon.append(svg("path", { d: "M3.5 5.5V4a2.5 2.5 0 0 1 5 0v1.5", fill: "none", "stroke-width": 1.6 }));
  icon.append(svg("rect", { x: 2, y: 5.2, width: 8, height: 5.8, rx: 1 }));
  return h("span", { className: "rx-badge", title: `${count} receipts at or below this node` }, icon, `${count}`);
}

function cellRow(node, frame) {
  const row = h("div", { className: "rx-cells" });
  for (const block of node.block_ids.slice(0, CELL.most)) {
    const onHost = node.resident === false;
    const cell = h("span", { data: onHost ? { hostBlock: block } : { block } }, `${block}`);
    styleCell(cell, block, frame, onHost);
    if (block > 999) cell.classList.add(block > 9999 ? "rx-tiny" : "rx-small");
    row.append(cell);
  }
  const left = node.block_ids.length - CELL.most;
  if (left > 0) row.append(h("span", { className: "rx-more" }, `+${left}`));
  return row;
}

function paintEdges(panel, layout, children, view) {
  panel.edges.setAttribute("width", layout.width);
  panel.edges.setAttribute("height", layout.height);
  const paths = [];
  for (const [id, from] of layout.boxes) {
    for (const child of children.get(id)) {
      const to = layout.boxes.get(child);
      const span = { x: from.x, y: Math.min(from.y, to.y), w: to.x - from.x, h: Math.abs(to.y - from.y) + from.h };
      if (touches(span, view)) paths.push(svg("path", { d: elbow(from, to), "data-to": child }));
    }
  }
  panel.edges.replaceChildren(...paths);
}

/** Out of the parent, along a trunk that siblings share, into the child; the corners are round. */
function elbow(from, to) {
  const [x1, y1] = [from.x + from.w, from.y + from.h / 2];
  const [x2, y2] = [to.x, to.y + to.h / 2];
  const trunk = x2 - 18;
  const round = Math.min(8, Math.abs(y2 - y1) / 2);
  const turn = y2 > y1 ? round : -round;
  return (
    `M${x1} ${y1}H${trunk - round}q${round} 0 ${round} ${turn}` +
    `V${y2 - turn}q0 ${turn} ${round} ${turn}H${x2}`
  );
}

/** Scroll a node into the visible part, where it is not there already. */
function reveal(panel, id) {
  const box = panel.last?.layout.boxes.get(id);
  if (!box) return;
  const { scroller: el, last: { scale } } = panel;
  const [left, top, right, bottom] = [box.x, box.y, box.x + box.w, box.y + box.h].map((at) => at * scale);
  if (left < el.scrollLeft) el.scrollLeft = left - 20;
  else if (right > el.scrollLeft + el.clientWidth) el.scrollLeft = right + 20 - el.clientWidth;
  if (top < el.scrollTop) el.scrollTop = top - 20;
  else if (bottom > el.scrollTop + el.clientHeight) el.scrollTop = bottom + 20 - el.clientHeight;
}
