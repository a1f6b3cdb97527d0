// Colours (Okabe and Ito) and shapes: every standing and every mark differs in both. The style sheet has the same colours.

export const STANDINGS = [
  { name: "free", color: null, help: "on the free list" },
  { name: "cached", color: "#56B4E9", edge: "#0072B2", help: "in the tree, in no block table, unlocked: may be evicted" },
  { name: "in use by one", color: "#009E73", help: "in the tree and in one block table, or only locked (corner)" },
  { name: "private", color: "#009E73", help: "in one block table, not in the tree (outline)" },
  { name: "shared", color: "#009E73", help: "in two or more block tables, in the tree or not (the number says how many)" },
  { name: "copying", color: "#CC79A7", edge: "#8f3f6b", help: "source or destination of a copy under way (arrow)" },
  { name: "on host", color: "#dcedf8", edge: "#0072B2", help: "evicted to host memory, and can be loaded back (dotted)" },
];

export const MARKS = [
  { name: "just hit", key: "hit", help: "found by the call that led here (thick outline)" },
  { name: "new", key: "new", color: "#E69F00", help: "created or taken by the call that led here (orange outline)" },
  { name: "evicted", key: "evicted", color: "#D55E00", help: "evicted by the call that led here (hatch)" },
];

export const INK = "#111111"; // text on coloured cells: at least 5:1 on each of them
export const MARK_COLORS = { match: "#56B4E9", split: null, copy: "#CC79A7", evict: "#D55E00", full: "#D55E00" };

/** Style a cell element: its number, its standing and its marks. */
export function styleCell(cell, block, frame, onHost = false) {
  const facts = onHost ? frame.facts.host : frame.facts;
  const standing = facts.standing[block] ?? 0; // a learner's tree may name a block that is not there
  const marks = marksOf(block, frame.changes, onHost ? "hostBlocks" : "blocks");
  cell.className = `rx-cell rx-s${standing} ${marks.map((mark) => `rx-m-${mark}`).join(" ")}`;
  if (frame.dimmed.has(STANDINGS[standing].name)) cell.classList.add("rx-off");
  cell.dataset.readers = (onHost ? 0 : frame.facts.readers[block]) ?? 0;
}

/** All that `styleCell` reads of a block, as text. */
export function cellKey(block, frame, onHost = false) {
  const facts = onHost ? frame.facts.host : frame.facts;
  const marks = marksOf(block, frame.changes, onHost ? "hostBlocks" : "blocks");
  const off = frame.dimmed.has(STANDINGS[facts.standing[block] ?? 0].name);
  return `${block}:${facts.standing[block]}:${onHost ? 0 : frame.facts.readers[block]}:${marks}:${off}`;
}

/** Which marks a block carries: "hit", "new", "evicted". */
export function marksOf(block, changes, pool = "blocks") {
  return MARKS.map((mark) => mark.key).filter((key) => changes[key][pool].has(block));
}
