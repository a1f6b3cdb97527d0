// A node of the tree as a card: its size, and what stands in it. A card is filled once for what it shows.

import { filled, h, svg } from "./dom.js";
import { CACHED } from "./facts.js";
import { cellKey, styleCell } from "./palette.js";
import { clip } from "./summary.js";

const CELL = { gap: 5, h: 27, least: 22, digit: 7, perRow: 10, most: 20 };
const LINE = { chars: 36, h: 16 };
const CARD = { padX: 12, padY: 4, head: 15, min: 96, gap: 3, fold: 20 };
const CHAR = 7.3; // width of a 12 px monospace character, rounded up
const SMALL_CHAR = 6.4;
const SIGN = 18; // the sign that closes what is below a node

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

const labels = new WeakMap(); // by the array of a node's tokens, which is never written to

/** The lines of a node's label, and the width of the longest. */
function labelOf(node, frame) {
  const text = frame.text(node.tokens);
  const known = labels.get(node.tokens);
  if (known?.text === text) return known;
  const lines = labelLines(text);
  const label = { text, lines, width: Math.max(...lines.map(widthOf)) };
  labels.set(node.tokens, label);
  return label;
}

/** Roughly how many columns a text takes: East Asian characters and emoji take two. */
function widthOf(line) {
  let width = 0;
  for (const char of line) width += char.codePointAt(0) >= 0x1100 ? 2 : 1;
  return width;
}

function cellWidth(node) {
  const digits = `${Math.max(0, ...node.block_ids.slice(0, CELL.most))}`.length;
  return Math.max(CELL.least, digits * CELL.digit + 6);
}

function headOf(node) {
  if (node.ghost) return node.ghost; // only the other of two runs has it
  const blocks = `${node.block_ids.length} block${node.block_ids.length === 1 ? "" : "s"}`;
  return `node ${node.id} · ${blocks}${node.resident === false ? " · on host" : ""}`;
}

/** The room a node's card takes; `hidden` is the number of nodes below it that are not drawn. */
export function cardSize(node, frame, hidden = 0) {
  const { lines, width } = labelOf(node, frame);
  const cells = Math.min(node.block_ids.length, CELL.most + 1);
  const score = (frame.scores?.get(node.id)?.length ?? -3) + 3;
  const head = (headOf(node).length + score) * SMALL_CHAR + (node.lock_ref ? 34 : 0) + SIGN;
  const row = Math.min(cells, CELL.perRow) * (cellWidth(node) + CELL.gap);
  const inner = CARD.head + lines.length * LINE.h + Math.ceil(cells / CELL.perRow) * CELL.h + CARD.gap;
  const height = inner + 2 * CARD.padY + (hidden ? CARD.fold : 0);
  return { w: Math.ceil(Math.max(head, width * CHAR, row, CARD.min)) + 2 * CARD.padX, h: height };
}

/** The room a root or a "more" card takes. */
export function pillSize(text) {
  return { w: 20 + widthOf(text) * SMALL_CHAR, h: 24 };
}

/** Fill a card, unless it shows all this already. */
export function fillCard(card, node, frame, fold, plain) {
  const onHost = node.resident === false;
  const { text } = labelOf(node, frame);
  const blocks = node.block_ids.map((block) => cellKey(block, frame, onHost));
  const marks = ["hit", "new"].map((key) => frame.changes[key].nodes.has(node.id));
  const parts = [text, node.ghost, frame.scores?.get(node.id), node.tick, node.num_hits, node.lock_ref, onHost, plain, marks, Object.values(fold), blocks];
  filled(card, parts.join("|"), () => refill(card, node, frame, fold, plain));
}

/** `fold` is `{hidden, level, isOpen, hasKids}`; `plain` leaves the blocks out, for a tree drawn small. */
function refill(card, node, frame, fold, plain) {
  const { lines, text } = labelOf(node, frame);
  const marks = ["hit", "new"].filter((key) => frame.changes[key].nodes.has(node.id)).map((key) => `rx-m-${key}`);
  const evictable = node.block_ids.every((block) => frame.facts.standing[block] === CACHED);
  const state = node.resident === false ? "rx-on-host" : evictable ? "" : "rx-busy";
  card.className = `rx-card ${node.ghost ? "rx-ghost" : state} ${marks.join(" ")}`;
  card.title = `${text}\nlast use: tick ${node.tick}, hits: ${node.num_hits}`;
  labelForReaders(card, node, text, fold);
  const head = h("div", { className: "rx-card-head" }, h("span", {}, headOf(node)));
  if (node.lock_ref) head.append(lockBadge(node.lock_ref));
  if (frame.scores?.has(node.id)) head.append(h("span", { className: "rx-score" }, frame.scores.get(node.id)));
  const parts = [head, h("div", { className: "rx-label" }, lines.join("\n"))];
  if (!plain) parts.push(cellRow(node, frame));
  if (fold.hasKids && fold.isOpen) head.append(foldSign(node, fold));
  else if (fold.hasKids) parts.push(foldSign(node, fold));
  card.replaceChildren(...parts);
}

function labelForReaders(card, node, text, { level, isOpen, hasKids }) {
  card.setAttribute("aria-label", `${headOf(node)}${node.lock_ref ? `, ${node.lock_ref} locks` : ""}: ${clip(text)}`);
  card.setAttribute("aria-level", level);
  if (hasKids) card.setAttribute("aria-expanded", String(isOpen));
  else card.removeAttribute("aria-expanded");
}

function foldSign(node, { hidden, isOpen }) {
  const title = isOpen ? "close: hide the nodes below" : "open: show the nodes below";
  const data = { fold: node.id };
  if (isOpen) return h("span", { className: "rx-fold rx-fold-open", title, data }, "−");
  return h("span", { className: "rx-fold", title, data }, `+ ${hidden.toLocaleString("en")} below`);
}

function lockBadge(count) {
  const icon = svg("svg", { viewBox: "0 0 12 12", class: "rx-lock", "aria-hidden": "true" });
  icon.append(svg("path", { d: "M3.5 5.5V4a2.5 2.5 0 0 1 5 0v1.5", fill: "none", "stroke-width": 1.6 }));
  icon.append(svg("rect", { x: 2, y: 5.2, width: 8, height: 5.8, rx: 1 }));
  return h("span", { className: "rx-badge", title: `${count} receipts at or below this node` }, icon, `${count}`);
}

function cellRow(node, frame) {
  const row = h("div", { className: "rx-cells" });
  const width = `${cellWidth(node)}px`;
  for (const block of node.block_ids.slice(0, CELL.most)) {
    const onHost = node.resident === false;
    const cell = h("span", { data: onHost ? { hostBlock: block } : { block } }, `${block}`);
    styleCell(cell, block, frame, onHost);
    cell.style.width = width;
    row.append(cell);
  }
  const left = node.block_ids.length - CELL.most;
  if (left > 0) row.append(h("span", { className: "rx-more" }, `+${left}`));
  return row;
}
