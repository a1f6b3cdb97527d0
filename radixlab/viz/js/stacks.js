// What else is drawn on a block map: a cell that stands for several blocks, its marks, and the arrow of a copy.

import { drawMark } from "./cells.js";
import { PRIVATE } from "./facts.js";
import { STANDINGS } from "./palette.js";

/** One cell for several blocks: a stack of bars, as high as their shares. */
export function drawStack(pen, { shares, offset, total, looks, order, dimmed, faint }, x, y) {
  const { c, side } = pen;
  let top = y;
  for (const kind of order) {
    const height = (shares[offset + kind] / total) * (side - 1);
    if (!height) continue;
    const { name, color } = looks[kind];
    c.globalAlpha = (faint ? 0.25 : 1) * (dimmed.has(name) ? 0.25 : 1) * (kind === PRIVATE && looks === STANDINGS ? 0.6 : 1);
    c.fillStyle = color ?? pen.free;
    c.fillRect(x, top, side - 1, height);
    top += height;
  }
  c.globalAlpha = 1;
}

/** A mark on such a cell: one of its blocks, or more, carries it. */
export function drawStackMark(pen, mark, faint, x, y) {
  pen.c.globalAlpha = faint ? 0.25 : 1;
  drawMark(pen, mark, x, y, pen.side - 1);
  pen.c.globalAlpha = 1;
}

/** From under the source, through the gaps between cells, into the left side of the destination; straight to a neighbour. */
export function drawArrow({ c, side, ink, paper }, [x1, y1], [x2, y2]) {
  const gap = Math.max(x2 - 1.5, 1);
  const into = y2 + side / 2 - 1;
  const [middle, below] = [x1 + side / 2, y1 + side - 2];
  const around = [[middle, below - 2], [middle, below], [gap, below], [gap, into]];
  const neighbours = x2 - x1 === side && y1 === y2;
  c.beginPath();
  for (const [x, y] of neighbours ? [[gap - 7, into], [gap, into]] : around) c.lineTo(x, y);
  for (const [color, width] of [[paper, 5], [ink, 2]]) {
    c.strokeStyle = color;
    c.lineWidth = width;
    c.stroke();
  }
  c.fillStyle = ink;
  c.beginPath();
  c.moveTo(gap - 1, into - 4.5);
  c.lineTo(gap + 6, into);
  c.lineTo(gap - 1, into + 4.5);
  c.fill();
}
