// The map of all physical blocks: a canvas, and what can be asked of it. Where a pool is large, a cell stands for several.

import { drawArrow, drawBlock, drawStack } from "./cells.js";
import { boxWidth, canvasContext, h } from "./dom.js";
import { hostFactsOf } from "./facts.js";
import { blocksOf, cellAt, cellOf, cellsOf, cornerOf, gridOf, sharesOf, walkGrid } from "./grid.js";
import { readMap, stackOrder } from "./modes.js";
import { MARKS, marksOf } from "./palette.js";

/** The panel of blocks: `{el, paint(frame), light(link), ...}`; `kind` is the kind of focus it gives. */
export function blockMapPanel(kind = "block") {
  const canvas = h("canvas", { className: "rx-map", aria: { hidden: "true" } });
  const el = h("div", { className: "rx-map-box", tabIndex: 0, aria: { role: "slider", valuenow: 0, valuemin: 0 } }, canvas);
  el.setAttribute("aria-label", kind === "block" ? "Block map" : "Map of the host's blocks");
  const panel = { canvas, kind, frame: null, link: null, grid: null, mode: "standing", reading: null, cursor: null };
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
  canvas.style.width = `${grid.columns * grid.side}px`;
  const c = canvasContext(canvas, grid.columns * grid.side, grid.rows * grid.side);
  const pen = { c, side: grid.side, ...lookOf(canvas) };
  if (grid.perCell === 1) drawBlocks(pen, panel);
  else drawStacks(pen, panel);
  if (panel.cursor) drawCursor(pen, grid, panel.cursor);
}

/** The style sheet's colours, which follow the theme; a variable is resolved only as some property's value. */
function lookOf(canvas) {
  const { color, backgroundColor, caretColor, textDecorationColor, accentColor, fontFamily } = getComputedStyle(canvas);
  const look = { ink: color, paper: backgroundColor, free: caretColor, edge: textDecorationColor, accent: accentColor };
  return { ...look, font: fontFamily || "monospace" };
}

function drawBlocks(pen, { frame, grid, link, reading }) {
  const { facts, dimmed, touched, changes } = frame;
  for (let id = 0; id < grid.cells; id += 1) {
    const look = reading.looks[reading.kinds[id]];
    const block = {
      standing: facts.standing[id],
      readers: facts.readers[id],
      text: reading.text(id),
      look: reading.mode === "standing" ? null : look,
      marks: touched.has(id) ? marksOf(id, changes) : [],
      faint: (link && !link.blocks.has(id)) || dimmed.has(look.name),
    };
    drawBlock(pen, block, ...cornerOf(grid, id));
  }
  if (dimmed.has("copying")) return;
  for (const [dst, src] of copiesOf(frame)) drawArrow(pen, cornerOf(grid, src), cornerOf(grid, dst));
}

/** The copies to draw, source by destination: those under way, and what the last events did. */
function copiesOf({ state, changes }) {
  const copies = state.transfers.filter(([, , kind]) => kind === "copy");
  return new Map([...copies, ...changes.copies].map(([src, dst]) => [dst, src]));
}

function drawStacks(pen, { frame, grid, link, reading }) {
  const { looks, kinds } = reading;
  const shares = sharesOf(kinds, looks.length, grid);
  const lit = cellsOf(grid, link?.blocks);
  const marked = MARKS.map(({ key }) => [key, cellsOf(grid, frame.changes[key].blocks)]);
  const common = { shares, looks, order: stackOrder(reading), dimmed: frame.dimmed };
  for (const cell of inOrderOfMarks(grid, marked)) {
    const [first, last] = blocksOf(grid, cell);
    const marks = marked.filter(([, cells]) => cells.has(cell)).map(([key]) => key);
    const stack = { ...common, offset: cell * looks.length, total: last - first + 1, marks, faint: lit && !lit.has(cell) };
    drawStack(pen, stack, ...cornerOf(grid, cell));
  }
}

/** All cells, those with marks last: a neighbour must not paint over an outline. */
function* inOrderOfMarks(grid, marked) {
  const late = new Set(marked.flatMap(([, cells]) => [...cells]));
  for (let cell = 0; cell < grid.cells; cell += 1) if (!late.has(cell)) yield cell;
  yield* late;
}

function drawCursor({ c, side, accent, paper }, grid, focus) {
  const [x, y] = cornerOf(grid, cellOf(grid, focus.id));
  for (const [color, width] of [[paper, 5], [accent, 2.5]]) {
    c.strokeStyle = color;
    c.lineWidth = width;
    c.strokeRect(x - 0.5, y - 0.5, side - 1, side - 1);
  }
}
