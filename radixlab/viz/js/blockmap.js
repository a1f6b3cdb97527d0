// The map of all physical blocks: a canvas, and what can be asked of it. Where a pool is large, a cell stands for several.

import { drawArrow, drawBlock, drawStack, drawStackMark, NUMBER_FROM } from "./cells.js";
import { boxWidth, canvasContext, h, lookNumber, penStyle } from "./dom.js";
import { hostFactsOf } from "./facts.js";
import { blocksOf, cellAt, cellOf, cellsOf, cornerOf, gridOf, sharesOf, walkGrid } from "./grid.js";
import { MapBase, shareKey } from "./mapbase.js";
import { readMap, stackOrder } from "./modes.js";
import { MARKS, marksOf } from "./palette.js";

/** The panel of blocks: `{el, paint(frame), light(link), ...}`; `kind` is the kind of focus it gives. */
export function blockMapPanel(kind = "block") {
  const canvas = h("canvas", { className: "rx-map", aria: { hidden: "true" } });
  const el = h("div", { className: "rx-map-box", tabIndex: 0, aria: { role: "slider", valuenow: 0, valuemin: 0 } }, canvas);
  el.setAttribute("aria-label", kind === "block" ? "Block map" : "Map of the host's blocks");
  const panel = { canvas, kind, frame: null, link: null, grid: null, mode: "standing", reading: null, cursor: null, base: new MapBase() };
  const draw = soon(() => panel.frame && drawMap(panel));
  return {
    el,
    focusEl: el,
    paint(frame) {
      panel.frame = frame;
      el.setAttribute("aria-valuemax", frame.state.num_blocks - 1);
      panel.reading = readMap(panel.mode, frame);
      draw();
    },
    light(link) {
      if (panel.link === link) return;
      panel.link = link;
      draw();
    },
    show(mode) {
      panel.mode = mode;
      if (panel.frame) this.paint(panel.frame);
    },
    get reading() {
      return panel.reading;
    },
    focusAt: (event) => focusAt(panel, event),
    walk: (key, focus) => walkMap(panel, key, focus),
    setCursor(focus) {
      panel.cursor = focus;
      draw();
    },
  };
}

/** Call back once, after all that is done now: a frame and its link are one drawing. */
function soon(callback) {
  let due = false;
  return () => {
    if (!due) queueMicrotask(() => (due = false) || callback());
    due = true;
  };
}

/** The host's part of a frame and of a link, in the form of the device's: the same map draws both. */
export function hostPart(frame) {
  const { state, facts, changes } = frame;
  const part = (marks) => ({ ...marks, blocks: marks.hostBlocks });
  const host = { hit: part(changes.hit), new: part(changes.new), evicted: part(changes.evicted), copies: [] };
  const touched = new Set([...host.hit.blocks, ...host.new.blocks, ...host.evicted.blocks]);
  const pool = { num_blocks: state.num_host_blocks, transfers: [], nodes: state.nodes, tick: state.tick };
  return { ...frame, state: pool, facts: hostFactsOf(facts), changes: host, touched };
}

/** The focus for a cell: one block, or the range of blocks that the cell stands for. */
function focusOfCell({ grid, kind }, cell) {
  const [first, last] = blocksOf(grid, cell);
  return grid.perCell === 1 ? { kind, id: first } : { kind: "range", id: first, last, pool: kind };
}

function focusAt(panel, event) {
  if (!panel.grid) return null;
  const bounds = panel.canvas.getBoundingClientRect();
  const cell = cellAt(panel.grid, event.clientX - bounds.left, event.clientY - bounds.top);
  return cell === null ? null : focusOfCell(panel, cell);
}

/** Where a key leads from a focus; without a focus, to the first cell. */
function walkMap(panel, key, focus) {
  if (!panel.grid) return panel.frame && { kind: panel.kind, id: 0 };
  if (!focus || focus.id >= panel.grid.numBlocks) return focusOfCell(panel, 0);
  if (key === "Here") return focus;
  const cell = walkGrid(panel.grid, cellOf(panel.grid, focus.id), key);
  return cell === null ? null : focusOfCell(panel, cell);
}

function drawMap(panel) {
  const { canvas, frame } = panel;
  const width = boxWidth(canvas);
  if (!width) return; // not on the page, or hidden
  const grid = gridOf(frame.state.num_blocks, width);
  panel.grid = grid;
  const size = [grid.columns * grid.side, grid.rows * grid.side];
  canvas.style.width = `${size[0]}px`;
  const c = canvasContext(canvas, ...size);
  const pen = { c, side: grid.side, ...lookOf(canvas) };
  const look = [lookNumber(), globalThis.devicePixelRatio, panel.reading.mode, [...frame.dimmed], grid.perCell, ...size].join();
  const base = { ...pen, c: panel.base.begin(look, ...size) };
  if (grid.perCell === 1) drawBlocks(pen, base, panel);
  else drawStacks(pen, base, panel);
  if (panel.cursor) drawCursor(pen, grid, panel.cursor);
}

/** The style sheet's colours, which follow the theme; a variable is resolved only as some property's value. */
function lookOf(canvas) {
  const { color, backgroundColor, caretColor, textDecorationColor, accentColor, fontFamily } = penStyle(canvas);
  const look = { ink: color, paper: backgroundColor, free: caretColor, edge: textDecorationColor, accent: accentColor };
  return { ...look, font: fontFamily || "monospace" };
}

/** Draw the base under everything else. */
function layBase({ c }, { canvas }, { columns, rows, side }) {
  c.drawImage(canvas, 0, 0, columns * side, rows * side);
}

function drawBlocks(pen, base, panel) {
  const { frame, grid } = panel;
  const { facts, dimmed, touched, changes } = frame;
  const { kinds, looks, mode, text } = panel.reading;
  const isFaint = (id) => (panel.link && !panel.link.blocks.has(id)) || dimmed.has(looks[kinds[id]].name);
  const blockOf = (id, marks) => ({
    standing: facts.standing[id],
    readers: facts.readers[id],
    text: text(id),
    look: mode === "standing" ? null : looks[kinds[id]],
    marks,
    faint: isFaint(id),
  });
  const hasText = mode !== "standing" && grid.side >= NUMBER_FROM;
  for (let id = 0; id < grid.cells; id += 1) {
    const number = ((facts.readers[id] * 16 + kinds[id]) * 8 + facts.standing[id]) * 2 + Number(isFaint(id));
    const key = hasText ? `${number} ${text(id)}` : number;
    panel.base.cell(id, key, cornerOf(grid, id), grid.side, (x, y) => drawBlock(base, blockOf(id, []), x, y));
  }
  layBase(pen, panel.base, grid);
  const marked = [...touched].filter((id) => id < grid.cells);
  for (const id of marked) pen.c.clearRect(...cornerOf(grid, id), grid.side - 1, grid.side - 1);
  for (const id of marked) drawBlock(pen, blockOf(id, marksOf(id, changes)), ...cornerOf(grid, id));
  if (dimmed.has("copying")) return;
  for (const [dst, src] of copiesOf(frame)) drawArrow(pen, cornerOf(grid, src), cornerOf(grid, dst));
}

/** The copies to draw, source by destination: those under way, and what the last events did. */
function copiesOf({ state, changes }) {
  const copies = state.transfers.filter(([, , kind]) => kind === "copy");
  return new Map([...copies, ...changes.copies].map(([src, dst]) => [dst, src]));
}

function drawStacks(pen, base, panel) {
  const { frame, grid, link, reading } = panel;
  const { looks, kinds } = reading;
  const shares = sharesOf(kinds, looks.length, grid);
  const lit = cellsOf(grid, link?.blocks);
  const isFaint = (cell) => Boolean(lit && !lit.has(cell));
  const common = { shares, looks, order: stackOrder(reading), dimmed: frame.dimmed };
  for (let cell = 0; cell < grid.cells; cell += 1) {
    const [first, last] = blocksOf(grid, cell);
    const stack = { ...common, offset: cell * looks.length, total: last - first + 1, faint: isFaint(cell) };
    const key = `${isFaint(cell)} ${shareKey(shares, stack.offset, looks.length, stack.total)}`;
    panel.base.cell(cell, key, cornerOf(grid, cell), grid.side, (x, y) => drawStack(base, stack, x, y));
  }
  layBase(pen, panel.base, grid);
  for (const { key } of MARKS) {
    for (const cell of cellsOf(grid, frame.changes[key].blocks)) drawStackMark(pen, key, isFaint(cell), ...cornerOf(grid, cell));
  }
}

function drawCursor({ c, side, accent, paper }, grid, focus) {
  const [x, y] = cornerOf(grid, cellOf(grid, focus.id));
  for (const [color, width] of [[paper, 5], [accent, 2.5]]) {
    c.strokeStyle = color;
    c.lineWidth = width;
    c.strokeRect(x - 0.5, y - 0.5, side - 1, side - 1);
  }
}
