// Which nodes of the radix tree are drawn, how large they are, and what stands in their cards.

import { cardSize, fillCard, pillSize } from "./card.js";
import { visibleTree } from "./collapse.js";
import { setText } from "./dom.js";
import { shownText } from "./shown.js";
import { clip, orderedChildren } from "./summary.js";
import { PLAIN_BELOW } from "./zoom.js";

const MOST_FORCED = 40; // of a burst that touches more nodes, the rest stay closed

/** What is drawn of the tree, and how large each card is. Roots and "more" cards have ids that are text. */
export function partOf(panel, frame) {
  const { nodes } = frame.state;
  const { changes } = frame;
  const ghosts = Array.from({ length: Math.min(frame.state.ghosts ?? 0, MOST_FORCED) }, (_, k) => -1 - k);
  const touched = [changes.node, ...panel.sought, panel.cursor, ...changes.hit.nodes, ...changes.new.nodes, ...ghosts];
  const must = touched.filter((id) => nodes.has(id)).slice(0, MOST_FORCED);
  const part = visibleTree(withRoots(nodes), (id) => nodes.get(id)?.parent_id ?? null, panel.folds, must);
  const sizes = new Map();
  for (const id of part.children.keys()) {
    if (typeof id === "number") sizes.set(id, cardSize(nodes.get(id), frame, part.hidden.get(id)));
    else if (id !== null) sizes.set(id, pillSize(pillText(id, part.more)));
  }
  return { ...part, sizes };
}

/** One root per namespace stands left of the first level. */
function withRoots(nodes) {
  const children = orderedChildren(nodes);
  const roots = new Map();
  for (const id of children.get(null)) {
    const name = (nodes.get(id).namespace ?? ["root"]).join(" ");
    if (!roots.has(name)) roots.set(name, []);
    roots.get(name).push(id);
  }
  if (!roots.size) roots.set("root", []);
  children.set(null, [...roots.keys()].map((name) => `root:${name}`));
  for (const [name, ids] of roots) children.set(`root:${name}`, ids);
  return children;
}

function pillText(id, more) {
  return more.has(id) ? `${more.get(id).count.toLocaleString("en")} more …` : clip(shownText(id.slice(5)), 11, 6);
}

/** Fill the card of a node, a root or a "more" card. */
export function fillAny(panel, card, id) {
  const { frame, children, layout, hidden, more, scale } = panel.last;
  if (typeof id === "string") {
    setText(card, pillText(id, more));
    card.title = more.has(id) ? "" : shownText(id.slice(5));
    if (more.has(id)) card.dataset.more = id;
    return;
  }
  const hasKids = hidden.has(id) || children.get(id).length > 0;
  const fold = { level: layout.boxes.get(id).depth, hidden: hidden.get(id), isOpen: !hidden.has(id), hasKids };
  fillCard(card, frame.state.nodes.get(id), frame, fold, scale < PLAIN_BELOW);
  card.id = `${panel.prefix}${id}`;
  card.classList.toggle("rx-cursor", panel.cursor === id);
}

/** At a new question the cards are made again: their order on the page may come from a later state, and tell the answer. */
export function forgetForQuestion(panel, { quiz }) {
  const asked = quiz?.question?.position ?? null;
  if (asked !== null && asked !== panel.asked) forgetCards(panel);
  panel.asked = asked;
}

function forgetCards(panel) {
  for (const card of panel.cards.values()) card.remove();
  panel.cards.clear();
}
