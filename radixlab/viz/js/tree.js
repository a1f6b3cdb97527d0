// The radix tree as a panel: it is painted, zoomed, folded and walked through by keys. treecards.js says what is drawn,
// plane.js puts it in place.

import { newFolds, toggleFold, walkTree, widenFan } from "./collapse.js";
import { h, svg } from "./dom.js";
import { layoutTree } from "./layout.js";
import { minimap } from "./minimap.js";
import { bringIntoSight, paintCards } from "./plane.js";
import { fillAny, forgetForQuestion, partOf } from "./treecards.js";
import { centreOn, dragToPan, scrollInto, TALLEST, windowOf } from "./viewport.js";
import { nextLevel, scaleOf, zoomButtons } from "./zoom.js";

/** The panel of the tree: `{el, tools, paint(frame), seek(nodeId), ...}`. */
export function treePanel() {
  const edges = svg("svg", { class: "rx-edges", "aria-hidden": "true" });
  const world = h("div", { className: "rx-world" }, edges);
  const plane = h("div", { className: "rx-plane" }, world);
  const scroller = h("div", { className: "rx-tree", aria: { role: "tree", label: "Radix tree" } }, plane);
  const fade = h("div", { className: "rx-fade" });
  const panel = { scroller, plane, world, edges, fade, cards: new Map(), last: null, tallest: 0 };
  Object.assign(panel, { folds: newFolds(), zoom: null, sought: [], cursor: null, onCards: () => {} });
  panel.prefix = `rx-node-${Math.random().toString(36).slice(2)}-`;
  panel.fill = (card, id) => fillAny(panel, card, id);
  panel.minimap = minimap((x, y) => centreOn(panel, x, y));
  scroller.addEventListener("scroll", () => {
    if (panel.window?.left === scroller.scrollLeft && panel.window.top === scroller.scrollTop) return; // painted already
    panel.window = null;
    if (panel.last && paintCards(panel, false)) panel.onCards();
  });
  new ResizeObserver(() => (panel.window = null)).observe(scroller);
  scroller.addEventListener("click", (event) => pressSign(panel, event));
  scroller.addEventListener("wheel", (event) => event.ctrlKey && zoomByWheel(panel, event), { passive: false });
  dragToPan(scroller);
  return {
    el: h("div", { className: "rx-tree-box" }, scroller, fade, panel.minimap.el),
    focusEl: scroller,
    tools: zoomButtons((direction) => zoomTo(panel, direction)),
    paint: (frame) => paintTree(panel, frame),
    walk: (key, focus) => walkCards(panel, key, focus),
    setCursor: (focus) => setTreeCursor(panel, focus),
    /** Keep this node and those above it open, and bring it into sight. */
    seek(id) {
      panel.sought = [id];
      repaint(panel);
      bringIntoSight(panel, id);
      panel.onCards(); // its card is new, and is lit if it is pinned
    },
    set onCards(callback) {
      panel.onCards = callback;
    },
  };
}

function paintTree(panel, frame) {
  forgetForQuestion(panel, frame);
  const { plane, world, scroller } = panel;
  const { children, sizes, hidden, more } = partOf(panel, frame);
  const layout = layoutTree(children, sizes);
  const room = windowOf(panel).outer - 2; // with a scroll bar: had it a say, the scale could swing for ever
  const scale = scaleOf(panel.zoom, layout.width, room);
  const size = { w: layout.width * scale, h: layout.height * scale };
  world.style.transform = scale === 1 ? "" : `scale(${scale})`;
  plane.style.width = `${size.w}px`;
  plane.style.height = `${size.h}px`;
  const height = leastHeight(panel, frame, size.h);
  if (height !== panel.height) panel.window = null;
  panel.height = height;
  scroller.style.minHeight = `${height + 2}px`;
  panel.last = { frame, layout, children, hidden, more, scale, size };
  world.classList.toggle("rx-still", Boolean(frame.jumped && !frame.folded)); // nothing moves or fades all across a log
  if (frame.sought && frame.changes.node !== null) scrollInto(panel, frame.changes.node);
  paintCards(panel, true);
}

/** The same frame again, after another zoom or fold. */
function repaint(panel) {
  if (!panel.last) return;
  paintTree(panel, { ...panel.last.frame, jumped: true, sought: false, folded: true });
  panel.onCards();
}

/** The height grows with the tree and stays, so that nothing below jumps while stepping; a jump sets it again. */
function leastHeight(panel, frame, height) {
  const before = frame.jumped || !frame.state.nodes.size ? 0 : panel.tallest;
  panel.tallest = Math.max(before, Math.min(height, TALLEST));
  return panel.tallest;
}

/** Open, close or widen what is below the sign that was pressed; the click is no pin. */
function pressSign(panel, event) {
  const sign = event.target.closest("[data-fold], [data-more]");
  if (!sign) return;
  event.stopPropagation();
  const { folds, last } = panel;
  const id = Number(sign.dataset.fold);
  if (sign.dataset.more) widenFan(folds, last.more.get(sign.dataset.more)?.parent);
  else toggleFold(folds, id, last.hidden.has(id));
  repaint(panel);
  bringIntoSight(panel, id); // it moves, with all the others
  panel.onCards();
}

/** Zoom in (1), out (-1), or to the size that fits (0); the middle of the window stays where it is. */
function zoomTo(panel, direction) {
  if (!panel.last) return;
  const { scroller, last } = panel;
  const middle = [scroller.scrollLeft + scroller.clientWidth / 2, scroller.scrollTop + scroller.clientHeight / 2];
  const [x, y] = middle.map((px) => px / last.scale);
  panel.zoom = direction ? nextLevel(last.scale, direction) : null;
  repaint(panel);
  centreOn(panel, x, y);
}

function zoomByWheel(panel, event) {
  event.preventDefault();
  zoomTo(panel, event.deltaY < 0 ? 1 : -1);
}

/** Where a key leads from a node. Right opens a closed node first; left closes an open one that has no parent. */
function walkCards(panel, key, focus) {
  const { last, folds } = panel;
  if (!last) return null;
  if (key === "ArrowRight" && last.hidden.has(focus?.id)) {
    toggleFold(folds, focus.id, true);
    repaint(panel);
    return focus;
  }
  const id = walkTree(last.children, last.layout.boxes, focus?.id, key);
  return id === null ? null : { kind: "node", id };
}

/** Mark the card that the keyboard is on; null for none. */
function setTreeCursor(panel, focus) {
  panel.cursor = focus?.id ?? null;
  for (const card of panel.cards.values()) card.classList.remove("rx-cursor");
  panel.scroller.removeAttribute("aria-activedescendant");
  if (!focus || !panel.last?.layout.boxes.has(focus.id)) return;
  bringIntoSight(panel, focus.id);
  panel.cards.get(focus.id)?.classList.add("rx-cursor");
  panel.scroller.setAttribute("aria-activedescendant", `${panel.prefix}${focus.id}`);
}
