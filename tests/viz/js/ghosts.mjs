// Two runs: the ghost and the links at a position are Python's, a slow reading's, and the same however one came there.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { axisOf, positionsAt } from "../../../radixlab/viz/js/axis.js";
import { blockFacts } from "../../../radixlab/viz/js/facts.js";
import { ghostCounts, ghostLine, ghostOf, ghostShares, ghostTreeLine, hostGhostOf, withGhosts } from "../../../radixlab/viz/js/ghost.js";
import { gridOf } from "../../../radixlab/viz/js/grid.js";
import { contentsByPrefix, prefixesFor } from "../../../radixlab/viz/js/prefixes.js";
import { Timeline } from "../../../radixlab/viz/js/timeline.js";
import { twinOf } from "../../../radixlab/viz/js/twin.js";

const pairs = JSON.parse(readFileSync(process.env.GHOSTS, "utf8"));
const MOVES = 12; // of each journey

function timelineOf({ start, events }, stop = events.length) {
  const timeline = new Timeline(start);
  timeline.append(0, events.slice(0, stop));
  return timeline;
}

function momentOf(name, state, prefixes) {
  return { name, state, facts: blockFacts(state), contents: contentsByPrefix(state, prefixes) };
}

const newPrefixes = ({ a, b }) => prefixesFor(a.start.block_size, b.start.block_size);

/** Both moments at `[i, j]`, read from logs that end there, with numbers that nobody has used before. */
function freshMoments(pair, [i, j]) {
  const prefixes = newPrefixes(pair);
  return [["a", i], ["b", j]].map(([name, at]) => momentOf(name, timelineOf(pair[name], at).tip, prefixes));
}

/** Everything that can be pointed at. */
function focusesOf({ state }) {
  const blocks = Array.from({ length: state.num_blocks }, (_, id) => ({ kind: "block", id }));
  const host = Array.from({ length: state.num_host_blocks ?? 0 }, (_, id) => ({ kind: "hostBlock", id }));
  const nodes = [...state.nodes.keys()].map((id) => ({ kind: "node", id }));
  const sequences = [...state.sequences.keys()].map((id) => ({ kind: "sequence", id }));
  const ranges = [{ kind: "range", id: 0, last: state.num_blocks - 1, pool: "block" }];
  return [...blocks, ...host, ...nodes, ...sequences, ...ranges, { kind: "node", id: 987654 }, { kind: "sequence", id: 987654 }];
}

const plain = (_key, value) => (value instanceof Set ? [...value].sort((x, y) => x - y) : value instanceof Map ? [...value] : value);

/** Everything that is drawn and said of the other run, both ways, as text. */
function pictureOf([a, b]) {
  return JSON.stringify([[a, b], [b, a]].map(([mine, other]) => [
    ghostOf(mine, other),
    hostGhostOf(mine, other),
    ghostLine(mine, other),
    ghostTreeLine(mine, other),
    withGhosts(mine, other).nodes,
    // Without the numbers that were found, which depend on what was numbered first.
    focusesOf(mine).map((focus) => {
      const { link, line } = twinOf(focus, mine, other);
      return [{ ...link, found: link.found?.size }, line];
    }),
  ]), plain);
}

test("the ghost at two positions is Python's, block by block and word for word", () => {
  for (const pair of pairs) {
    for (const { at, ab, ba } of pair.moments) {
      const [a, b] = freshMoments(pair, at);
      for (const [mine, other, expected] of [[a, b, ab], [b, a, ba]]) {
        assert.equal(ghostLine(mine, other), expected.line, pair.kind);
        assert.equal(ghostTreeLine(mine, other), expected.tree, pair.kind);
        const kinds = ghostOf(mine, other)?.kinds;
        if (kinds) assert.deepEqual([...kinds].map((kind) => (kind ? kind - 1 : null)), expected.kinds, pair.kind);
        else assert.deepEqual(expected.kinds, []);
      }
    }
  }
});

/** A generator of numbers in [0, 1), the same for the same seed. */
function random(seed) {
  let state = seed * 2654435761 + 1;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 374761393) >>> 0;
    return state / 2 ** 32;
  };
}

/** A page that shows a pair: its logs arrive in pieces or are read again, its numbers stay, and its reader moves. */
class Page {
  constructor(pair, draw) {
    Object.assign(this, { pair, draw, prefixes: newPrefixes(pair), axis: axisOf(pair.a.events, pair.b.events), position: 0 });
    this.logs = { a: timelineOf(pair.a, 0), b: timelineOf(pair.b, 0) };
  }

  move() {
    const { draw, axis } = this;
    const kinds = [
      () => (this.position += 1),
      () => (this.position -= 1),
      () => (this.position += Math.floor(draw() * 40)),
      () => (this.position = Math.floor(draw() * (axis.length + 1))),
      () => (this.position = axis.length),
      () => (this.logs = { a: timelineOf(this.pair.a, 0), b: timelineOf(this.pair.b, 0) }),
      () => (this.prefixes = newPrefixes(this.pair)),
    ];
    kinds[Math.floor(draw() * kinds.length)]();
    this.position = Math.min(Math.max(this.position, 0), axis.length);
    const at = positionsAt(axis, this.position);
    for (const side of ["a", "b"]) this.arrive(side, at[side]);
    return [at.a, at.b];
  }

  /** Enough of a log, one event at a time or in a burst, and perhaps more than is shown. */
  arrive(side, needed) {
    const log = this.logs[side];
    const { events } = this.pair[side];
    while (log.end < needed || (log.end < events.length && this.draw() < 0.3)) {
      log.append(log.end, events.slice(log.end, log.end + 1 + Math.floor(this.draw() ** 3 * 60)));
    }
  }

  moments([i, j]) {
    return [["a", i], ["b", j]].map(([name, at]) => momentOf(name, this.logs[name].stateAt(at), this.prefixes));
  }
}

for (const [seed, pair] of pairs.entries()) {
  test(`ghost and links at a position are the same however it was reached: ${pair.kind}`, () => {
    const page = new Page(pair, random(seed));
    for (let k = 0; k < MOVES; k += 1) {
      const at = page.move();
      assert.equal(pictureOf(page.moments(at)), pictureOf(freshMoments(pair, at)), `at ${at}, move ${k}`);
    }
  });
}

/** What each thing of a state holds, in words, token by token: nothing is numbered or remembered. */
function slowReading({ state }) {
  const text = (namespace, tokens) => JSON.stringify([namespace ?? null, tokens]);
  const blocks = new Map(); // block or host block → the texts of all beginnings that end in it
  const enter = (key, namespace, tokens, from, stop) => {
    const texts = blocks.get(key) ?? new Set();
    for (let end = from + 1; end <= Math.min(stop, tokens.length); end += 1) texts.add(text(namespace, tokens.slice(0, end)));
    blocks.set(key, texts);
  };
  const above = (node, seen = new Set()) => {
    const parent = state.nodes.get(node.parent_id);
    if (!parent || seen.has(parent.id)) return { namespace: node.namespace, tokens: [] };
    const { namespace, tokens } = above(parent, seen.add(parent.id));
    return { namespace, tokens: [...tokens, ...parent.tokens] };
  };
  const size = state.block_size;
  for (const node of state.nodes.values()) {
    const { namespace, tokens } = above(node);
    const all = [...tokens, ...node.tokens];
    const word = node.resident === false ? "hostBlock" : "block";
    node.block_ids.forEach((id, k) => enter(`${word} ${id}`, namespace, all, tokens.length + k * size, tokens.length + (k + 1) * size));
  }
  for (const s of state.sequences.values()) s.block_table.forEach((id, k) => enter(`block ${id}`, s.namespace, s.tokens, k * size, (k + 1) * size));
  return blocks;
}

test("a block is marked in the other run where that holds one of its beginnings, and nowhere else", () => {
  let marked = 0;
  for (const pair of pairs) {
    for (const { at } of pair.moments.slice(0, 8)) {
      const [mine, other] = freshMoments(pair, at);
      const [here, there] = [mine, other].map(slowReading);
      const { unit } = newPrefixes(pair);
      for (const [key, texts] of here) {
        const [kind, id] = key.split(" ");
        // Beginnings of whole steps, and where the tokens end.
        const longest = Math.max(...[...texts].map((one) => JSON.parse(one)[1].length));
        const wanted = [...texts].filter((one) => JSON.parse(one)[1].length % unit === 0 || JSON.parse(one)[1].length === longest);
        const { link, line } = twinOf({ kind, id: Number(id) }, mine, other);
        const found = [...link.blocks].map((block) => `block ${block}`).concat([...link.hostBlocks].map((block) => `hostBlock ${block}`));
        const expected = [...there].filter(([, others]) => wanted.some((one) => others.has(one))).map(([name]) => name);
        // A block that is filled in part has the same end only where the other one is filled as far.
        for (const name of found) assert.ok(expected.includes(name), `${pair.kind} ${key}: ${name}`);
        for (const name of expected) {
          const whole = wanted.some((one) => there.get(name).has(one) && JSON.parse(one)[1].length % unit === 0);
          if (whole) assert.ok(found.includes(name), `${pair.kind} ${key}: not ${name}`);
        }
        if (!found.length && texts.size) assert.match(line, /does not have it/);
        marked += found.length;
      }
    }
  }
  assert.ok(marked > 400, `${marked}`);
});

test("a ghost node leads to the node that it stands for, and says that this run does not have it", () => {
  let ghosts = 0;
  for (const pair of pairs) {
    const [mine, other] = freshMoments(pair, pair.moments[0].at);
    for (const node of withGhosts(mine, other).nodes.values()) {
      if (!node.ghost) continue;
      ghosts += 1;
      const { link, line } = twinOf({ kind: "node", id: node.id, twin: node.twin }, mine, other);
      assert.ok(link.nodes.has(node.twin) && other.state.nodes.has(node.twin));
      assert.match(line, /^a does not have it; here: node/);
    }
  }
  assert.ok(ghosts > 20, `${ghosts}`);
});

test("cells of several blocks add up to the ghost, and a note on all of them to the line", () => {
  for (const pair of pairs) {
    const [mine, other] = freshMoments(pair, pair.moments[0].at);
    const ghost = ghostOf(mine, other);
    if (!ghost) continue;
    for (const parts of [1, 3, 1000]) {
      const grid = gridOf(mine.state.num_blocks, 200, { whole: 0, parts });
      const { shares, totals, differs } = ghostShares(ghost, (block) => ghost.kinds[block], 7, grid);
      const sum = (numbers) => numbers.reduce((one, two) => one + two, 0);
      assert.equal(sum(totals), ghost.both);
      assert.equal(sum(shares), ghost.both);
      assert.equal(sum(differs), ghost.kinds.filter(Boolean).length);
    }
    const note = ghostCounts(ghost, 0, mine.state.num_blocks - 1);
    if (note) assert.ok(ghostLine(mine, other).includes(note.split(": ")[1]));
  }
});

test("the numbers of a list of tokens follow from what it continues", () => {
  const prefixes = prefixesFor(4, 6);
  const tokens = [1, 2, 3];
  const [one, two] = [prefixes.root(null), prefixes.root(["a", "b"])].map((root) => prefixes.along(root, tokens));
  assert.equal(prefixes.unit, 2);
  assert.equal(new Set([...one, ...two]).size, 4);
  assert.deepEqual(prefixes.along(prefixes.root(null), [1, 2, 3]), one);
  assert.notEqual(prefixes.root(["a", "b"]), prefixes.root(["a,b"]));
});
