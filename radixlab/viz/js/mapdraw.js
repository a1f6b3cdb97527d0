// How a block map is drawn: the base, which is kept, then the marks of this frame, the copies, and the cursor.
// Where the frame has a ghost, the other of two runs, a cell shows what that run has in the block, if it is something else.

import { drawBlock, NUMBER_FROM } from "./cells.js";
import { drawGhost, drawStackGhost } from "./ghostcells.js";
import { ghostName, ghostShares } from "./ghost.js";
import { blocksOf, cellOf, cellsOf, cornerOf, sharesOf } from "./grid.js";
import { shareKey } from "./mapbase.js";
import { stackOrder } from "./modes.js";
import { MARKS, marksOf } from "./palette.js";
import { drawArrow, drawStack, drawStackMark } from "./stacks.js";

/** Draw the base under everything else. */
function layBase({ c }, { canvas }, { columns, rows, side }) {
  c.drawImage(canvas, 0, 0, columns * side, rows * side);
}

/** One cell a block. */
export function drawBlocks(pen, base, panel) {
  const { frame, grid } = panel;
  const { facts, dimmed, touched, changes } = frame;
  const { kinds, looks, mode, text } = panel.reading;
  const isFaint = (id) => (panel.link && !panel.link.blocks.has(id)) || dimmed.has(looks[kinds[id]].name);
  const ghosts = shownGhosts(frame);
  const blockOf = (id, marks) => ({
    standing: facts.standing[id],
    readers: facts.readers[id],
    text: text(id),
    look: mode === "standing" ? null : looks[kinds[id]],
    marks,
    faint: isFaint(id),
    ghost: ghosts(id),
  });
  const hasText = mode !== "standing" && grid.side >= NUMBER_FROM;
  const draw = (to, block, x, y) => {
    drawBlock(to, block, x, y);
    if (block.ghost) drawGhost(to, block, x, y);
  };
  for (let id = 0; id < grid.cells; id += 1) {
    const number = (((facts.readers[id] * 16 + kinds[id]) * 8 + facts.standing[id]) * 16 + ghosts(id)) * 2 + Number(isFaint(id));
    const key = hasText ? `${number} ${text(id)}` : number;
    panel.base.cell(id, key, cornerOf(grid, id), grid.side, (x, y) => draw(base, blockOf(id, []), x, y));
  }
  layBase(pen, panel.base, grid);
  const marked = [...touched].filter((id) => id < grid.cells);
  for (const id of marked) pen.c.clearRect(...cornerOf(grid, id), grid.side - 1, grid.side - 1);
  for (const id of marked) draw(pen, blockOf(id, marksOf(id, changes)), ...cornerOf(grid, id));
  if (dimmed.has("copying")) return;
  for (const [dst, src] of copiesOf(frame)) drawArrow(pen, cornerOf(grid, src), cornerOf(grid, dst));
}

/** The kind of the ghost in a block: 0 for none, and for one that the legend has switched off. */
function shownGhosts({ ghost, dimmed }) {
  if (!ghost) return () => 0;
  const shown = ghost.counts.map((_, kind) => (kind && !dimmed.has(ghostName(kind)) ? kind : 0));
  return (id) => shown[ghost.kinds[id]];
}

/** The copies to draw, source by destination: those under way, and what the last events did. */
function copiesOf({ state, changes }) {
  const copies = state.transfers.filter(([, , kind]) => kind === "copy");
  return new Map([...copies, ...changes.copies].map(([src, dst]) => [dst, src]));
}

/** One cell for several blocks. */
export function drawStacks(pen, base, panel) {
  const { frame, grid, link, reading } = panel;
  const { looks, kinds } = reading;
  const shares = sharesOf(kinds, looks.length, grid);
  const ghosts = frame.ghost && ghostShares(frame.ghost, shownGhosts(frame), looks.length, grid);
  const lit = cellsOf(grid, link?.blocks);
  const isFaint = (cell) => Boolean(lit && !lit.has(cell));
  const common = { looks, order: stackOrder(reading), dimmed: frame.dimmed };
  const draw = (stack, ghost, x, y) => {
    drawStack(base, stack, x, y);
    if (ghost) drawStackGhost(base, ghost, x, y);
  };
  for (let cell = 0; cell < grid.cells; cell += 1) {
    const [first, last] = blocksOf(grid, cell);
    const stack = { ...common, shares, offset: cell * looks.length, total: last - first + 1, faint: isFaint(cell) };
    const ghost = ghosts?.differs[cell] ? { ...stack, shares: ghosts.shares, total: ghosts.totals[cell] } : null;
    const there = ghost ? shareKey(ghosts.shares, stack.offset, looks.length, stack.total) : "";
    const key = `${isFaint(cell)} ${shareKey(shares, stack.offset, looks.length, stack.total)} ${there}`;
    panel.base.cell(cell, key, cornerOf(grid, cell), grid.side, (x, y) => draw(stack, ghost, x, y));
  }
  layBase(pen, panel.base, grid);
  for (const { key } of MARKS) {
    for (const cell of cellsOf(grid, frame.changes[key].blocks)) drawStackMark(pen, key, isFaint(cell), ...cornerOf(grid, cell));
  }
}

/** The cell that the keyboard is on. */
export function drawCursor({ c, side, accent, paper }, grid, focus) {
  const [x, y] = cornerOf(grid, cellOf(grid, focus.id));
  for (const [color, width] of [[paper, 5], [accent, 2.5]]) {
    c.strokeStyle = color;
    c.lineWidth = width;
    c.strokeRect(x - 0.5, y - 0.5, side - 1, side - 1);
  }
}
