// How the other of two runs is drawn in a cell of the block map: as a small block with a dashed edge in the corner, or,
// where a cell has no room for that, in a part of its own beyond a gap. Every kind has its own shape.

import { NUMBER_FROM } from "./cells.js";
import { COPYING, FREE, ON_HOST, PRIVATE, SHARED, USED } from "./facts.js";
import { OTHER_TOKENS } from "./ghost.js";
import { INK, STANDINGS } from "./palette.js";

const GHOST_PART = 0.42; // of a small cell is the other run's

/** The ghost of a block, `{ghost, faint}`, over its cell. */
export function drawGhost(pen, { ghost, faint }, x, y) {
  const { c, side } = pen;
  const size = side - (side > 9 ? 3 : 1);
  c.globalAlpha = faint ? 0.3 : 1;
  if (side >= NUMBER_FROM) ghostCorner(pen, ghost, x, y, size);
  else ghostPart(pen, ghost, x, y, size);
  c.globalAlpha = 1;
}

/** The other run's blocks of a cell that stands for several: a stack of its own beyond a gap. */
export function drawStackGhost(pen, { shares, offset, total, looks, order, dimmed, faint }, x, y) {
  const { c, paper, free, side } = pen;
  const wide = Math.max(2, Math.round((side - 1) * GHOST_PART));
  const left = x + side - 1 - wide;
  c.fillStyle = paper;
  c.fillRect(left - 1, y, wide + 1, side - 1);
  const inset = side > 9 ? 2 : 1; // it is lower than the cell, so that one sees whose it is
  const tall = side - 1 - 2 * inset;
  let top = y + inset;
  for (const kind of order) {
    const height = (shares[offset + kind] / total) * tall;
    c.globalAlpha = (faint ? 0.25 : 1) * (dimmed.has(looks[kind].name) ? 0.25 : 1) * (kind === PRIVATE ? 0.6 : 1);
    c.fillStyle = looks[kind].color ?? free;
    c.fillRect(left, top, wide, height);
    top += height;
  }
  c.globalAlpha = 1;
}

function ghostCorner(pen, kind, x, y, size) {
  const { c, paper, ink } = pen;
  const box = size > 20 ? 11 : 7;
  c.fillStyle = paper;
  c.fillRect(x, y, box + 1, box + 1);
  ghostSign(pen, kind, x, y, box, box);
  c.save();
  c.setLineDash([2, 1]);
  c.strokeStyle = ink;
  c.lineWidth = 1;
  c.strokeRect(x + 0.5, y + 0.5, box - 1, box - 1);
  c.restore();
}

function ghostPart(pen, kind, x, y, size) {
  const { c, paper, edge } = pen;
  const wide = Math.max(2, Math.round(size * GHOST_PART));
  const left = x + size - wide;
  c.fillStyle = paper;
  c.fillRect(left - 1, y, wide + 1, size);
  const inset = size > 9 ? 2 : 1;
  ghostSign(pen, kind, left, y + inset, wide, size - 2 * inset);
  if (size < 8) return;
  c.strokeStyle = edge;
  c.lineWidth = 1;
  c.strokeRect(left + 0.5, y + inset + 0.5, wide - 1, size - 2 * inset - 1);
}

/** What the other run has in the block: its colour, and its shape. */
function ghostSign(pen, kind, x, y, w, h) {
  const { c, ink, free } = pen;
  if (kind === OTHER_TOKENS) return ghostUnequal(c, ink, x, y, w, h);
  const standing = kind - 1;
  c.fillStyle = standing === FREE ? free : STANDINGS[standing].color;
  if (standing !== PRIVATE) c.fillRect(x, y, w, h);
  c.fillStyle = INK;
  if (standing === PRIVATE) ghostFrame(c, STANDINGS[PRIVATE].color, x, y, w, h);
  if (standing === USED) ghostTriangle(c, [x + w - 5, y], [x + w, y], [x + w, y + 5]);
  if (standing === COPYING) ghostTriangle(c, [x + 2, y + h / 2 - 3], [x + w - 2, y + h / 2], [x + 2, y + h / 2 + 3]);
  if (standing === SHARED) for (const at of [0.3, 0.7]) c.fillRect(x + w * at - 1, y + h / 2 - 2, 2, 4);
  if (standing === ON_HOST) for (const at of [0.25, 0.5, 0.75]) c.fillRect(x + w * at - 0.5, y + h / 2 - 0.5, 1.5, 1.5);
}

function ghostFrame(c, color, x, y, w, h) {
  c.strokeStyle = color;
  c.lineWidth = Math.min(2.5, w / 3);
  const inset = c.lineWidth / 2 + (w > 8 ? 1 : 0);
  c.strokeRect(x + inset, y + inset, w - 2 * inset, h - 2 * inset);
}

function ghostTriangle(c, ...corners) {
  c.beginPath();
  for (const [x, y] of corners) c.lineTo(x, y);
  c.fill();
}

/** An inequality sign: the standing is the same, the tokens are others. */
function ghostUnequal(c, ink, x, y, w, h) {
  c.strokeStyle = ink;
  c.lineWidth = w > 8 ? 1.5 : 1;
  c.beginPath();
  for (const at of [0.36, 0.64]) {
    c.moveTo(x + w * 0.22, y + h * at);
    c.lineTo(x + w * 0.78, y + h * at);
  }
  c.moveTo(x + w * 0.68, y + h * 0.15);
  c.lineTo(x + w * 0.32, y + h * 0.85);
  c.stroke();
}
