// What a picture says about a state: the standing of every block, the counts, and what belongs together.
// The same rules as radixlab/viz/facts.py; a golden test compares the counts.

export const FREE = 0;
export const CACHED = 1;
export const USED = 2;
export const PRIVATE = 3;
export const SHARED = 4;
export const COPYING = 5;
export const ON_HOST = 6;

/**
 * For each block: its standing, the node that owns it (or null) and the number of block tables it is in.
 * In a tree alone, which knows of no requests, each receipt at or below a node counts as a block table.
 * `host` has the standing and the owner of each host block: free, on host, or at an end of a transfer.
 */
export function blockFacts(state) {
  const size = state.num_blocks;
  const facts = { standing: new Uint8Array(size), owner: new Array(size).fill(null), readers: new Uint16Array(size) };
  facts.alone = !state.num_requests && state.sequences.size === 0;
  for (const sequence of state.sequences.values()) {
    for (const block of sequence.block_table) facts.readers[block] += 1;
  }
  const locked = new Set();
  for (const node of state.nodes.values()) {
    for (const block of node.resident === false ? [] : node.block_ids) {
      facts.owner[block] = node.id;
      if (node.lock_ref > 0) locked.add(block);
      if (facts.alone && node.lock_ref > 0) facts.readers[block] = node.lock_ref;
    }
  }
  for (let block = 0; block < size; block += 1) facts.standing[block] = standingOf(facts, block, locked.has(block));
  for (const transfer of state.transfers) for (const block of deviceEnds(transfer)) facts.standing[block] = COPYING;
  facts.host = hostFacts(state);
  return facts;
}

/** The ends of a transfer that are on the device. */
function deviceEnds([src, dst, kind]) {
  return { write_back: [src], load_back: [dst] }[kind] ?? [src, dst];
}

function hostFacts(state) {
  const size = state.num_host_blocks ?? 0;
  const facts = { standing: new Uint8Array(size), owner: new Array(size).fill(null) };
  for (const node of state.nodes.values()) {
    for (const block of node.resident === false ? node.block_ids : []) {
      facts.standing[block] = ON_HOST;
      facts.owner[block] = node.id;
    }
  }
  for (const [src, dst, kind] of state.transfers) {
    if (kind === "write_back") facts.standing[dst] = COPYING;
    if (kind === "load_back") facts.standing[src] = COPYING;
  }
  return facts;
}

function standingOf(facts, block, locked) {
  if (facts.readers[block] > 1) return SHARED;
  if (facts.readers[block] === 1) return facts.owner[block] === null ? PRIVATE : USED;
  if (facts.owner[block] === null) return FREE;
  return locked ? USED : CACHED;
}

/** Free + evictable + in use = pool; what is locked or being copied counts as in use. */
export function countFacts(state, facts = blockFacts(state)) {
  let free = 0;
  let evictable = 0;
  for (const standing of facts.standing) {
    if (standing === FREE) free += 1;
    else if (standing === CACHED) evictable += 1;
  }
  return {
    free,
    evictable,
    in_use: state.num_blocks - free - evictable,
    on_host: facts.host.standing.reduce((sum, standing) => sum + (standing === FREE ? 0 : 1), 0),
    hit_rate: hitRate(state),
  };
}

/** Prompt tokens found, of all; what a preempted request found again counts in neither. */
function hitRate(state) {
  const prompt = state.prompt_tokens - (state.resumed_prompt_tokens ?? 0);
  return prompt ? (state.hit_tokens - (state.resumed_hit_tokens ?? 0)) / prompt : null;
}

/** The facts of the host's blocks as if they were a pool of their own. */
export function hostFactsOf({ host }) {
  return { standing: host.standing, owner: host.owner, readers: new Uint16Array(host.standing.length) };
}

function addRange(blocks, { id, last }) {
  for (let block = id; block <= last; block += 1) blocks.add(block);
}

/**
 * All that belongs to one thing: `{blocks, hostBlocks, nodes, sequences}`, sets of ids.
 * A sequence brings the blocks of its table; a node its blocks; either brings who holds these blocks.
 */
export function linkOf(state, focus) {
  const link = { blocks: new Set(), hostBlocks: new Set(), nodes: new Set(), sequences: new Set() };
  const pool = (node) => (node?.resident === false ? link.hostBlocks : link.blocks);
  if (focus.kind === "block") link.blocks.add(focus.id);
  if (focus.kind === "hostBlock") link.hostBlocks.add(focus.id);
  if (focus.kind === "range") addRange(focus.pool === "hostBlock" ? link.hostBlocks : link.blocks, focus);
  if (focus.kind === "node") {
    link.nodes.add(focus.id);
    const node = state.nodes.get(focus.id);
    for (const block of node?.block_ids ?? []) pool(node).add(block);
  }
  if (focus.kind === "sequence") {
    link.sequences.add(focus.id);
    for (const block of state.sequences.get(focus.id)?.block_table ?? []) link.blocks.add(block);
  }
  const held = (ids, blocks = link.blocks) => ids.some((block) => blocks.has(block));
  if (focus.kind !== "node") for (const n of state.nodes.values()) if (held(n.block_ids, pool(n))) link.nodes.add(n.id);
  if (focus.kind !== "sequence") {
    for (const s of state.sequences.values()) if (held(s.block_table)) link.sequences.add(s.id);
  }
  return link;
}
