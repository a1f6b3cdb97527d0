// How one cell of the block map is drawn on a canvas: the block's state by colour and by shape, and its marks.
// Next to another colour every mark has a dark line on both sides, so that it can be told apart in any theme.

import { COPYING, FREE, ON_HOST, PRIVATE, SHARED, USED } from "./facts.js";
import { INK, MARKS, STANDINGS } from "./palette.js";

export const NUMBER_FROM = 20; // pixels of a side that has room for a number
const BADGE_FROM = 25; // and for a number below a badge
export const SMALLEST_TEXT = 11;
const GHOST_ABOVE = 20; // a number stands below a ghost as it is; in a smaller cell it moves down
const DIGIT = 6.7; // the width of one digit at that size

/** Draw one block: `{standing, text, readers, look, marks, faint}`; `look` is set where a mode colours the block. */
export function drawBlock(pen, block, x, y) {
  const { side } = pen;
  const size = side - (side > 9 ? 3 : 1);
  if (block.faint) return drawFaint(pen, block, x, y, size);
  if (block.look) fillPlain(pen, block.look.color, x, y, size);
  else if (block.standing === PRIVATE) outlinePrivate(pen, block.marks, x, y, size);
  else fillStanding(pen, block.standing, x, y, size);
  for (const mark of block.marks) drawMark(pen, mark, x, y, size);
  if (!block.look) drawCorner(pen, block, x, y, size);
  if (hasRoom(block, side, size)) drawNumber(pen, block, x, y, size);
}

/** A block that steps back: no colour, a thin edge, its number and marks pale. */
function drawFaint(pen, block, x, y, size) {
  const { c, side, paper, edge } = pen;
  c.fillStyle = paper;
  c.fillRect(x, y, size, size);
  c.globalAlpha = size < 8 ? 0.25 : 0.6;
  c.strokeStyle = edge;
  c.lineWidth = 1;
  c.strokeRect(x + 0.5, y + 0.5, size - 1, size - 1);
  if (hasRoom(block, side, size)) drawNumber(pen, { ...block, look: { color: null }, marks: [] }, x, y, size);
  c.globalAlpha = 0.3;
  for (const mark of block.marks) drawMark(pen, mark, x, y, size);
  c.globalAlpha = 1;
}

function hasRoom({ text, standing, look }, side, size) {
  const hasBadge = !look && (standing === SHARED || standing === COPYING);
  return side >= (hasBadge ? BADGE_FROM : NUMBER_FROM) && text.length * DIGIT <= size + 1;
}

function fillPlain({ c, free, edge }, color, x, y, size) {
  c.fillStyle = color ?? free;
  c.fillRect(x, y, size, size);
  edgeOf(c, color === null ? edge : STANDINGS[1].edge, x, y, size);
}

function edgeOf(c, color, x, y, size) {
  if (size < 8) return; // too small: neighbours would touch edge to edge
  c.strokeStyle = color;
  c.lineWidth = 1;
  c.strokeRect(x + 0.5, y + 0.5, size - 1, size - 1);
}

/** Of a private block only the outline is coloured; inside of a mark's outline, where there is one, so that it is seen. */
function outlinePrivate({ c }, marks, x, y, size) {
  const inset = marks.some((mark) => mark !== "evicted") && size > 10 ? 3.25 : 1.25;
  c.strokeStyle = STANDINGS[PRIVATE].color;
  c.lineWidth = size > 10 ? 2.5 : 1.5;
  c.strokeRect(x + inset, y + inset, size - 2 * inset, size - 2 * inset);
}

function fillStanding(pen, standing, x, y, size) {
  const { c } = pen;
  c.fillStyle = standing === FREE ? pen.free : STANDINGS[standing].color;
  c.fillRect(x, y, size, size);
  if (standing === ON_HOST) dots(c, x, y, size);
  else if (standing === FREE) edgeOf(c, pen.edge, x, y, size);
  else if (STANDINGS[standing].edge) edgeOf(c, STANDINGS[standing].edge, x, y, size);
}

function dots(c, x, y, size) {
  c.save();
  c.setLineDash([1.5, 2.5]);
  c.strokeStyle = STANDINGS[ON_HOST].edge;
  c.lineWidth = size > 10 ? 1.6 : 1;
  c.strokeRect(x + 0.75, y + 0.75, size - 1.5, size - 1.5);
  c.restore();
}

/** A mark on a cell: the hatch of what was evicted, or an outline between two dark lines. */
export function drawMark({ c, ink }, mark, x, y, size) {
  const color = MARKS.find(({ key }) => key === mark).color ?? ink;
  if (mark === "evicted") return hatch(c, color, x, y, size);
  const wide = size > 10 ? 2.5 : 1.5;
  for (const [style, width] of [[INK, wide + 2], [color, wide]]) {
    c.strokeStyle = style;
    c.lineWidth = width;
    c.strokeRect(x - 0.25, y - 0.25, size + 0.5, size + 0.5);
  }
}

function hatch(c, color, x, y, size) {
  c.save();
  c.beginPath();
  c.rect(x, y, size, size);
  c.clip();
  c.strokeStyle = color;
  c.lineWidth = 2;
  for (let k = -size; k < size; k += 5) {
    c.moveTo(x + k, y + size);
    c.lineTo(x + k + size, y);
  }
  c.rect(x, y, size, size);
  c.stroke();
  c.restore();
}

function drawNumber(pen, { text, standing, look, marks, ghost }, x, y, size) {
  const { c, ink, paper, font } = pen;
  const evicted = marks.includes("evicted");
  const onPaper = look ? look.color === null : standing === FREE || standing === PRIVATE || evicted;
  const middle = x + size / 2;
  if (evicted) {
    c.fillStyle = paper;
    c.fillRect(middle - (text.length * DIGIT) / 2 - 1, y + size - 13, text.length * DIGIT + 2, 11);
  }
  c.fillStyle = onPaper ? ink : look?.dark ? "#ffffff" : INK;
  c.font = `${SMALLEST_TEXT}px ${font}`;
  c.textAlign = "center";
  c.textBaseline = "alphabetic";
  c.fillText(text, middle, y + size - (ghost && size < GHOST_ABOVE ? 1 : 4));
}

function drawCorner(pen, { standing, readers }, x, y, size) {
  const { c, font } = pen;
  c.fillStyle = INK;
  if (standing === USED) {
    const leg = size < 16 ? 4 : 6;
    c.beginPath();
    c.moveTo(x + size - leg, y);
    c.lineTo(x + size, y);
    c.lineTo(x + size, y + leg);
    c.fill();
  }
  const sign = standing === SHARED ? `${readers}` : standing === COPYING ? "→" : "";
  if (!sign || sign.length * DIGIT > size) return;
  c.font = `bold ${SMALLEST_TEXT}px ${font}`;
  c.textAlign = "center";
  c.textBaseline = "alphabetic";
  if (size < NUMBER_FROM - 3) return c.fillText(sign, x + size / 2, y + size / 2 + 4);
  const width = 4 + DIGIT * sign.length;
  c.fillRect(x + size - width, y, width, 11);
  c.fillStyle = "#ffffff";
  c.fillText(sign, x + size - width / 2, y + 9.5);
}
