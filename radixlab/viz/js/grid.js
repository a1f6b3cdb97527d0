// The cells of a block map: how large they are, which blocks each of them stands for, and what those blocks add up to.
// Pure arithmetic. In a pool of up to `whole` blocks a cell is one block; above that it stands for several.

const SIDES = [28, 27, 26, 25, 24, 20, 16, 13, 11, 9, 7];
const MOST_HEIGHT = 250;
export const MOST_CELLS = { whole: 4096, parts: 4096 }; // the largest pool drawn block by block, and the cells of a larger one

/**
 * Choose the cells of a map: {side, columns, rows, cells, perCell, numBlocks}; cells as large as the height allows,
 * or a little smaller where that saves a row.
 */
export function gridOf(numBlocks, width, mostCells = MOST_CELLS) {
  const perCell = numBlocks <= mostCells.whole ? 1 : Math.ceil(numBlocks / mostCells.parts);
  const cells = Math.ceil(numBlocks / perCell);
  const fit = (side) => {
    const columns = Math.max(1, Math.min(cells, Math.floor(width / side)));
    return { side, columns, rows: Math.ceil(cells / columns), cells, perCell, numBlocks };
  };
  const grids = SIDES.map(fit);
  const largest = grids.find((grid) => grid.rows * grid.side <= MOST_HEIGHT) ?? grids.at(-1);
  const alike = grids.filter(({ side }) => side <= largest.side && side > 0.85 * largest.side);
  return alike.reduce((best, grid) => (grid.rows < best.rows ? grid : best));
}

/** The cell that a block is drawn in. */
export function cellOf(grid, block) {
  return Math.floor(block / grid.perCell);
}

/** The first and the last block of a cell. */
export function blocksOf(grid, cell) {
  return [cell * grid.perCell, Math.min((cell + 1) * grid.perCell, grid.numBlocks) - 1];
}

/** The cell at (x, y) of the map, in its pixels; null outside. */
export function cellAt(grid, x, y) {
  const column = Math.floor(x / grid.side);
  const row = Math.floor(y / grid.side);
  const cell = row * grid.columns + column;
  return column < 0 || column >= grid.columns || row < 0 || cell >= grid.cells ? null : cell;
}

/** The left upper corner of a cell. */
export function cornerOf(grid, cell) {
  return [(cell % grid.columns) * grid.side, Math.floor(cell / grid.columns) * grid.side];
}

/** For each cell, how many of its blocks are of each kind: `shares[cell * numKinds + kind]`. */
export function sharesOf(kinds, numKinds, grid) {
  const shares = new Uint32Array(grid.cells * numKinds);
  for (let block = 0; block < grid.numBlocks; block += 1) {
    shares[Math.floor(block / grid.perCell) * numKinds + kinds[block]] += 1;
  }
  return shares;
}

/** The cells of these blocks, as a set; null stays null. */
export function cellsOf(grid, blocks) {
  if (!blocks) return null;
  const cells = new Set();
  for (const block of blocks) if (block < grid.numBlocks) cells.add(cellOf(grid, block));
  return cells;
}

const STEPS = {
  ArrowLeft: () => -1,
  ArrowRight: () => 1,
  ArrowUp: ({ columns }) => -columns,
  ArrowDown: ({ columns }) => columns,
  PageUp: ({ columns }) => -4 * columns,
  PageDown: ({ columns }) => 4 * columns,
};

/** The cell that a key leads to; null for a key that does not move. A step that would leave the map stays. */
export function walkGrid(grid, cell, key) {
  if (key === "Home") return 0;
  if (key === "End") return grid.cells - 1;
  const step = STEPS[key]?.(grid);
  if (!step) return null;
  const next = cell + step;
  return next < 0 || next >= grid.cells ? cell : next;
}
