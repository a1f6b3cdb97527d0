// Every physical block on a canvas, by standing and marks. Above some thousands, a cell stands for many blocks.

import { canvasContext, h } from "./dom.js";
import { CACHED, COPYING, FREE, hostFactsOf, ON_HOST, PRIVATE, SHARED, USED } from "./facts.js";
import { INK, marksOf, MARKS, STANDINGS } from "./palette.js";

const SIDES = [28, 27, 26, 25, 24, 20, 16, 13, 11, 9, 7];
const MOST_HEIGHT = 250;
const MOST_CELLS = 4096;

/**
 * Choose the cells of a map: {side, columns, rows, cells, perCell}; cells as large as the height allows,
 * or a little smaller where that saves a row.
 */
export function gridOf(numBlocks, width) {
  const perCell = Math.ceil(numBlocks / MOST_CELLS);
  const cells = Math.ceil(numBlocks / perCell);
  const fit = (side) => {
    const columns = Math.max(1, Math.min(cells, Math.floor(width / side)));
    return { side, columns, rows: Math.ceil(cells / columns), cells, perCell };
  };
  const grids = SIDES.map(fit);
  const largest = grids.find((grid) => grid.rows * grid.side <= MOST_HEIGHT) ?? grids.at(-1);
  const alike = grids.filter(({ side }) => side <= largest.side && side > 0.85 * largest.side);
  return alike.reduce((best, grid) => (grid.rows < best.rows ? grid : best));
}

/** The panel of blocks: `{el, paint(frame), light(link), blocksAt(event)}`. */
export function blockMapPanel() {
  const canvas = h("canvas", { className: "rx-map" });
  const panel = { canvas, frame: null, link: null, grid: null };
  const draw = () => panel.frame && drawMap(panel);
  return {
    el: canvas,
    paint(frame) {
      panel.frame = frame;
      draw();
    },
    light(link) {
      panel.link = link;
      draw();
    },
    blocksAt: (event) => blocksAt(panel, event),
  };
}

/** The host's part of a frame and of a link, in the form of the device's: the same map draws both. */
export function hostPart(frame) {
  const { state, facts, changes } = frame;
  const part = (marks) => ({ ...marks, blocks: marks.hostBlocks });
  const host = { hit: part(changes.hit), new: part(changes.new), evicted: part(changes.evicted), copies: [] };
  const touched = new Set([...host.hit.blocks, ...host.new.blocks, ...host.evicted.blocks]);
  const pool = { num_blocks: state.num_host_blocks, transfers: [] };
  return { ...frame, state: pool, facts: hostFactsOf(facts), changes: host, touched };
}

/** The blocks under the mouse, `[first, last]`; null outside. */
function blocksAt({ canvas, grid, frame }, event) {
  if (!grid) return null;
  const bounds = canvas.getBoundingClientRect();
  const column = Math.floor((event.clientX - bounds.left) / grid.side);
  const row = Math.floor((event.clientY - bounds.top) / grid.side);
  const cell = row * grid.columns + column;
  if (column < 0 || column >= grid.columns || row < 0 || cell >= grid.cells) return null;
  return [cell * grid.perCell, Math.min((cell + 1) * grid.perCell, frame.state.num_blocks) - 1];
}

function drawMap(panel) {
  const { canvas, frame, link } = panel;
  const width = canvas.parentElement.clientWidth;
  if (!width) return; // not on the page, or hidden
  const grid = gridOf(frame.state.num_blocks, width);
  panel.grid = grid;
  canvas.style.width = `${grid.columns * grid.side}px`;
  const c = canvasContext(canvas, grid.columns * grid.side, grid.rows * grid.side);
  const pen = { c, side: grid.side, frame, link, ...lookOf(canvas) };
  for (let cell = 0; cell < grid.cells; cell += 1) {
    const x = (cell % grid.columns) * grid.side;
    const y = Math.floor(cell / grid.columns) * grid.side;
    if (grid.perCell === 1) drawBlock(pen, cell, x, y);
    else drawMany(pen, cell * grid.perCell, grid.perCell, x, y);
  }
  if (grid.perCell > 1 || frame.dimmed.has("copying")) return;
  for (const [dst, src] of copiesOf(frame)) drawArrow(pen, grid, src, dst);
}

/** The style sheet's colours, which follow the theme; a variable is resolved only as some property's value. */
function lookOf(canvas) {
  const { color, backgroundColor, caretColor, fontFamily } = getComputedStyle(canvas);
  return { ink: color, paper: backgroundColor, free: caretColor, font: fontFamily || "monospace" };
}

/** The copies to draw, source by destination: those under way, and what the last events did. */
function copiesOf({ state, changes }) {
  const copies = state.transfers.filter(([, , kind]) => kind === "copy");
  return new Map([...copies, ...changes.copies].map(([src, dst]) => [dst, src]));
}

function drawBlock(pen, block, x, y) {
  const { c, frame, link, side } = pen;
  const standing = frame.facts.standing[block];
  const size = side - (side > 9 ? 3 : 1);
  const faint = (link && !link.blocks.has(block)) || frame.dimmed.has(STANDINGS[standing].name);
  c.globalAlpha = faint ? 0.25 : 1;
  fillBlock(pen, standing, x, y, size);
  const marks = frame.touched.has(block) ? marksOf(block, frame.changes) : [];
  for (const mark of marks) drawMark(pen, mark, x, y, size);
  if (side >= 20) drawNumber(pen, block, standing, marks, x, y, size);
  if (side >= 13) drawCorner(pen, block, standing, x, y, size);
  c.globalAlpha = 1;
}

function fillBlock({ c, free }, standing, x, y, size) {
  if (standing === FREE) {
    c.fillStyle = free;
    c.fillRect(x, y, size, size);
  } else if (standing === PRIVATE) {
    c.strokeStyle = STANDINGS[PRIVATE].color;
    c.lineWidth = size > 10 ? 2.5 : 1.5;
    c.strokeRect(x + 1.25, y + 1.25, size - 2.5, size - 2.5);
  } else {
    c.fillStyle = STANDINGS[standing].color;
    c.fillRect(x, y, size, size);
  }
  if (standing === ON_HOST) dots(c, x, y, size);
}

function dots(c, x, y, size) {
  c.save();
  c.setLineDash([1.5, 2.5]);
  c.strokeStyle = STANDINGS[ON_HOST].edge;
  c.lineWidth = size > 10 ? 1.6 : 1;
  c.strokeRect(x + 0.75, y + 0.75, size - 1.5, size - 1.5);
  c.restore();
}

function drawMark({ c, ink }, mark, x, y, size) {
  const color = MARKS.find(({ key }) => key === mark).color ?? ink;
  if (mark === "evicted") return hatch(c, color, x, y, size);
  c.strokeStyle = color;
  c.lineWidth = size > 10 ? 2.5 : 1.5;
  c.strokeRect(x - 0.25, y - 0.25, size + 0.5, size + 0.5);
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

function drawNumber({ c, ink, font }, block, standing, marks, x, y, size) {
  const text = `${block}`;
  const onPaper = standing === FREE || standing === PRIVATE;
  const alpha = c.globalAlpha;
  if (standing === FREE && !marks.length) c.globalAlpha = alpha * 0.65;
  c.fillStyle = onPaper ? ink : INK;
  if (marks.includes("evicted")) c.clearRect(x + size / 2 - 8, y + size / 2 - 5, 16, 11);
  c.font = `${text.length * 6.2 > size - 3 ? 8 : 10}px ${font}`;
  c.textAlign = "center";
  c.textBaseline = "middle";
  if (text.length * 5 <= size) c.fillText(text, x + size / 2, y + size / 2 + 0.5);
  c.globalAlpha = alpha;
}

function drawCorner({ c, frame, font }, block, standing, x, y, size) {
  const small = size < 16;
  c.fillStyle = INK;
  if (standing === USED) {
    const leg = small ? 4 : 6;
    c.beginPath();
    c.moveTo(x + size - leg, y);
    c.lineTo(x + size, y);
    c.lineTo(x + size, y + leg);
    c.fill();
  }
  const sign = standing === SHARED ? `${frame.facts.readers[block]}` : standing === COPYING ? "→" : "";
  if (!sign) return;
  c.font = `bold 8px ${font}`;
  c.textAlign = "right";
  c.textBaseline = "top";
  if (small) c.fillText(sign, x + size - 1, y + 2);
  else badge(c, sign, x + size, y);
}

function badge(c, sign, right, top) {
  const width = 5 + 5 * sign.length;
  c.fillRect(right - width, top, width, 9);
  c.fillStyle = "#ffffff";
  c.fillText(sign, right - 2, top + 1);
}

/** One cell for many blocks: a stack of bars, as high as their shares. */
function drawMany(pen, first, count, x, y) {
  const { c, frame, link, side } = pen;
  const last = Math.min(first + count, frame.state.num_blocks);
  const shares = new Array(STANDINGS.length).fill(0);
  let lit = !link;
  for (let block = first; block < last; block += 1) {
    shares[frame.facts.standing[block]] += 1;
    lit ||= link.blocks.has(block);
  }
  let top = y;
  for (const standing of [COPYING, SHARED, USED, PRIVATE, CACHED, ON_HOST, FREE]) {
    const height = (shares[standing] / (last - first)) * (side - 1);
    c.globalAlpha = (lit ? 1 : 0.25) * (standing === PRIVATE ? 0.6 : 1);
    c.fillStyle = STANDINGS[standing].color ?? pen.free;
    c.fillRect(x, top, side - 1, height);
    top += height;
  }
  c.globalAlpha = 1;
}

/** From under the source, through the gaps between cells, into the left side of the destination; straight to a neighbour. */
function drawArrow({ c, side, ink, paper }, grid, src, dst) {
  const corner = (block) => [(block % grid.columns) * side, Math.floor(block / grid.columns) * side];
  const [x1, y1] = corner(src);
  const [x2, y2] = corner(dst);
  const gap = Math.max(x2 - 1.5, 1);
  const into = y2 + side / 2 - 1;
  const [middle, below] = [x1 + side / 2, y1 + side - 2];
  const around = [[middle, below - 2], [middle, below], [gap, below], [gap, into]];
  const neighbours = dst === src + 1 && y1 === y2;
  c.beginPath();
  for (const [x, y] of neighbours ? [[gap - 7, into], [gap, into]] : around) c.lineTo(x, y);
  for (const [color, width] of [[paper, 5], [ink, 2]]) stroke(c, color, width);
  c.fillStyle = ink;
  c.beginPath();
  c.moveTo(gap - 1, into - 4.5);
  c.lineTo(gap + 6, into);
  c.lineTo(gap - 1, into + 4.5);
  c.fill();
}

function stroke(c, color, width) {
  c.strokeStyle = color;
  c.lineWidth = width;
  c.stroke();
}
