// The map of all physical blocks: a canvas, and what can be asked of it. Where a pool is large, a cell stands for several.

import { boxWidth, canvasContext, h, lookNumber, penStyle } from "./dom.js";
import { hostFactsOf } from "./facts.js";
import { blocksOf, cellAt, cellOf, gridOf, MOST_CELLS, walkGrid } from "./grid.js";
import { MapBase } from "./mapbase.js";
import { drawBlocks, drawCursor, drawStacks } from "./mapdraw.js";
import { readMap } from "./modes.js";

/**
 * The panel of blocks: `{el, paint(frame), light(link), ...}`; `kind` is the kind of focus it gives, `mostCells` says
 * from which pool on a cell stands for several blocks.
 */
export function blockMapPanel(kind = "block", mostCells = MOST_CELLS) {
  const canvas = h("canvas", { className: "rx-map", aria: { hidden: "true" } });
  const el = h("div", { className: "rx-map-box", tabIndex: 0, aria: { role: "slider", valuenow: 0, valuemin: 0 } }, canvas);
  el.setAttribute("aria-label", kind === "block" ? "Block map" : "Map of the host's blocks");
  const panel = { canvas, kind, mostCells, frame: null, link: null, grid: null, mode: "standing", reading: null, cursor: null, base: new MapBase() };
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
  const grid = gridOf(frame.state.num_blocks, width, panel.mostCells);
  panel.grid = grid;
  const size = [grid.columns * grid.side, grid.rows * grid.side];
  canvas.style.width = `${size[0]}px`;
  const c = canvasContext(canvas, ...size);
  const pen = { c, side: grid.side, ...lookOf(canvas) };
  const look = [lookNumber(), globalThis.devicePixelRatio, panel.reading.mode, [...frame.dimmed], frame.ghost?.name, grid.perCell, ...size].join();
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
