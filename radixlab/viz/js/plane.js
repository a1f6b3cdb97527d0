// The plane of the tree: cards and lines in their places, in a window that scrolls. It does not know what a card says.
// Only cards near the visible part are in the page, so that thousands of nodes cost what a screenful costs.

import { h, prefersCalm, svg } from "./dom.js";
import { MARGIN } from "./layout.js";
import { scrollInto, TALLEST, windowOf } from "./viewport.js";

const NEARBY = 300; // cards this far outside the visible part are kept
const FADE_MS = 300;

/** Put cards where they can be seen; `fresh` also fills those that are there already. Returns whether any was filled. */
export function paintCards(panel, fresh) {
  const { layout, children, scale, size } = panel.last;
  paintFade(panel, size);
  const view = visibleRect(windowOf(panel), scale);
  const wanted = new Set();
  let filled = fresh;
  for (const [id, box] of layout.boxes) {
    if (!touches(box, view)) continue;
    wanted.add(id);
    const known = panel.cards.get(id);
    const card = known ?? addCard(panel, id, box);
    if (!known || fresh) panel.fill(card, id);
    filled ||= !known;
    placeCard(card, box);
  }
  for (const [id, card] of panel.cards) if (!wanted.has(id)) dropCard(panel, id, card, layout.boxes.has(id));
  paintEdges(panel, layout, children, view);
  panel.minimap.paint(panel.last, windowOf(panel));
  return filled;
}

/** Fade the edges beyond which there is more to see. */
function paintFade(panel, size) {
  const { left, top, w, h } = windowOf(panel);
  const { fade } = panel;
  const hidden = { left, top, right: size.w - w - left, bottom: size.h - h - top };
  for (const [side, px] of Object.entries(hidden)) {
    fade.style.setProperty(`--rx-${side}`, w && px > MARGIN ? "40px" : "0px");
  }
}

/** What can be seen, and some more, in the tree's own coordinates. */
function visibleRect({ left, top, w, h }, scale) {
  const near = NEARBY / scale;
  const size = { w: (w || 900) / scale + 2 * near, h: Math.max(h, TALLEST) / scale + 2 * near };
  return { x: left / scale - near, y: top / scale - near, ...size };
}

function touches(box, view) {
  return box.x < view.x + view.w && box.x + box.w > view.x && box.y < view.y + view.h && box.y + box.h > view.y;
}

function addCard(panel, id, box) {
  const isRoot = typeof id === "string";
  const card = h("div", { className: isRoot ? "rx-root" : "rx-card", data: isRoot ? {} : { node: id }, aria: isRoot ? {} : { role: "treeitem" } });
  panel.cards.set(id, card);
  panel.world.append(card);
  placeCard(card, box);
  return card;
}

function dropCard(panel, id, card, stillThere) {
  panel.cards.delete(id);
  if (stillThere || panel.world.matches(".rx-still") || prefersCalm()) return card.remove();
  card.classList.add("rx-gone");
  delete card.dataset.node;
  card.removeAttribute("role"); // a card that fades away no longer stands for a node
  card.setAttribute("aria-hidden", "true");
  setTimeout(() => card.remove(), FADE_MS);
}

function placeCard(card, { x, y, w, h: height }) {
  card.style.transform = `translate(${x}px, ${y}px)`;
  card.style.width = `${w}px`;
  card.style.height = `${height}px`;
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

/** Scroll a node into the visible part, where it is not there already, and paint its card. */
export function bringIntoSight(panel, id) {
  if (scrollInto(panel, id)) paintCards(panel, false); // the event of this scroll comes later, and the card is wanted now
}
