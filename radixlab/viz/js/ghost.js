// The other of two runs as a ghost over this one: what it has in its tree and in its blocks where this run has something
// else. Pure. A moment is `{name, state, facts, contents}` of one run at one position. radixlab/viz/ghost.py says the same.

import { FREE } from "./facts.js";
import { cellOf } from "./grid.js";
import { STANDINGS } from "./palette.js";
import { plural } from "./wording.js";

/** The kinds of a ghost: 0 where both runs have the same in a block, 1 + its standing there, or other tokens in the same standing. */
export const OTHER_TOKENS = STANDINGS.length + 1;
export const GHOSTS = [null, ...STANDINGS.map(({ name }) => name), "other tokens"];

/**
 * The ghost over this run's map: `{name, kinds, standing, counts, missing, beyond}`. `kinds` and `standing`, the other
 * run's, have an entry for each of this run's blocks; a block that the other run does not have is no difference, but
 * one of `missing`. `beyond` counts the other run's blocks that this map does not have. Null where blocks differ in size.
 */
export function ghostOf(mine, other) {
  if (mine.state.block_size !== other.state.block_size) return null;
  return ghostOver(other.name, [mine.facts.standing, mine.contents.blocks], [other.facts.standing, other.contents.blocks]);
}

/** The same over the map of the host's blocks. */
export function hostGhostOf(mine, other) {
  if (mine.state.block_size !== other.state.block_size) return null;
  const part = ({ facts, contents }) => [facts.host.standing, contents.hostBlocks];
  return ghostOver(other.name, part(mine), part(other));
}

function ghostOver(name, [here, mine], [there, others]) {
  const both = Math.min(here.length, there.length);
  const ghost = { name, kinds: new Uint8Array(here.length), standing: new Uint8Array(here.length), counts: new Array(GHOSTS.length).fill(0) };
  Object.assign(ghost, { both, missing: here.length - both, beyond: there.length - both });
  for (let block = 0; block < both; block += 1) {
    const kind = there[block] !== here[block] ? 1 + there[block] : here[block] !== FREE && others[block] !== mine[block] ? OTHER_TOKENS : 0;
    ghost.kinds[block] = kind;
    ghost.standing[block] = there[block];
    ghost.counts[kind] += 1;
  }
  return ghost;
}

/** Numbers by kind in words: "1 free, 1 with other tokens"; "" for none. */
function byKind(counts) {
  const parts = GHOSTS.flatMap((name, kind) => {
    if (!kind || !counts[kind]) return [];
    return `${counts[kind].toLocaleString("en")} ${kind === OTHER_TOKENS ? "with other tokens" : name}`;
  });
  return parts.join(", ");
}

/** How many of these numbers are of a block that differs. */
function differing(counts) {
  return counts.slice(1).reduce((sum, count) => sum + count, 0);
}

/** In how many blocks of a range the other run has what, in words: "2: 1 free, 1 with other tokens"; "" for none. */
export function ghostCounts({ kinds }, first, last) {
  const counts = new Array(GHOSTS.length).fill(0);
  for (let block = first; block <= last; block += 1) counts[kinds[block]] += 1;
  return differing(counts) ? `${differing(counts).toLocaleString("en")}: ${byKind(counts)}` : "";
}

/** One line on the ghost over a map: "lfu differs in 3 of 12 blocks: 2 free, 1 with other tokens". */
export function ghostLine(mine, other, ghost = ghostOf(mine, other), what = "block") {
  const size = ({ state }) => plural(state.block_size, "token");
  if (!ghost) return `${other.name} has blocks of ${size(other)}, ${mine.name} of ${size(mine)}: their maps cannot be compared block by block`;
  if (!ghost.both) return `${ghost.name} has no ${what}s`;
  const of = plural(ghost.both, what);
  const count = differing(ghost.counts);
  const differs = count ? `differs in ${count.toLocaleString("en")} of ${of}: ${byKind(ghost.counts)}` : `has the same in ${of}`;
  const line = `${ghost.name} ${differs}`;
  if (ghost.missing) return `${line}; it does not have the last ${plural(ghost.missing, what)}`;
  return ghost.beyond ? `${line}; it has ${plural(ghost.beyond, "more " + what)}` : line;
}

/** The name by which the legend switches a kind of ghost off. */
export function ghostName(kind) {
  return `there: ${GHOSTS[kind]}`;
}

/**
 * The other run's blocks by cell, as `sharesOf` counts this run's: `{shares, totals, differs}`; `totals` has the number
 * of its blocks in a cell, `differs` the number of those that `kindOf` shows as a ghost.
 */
export function ghostShares(ghost, kindOf, numKinds, grid) {
  const found = { shares: new Uint32Array(grid.cells * numKinds), totals: new Uint32Array(grid.cells), differs: new Uint32Array(grid.cells) };
  for (let block = 0; block < ghost.both; block += 1) {
    const cell = cellOf(grid, block);
    found.shares[cell * numKinds + ghost.standing[block]] += 1;
    found.totals[cell] += 1;
    if (kindOf(block)) found.differs[cell] += 1;
  }
  return found;
}

/** One line on the trees: "lfu has 4 blocks in its tree that lru does not have"; "" for none. */
export function ghostTreeLine(mine, other) {
  const known = holderIn(mine.contents);
  const { perBlock, nodes } = other.contents;
  let blocks = 0;
  for (const [id, { length }] of other.contents.nodes) {
    const ends = Math.min(other.state.nodes.get(id).block_ids.length, Math.ceil(length / perBlock));
    for (let k = 0; k < ends; k += 1) if (nodes.get(id).slice(k * perBlock, (k + 1) * perBlock).some((number) => !known.has(number))) blocks += 1;
  }
  return blocks ? `${other.name} has ${plural(blocks, "block")} in its tree that ${mine.name} does not have` : "";
}

/**
 * This run's state with what only the other run has cached: nodes with negative ids, without blocks, under the nodes
 * that they would continue. `twin` is the id of the other run's node; `ghosts` counts them, from -1 down.
 */
export function withGhosts(mine, other) {
  const { perBlock } = other.contents;
  const holder = holderIn(mine.contents);
  const nodes = new Map(mine.state.nodes);
  const stand = new Map(); // id of the other run's node → the id that stands for it here
  let next = -1;
  for (const [id, numbers] of other.contents.nodes) {
    const node = other.state.nodes.get(id);
    const known = knownOf(numbers, holder);
    const above = known ? holder.get(numbers[known - 1]) : (stand.get(node.parent_id) ?? null);
    stand.set(id, above);
    if (known === numbers.length) continue;
    const tokens = node.tokens.slice(known * (other.state.block_size / perBlock));
    const ghost = `only in ${other.name} · ${plural(node.block_ids.length - Math.floor(known / perBlock), "block")}`;
    nodes.set(next, { ...node, id: next, parent_id: above, tokens, block_ids: [], lock_ref: 0, resident: true, ghost, twin: id });
    stand.set(id, next);
    next -= 1;
  }
  return { ...mine.state, nodes, ghosts: -1 - next };
}

/** The node of a run that ends or passes at each number: found once for a moment. */
function holderIn(contents) {
  if (contents.holder) return contents.holder;
  contents.holder = new Map();
  for (const [id, numbers] of contents.nodes) for (const number of numbers) contents.holder.set(number, id);
  return contents.holder;
}

/** How many of these numbers, from the first on, this run has. */
function knownOf(numbers, holder) {
  let known = 0;
  while (known < numbers.length && holder.has(numbers[known])) known += 1;
  return known;
}
