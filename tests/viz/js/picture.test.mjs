// The pure halves of the picture: cells of the map, its readings, the part of a tree that is drawn, keys and search.

import assert from "node:assert/strict";
import test from "node:test";
import { MOST_CARDS, newFolds, toggleFold, visibleTree, walkTree, widenFan } from "../../../radixlab/viz/js/collapse.js";
import { blockFacts } from "../../../radixlab/viz/js/facts.js";
import { stateFromJson } from "../../../radixlab/viz/js/cachestate.js";
import { blocksOf, cellAt, cellOf, cellsOf, cornerOf, gridOf, sharesOf, walkGrid } from "../../../radixlab/viz/js/grid.js";
import { childrenOf, layoutTree } from "../../../radixlab/viz/js/layout.js";
import { MODES, readMap, sharesText, stackOrder } from "../../../radixlab/viz/js/modes.js";
import { walkList } from "../../../radixlab/viz/js/rove.js";
import { findAll } from "../../../radixlab/viz/js/search.js";
import { shareKey } from "../../../radixlab/viz/js/mapbase.js";
import { plain, shownText } from "../../../radixlab/viz/js/shown.js";

/** A deterministic stream of numbers in [0, 1). */
function stream(seed) {
  let x = seed;
  return () => {
    x = (x * 16807) % 2147483647;
    return x / 2147483647;
  };
}

const KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End"];

for (const numBlocks of [1, 12, 64, 1000, 4096, 4097, 100_000, 99_999]) {
  test(`every block of ${numBlocks} has one cell, and a cell knows its blocks`, () => {
    const grid = gridOf(numBlocks, 860);
    let counted = 0;
    for (let cell = 0; cell < grid.cells; cell += 1) {
      const [first, last] = blocksOf(grid, cell);
      assert.ok(first <= last && cellOf(grid, first) === cell && cellOf(grid, last) === cell);
      counted += last - first + 1;
      const [x, y] = cornerOf(grid, cell);
      assert.equal(cellAt(grid, x + 1, y + 1), cell);
    }
    assert.equal(counted, numBlocks);
  });

  test(`the keys reach every cell of a map of ${numBlocks} blocks and never leave it`, () => {
    const grid = gridOf(numBlocks, 860);
    const next = stream(numBlocks);
    for (let k = 0, cell = 0; k < 500; k += 1) {
      cell = walkGrid(grid, cell, KEYS[Math.floor(next() * KEYS.length)]);
      assert.ok(cell >= 0 && cell < grid.cells);
    }
    assert.equal(walkGrid(grid, 0, "End"), grid.cells - 1);
    assert.equal(walkGrid(grid, 0, "x"), null);
  });

  test(`the shares of all cells add up to ${numBlocks} blocks, kind by kind`, () => {
    const next = stream(numBlocks + 7);
    const kinds = Uint8Array.from({ length: numBlocks }, () => Math.floor(next() * 7));
    const shares = sharesOf(kinds, 7, gridOf(numBlocks, 860));
    for (let kind = 0; kind < 7; kind += 1) {
      const inCells = shares.filter((_, k) => k % 7 === kind).reduce((sum, share) => sum + share, 0);
      assert.equal(inCells, kinds.filter((other) => other === kind).length);
    }
  });
}

test("the cells of some blocks are those that hold one of them", () => {
  const grid = gridOf(100_000, 860);
  assert.deepEqual([...cellsOf(grid, new Set([0, 24, 25, 99_999, 100_000]))], [0, 1, 3999]);
  assert.equal(cellsOf(grid, null), null);
});

const STATE = stateFromJson({
  num_blocks: 12,
  block_size: 2,
  tick: 9,
  num_requests: 2,
  nodes: [
    { id: 1, parent_id: null, namespace: null, tokens: [1, 2, 3, 4], block_ids: [0, 1], lock_ref: 2, num_hits: 1, tick: 9 },
    { id: 7, parent_id: 1, namespace: null, tokens: [5, 6], block_ids: [4], lock_ref: 0, num_hits: 0, tick: 2 },
  ],
  sequences: [
    { id: 3, namespace: null, tokens: [1, 2, 3, 4, 9], block_table: [0, 1, 5], hit_tokens: 4, node_id: 1 },
    { id: 4, namespace: null, tokens: [1, 2, 3, 4, 8], block_table: [0, 1, 6], hit_tokens: 4, node_id: 1 },
  ],
});
const FRAME = { state: STATE, facts: blockFacts(STATE) };

test("each reading of the map says by a number what it says by a colour", () => {
  const texts = Object.fromEntries(
    MODES.map(([mode]) => [mode, Array.from({ length: 7 }, (_, block) => readMap(mode, FRAME).text(block))]),
  );
  assert.deepEqual(texts.standing, ["0", "1", "2", "3", "4", "5", "6"]);
  assert.deepEqual(texts.owner, ["1", "1", "", "", "7", "", ""]);
  assert.deepEqual(texts.references, ["2", "2", "", "", "", "1", "1"]);
  assert.deepEqual(texts.age, ["0", "0", "", "", "7", "", ""]);
});

for (const [mode] of MODES) {
  test(`the reading ${mode} has a look for every kind, and stacks each of them once`, () => {
    const reading = readMap(mode, FRAME);
    assert.ok([...reading.kinds].every((kind) => reading.looks[kind]));
    assert.deepEqual([...stackOrder(reading)].sort((a, b) => a - b), reading.looks.map((_, kind) => kind));
    assert.match(sharesText(reading, 0, 11), /\d/);
  });
}

function randomTree(seed, count, spread) {
  const next = stream(seed);
  const nodes = new Map();
  for (let id = 0; id < count; id += 1) {
    const parent_id = id && next() > 0.02 ? Math.floor(next() ** spread * id) : null;
    nodes.set(id, { id, parent_id });
  }
  return nodes;
}

/** All nodes below `id`, itself included. */
function below(children, id) {
  return [id, ...children.get(id).flatMap((kid) => below(children, kid))];
}

for (const [seed, count, spread] of [[1, 60, 1], [2, 5000, 1], [3, 5000, 4], [4, 3000, 0.2]]) {
  const nodes = randomTree(seed, count, spread);
  const children = childrenOf(nodes);
  const parentOf = (id) => nodes.get(id)?.parent_id ?? null;

  test(`what is drawn and what is said to be hidden are the whole tree: tree ${seed}`, () => {
    const part = visibleTree(children, parentOf, newFolds());
    const drawn = [...part.children.keys()].filter((id) => typeof id === "number");
    const left = [...part.more.values()].reduce((sum, { parent, count: hidden }) => {
      const kids = children.get(parent).filter((kid) => !part.children.has(kid));
      assert.equal(kids.length, hidden);
      return sum + kids.flatMap((kid) => below(children, kid)).length;
    }, 0);
    const closed = [...part.hidden.values()].reduce((sum, hidden) => sum + hidden, 0);
    assert.equal(drawn.length + left + closed, count);
    if (count <= MOST_CARDS) assert.equal(drawn.length, count);
    else assert.ok(drawn.length <= 2 * MOST_CARDS);
  });

  test(`what must be seen is seen, with all above it: tree ${seed}`, () => {
    const next = stream(seed + 50);
    const must = Array.from({ length: 20 }, () => Math.floor(next() * count));
    const part = visibleTree(children, parentOf, newFolds(), must);
    for (const id of must) for (let up = id; up !== null; up = parentOf(up)) assert.ok(part.children.has(up));
  });

  test(`a reader can open and close every node: tree ${seed}`, () => {
    const folds = newFolds();
    const next = stream(seed + 90);
    for (let k = 0; k < 30; k += 1) {
      const part = visibleTree(children, parentOf, folds);
      const inner = [...part.children.keys()].filter((id) => typeof id === "number" && children.get(id).length);
      const id = inner[Math.floor(next() * inner.length)];
      toggleFold(folds, id, part.hidden.has(id));
      const after = visibleTree(children, parentOf, folds);
      if (after.children.has(id)) assert.equal(after.hidden.has(id), !part.hidden.has(id));
      for (const { parent } of part.more.values()) widenFan(folds, parent);
    }
  });

  test(`keys walk the drawn tree and reach only drawn nodes: tree ${seed}`, () => {
    const part = visibleTree(children, parentOf, newFolds());
    const sizes = new Map([...part.children.keys()].map((id) => [id, { w: 50, h: 20 }]));
    const { boxes } = layoutTree(part.children, sizes);
    const next = stream(seed + 9);
    let id = walkTree(part.children, boxes, undefined, "Here");
    for (let k = 0; k < 200; k += 1) {
      const key = ["ArrowLeft", "ArrowRight", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"][Math.floor(next() * 7)];
      id = walkTree(part.children, boxes, id, key);
      assert.ok(boxes.has(id) && typeof id === "number");
    }
    assert.equal(walkTree(part.children, boxes, id, " "), null);
  });
}

test("a list keeps its place, starts again where its item has gone, and is no stop when empty", () => {
  assert.equal(walkList([3, 5, 8], 5, "ArrowDown"), 8);
  assert.equal(walkList([3, 5, 8], 8, "ArrowDown"), 8);
  assert.equal(walkList([3, 5, 8], 9, "Here"), 3);
  assert.equal(walkList([3, 5, 8], 5, "x"), null);
  assert.equal(walkList([], 5, "Here"), null);
});

test("search finds blocks, nodes and sequences by number, and tokens by text", () => {
  const words = new Map([[1, "Par"], [2, "is"], [5, "Oslo"], [9, "PARIS"]]);
  const text = (tokens) => tokens.map((token) => words.get(token) ?? "·").join("");
  const find = (query) => findAll(STATE, text, query).map(({ kind, id }) => `${kind} ${id}`);
  assert.deepEqual(find("7"), ["block 7", "node 7"]);
  assert.deepEqual(find("block 7"), ["block 7"]);
  assert.deepEqual(find("node #7"), ["node 7"]);
  assert.deepEqual(find("Sequence 4"), ["sequence 4"]);
  assert.deepEqual(find("paris"), ["node 1", "sequence 3", "sequence 4"]);
  assert.deepEqual(find("oslo"), ["node 7"]);
  for (const nothing of ["", "  ", "block 12", "node 99", "bergen", "host block 0"]) assert.deepEqual(find(nothing), []);
});

const HOSTILE = [
  ["\u0000", "␀"],
  ["\n", "↵"],
  ["\t", "␉"],
  ["\u001b[31m", "␛[31m"],
  ["\u007f", "␡"],
  ["\u0085", "\\u0085"],
  ...["061c", "200b", "200e", "200f", "2028", "2029", "2060", "feff", "00ad"].map((code) => [
    String.fromCodePoint(parseInt(code, 16)),
    `\\u${code}`,
  ]),
  ...[0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069].map((code) => [
    `a${String.fromCodePoint(code)}b`,
    `a\\u${code.toString(16)}b`,
  ]),
  ["\ud800", "\\ud800"],
  ["\udc00", "\\udc00"],
  ["x\udbff", "x\\udbff"],
  ["\ud800\ud800\udc00", "\\ud800\u{10000}"],
  ["\u{e0041}", "\\udb40\\udc41"],
  ["a\u200db", "a\\u200db"],
  ["😀\u200d", "😀\\u200d"],
  ["\u200d👧", "\\u200d👧"],
  ["👩\u200d\u200d👧", "👩\\u200d\\u200d👧"],
  ["می\u200cخ", "می\\u200cخ"],
  ["\u3164", "\\u3164"],
  ["😀\u{e0101}", "😀\\udb40\\udd01"],
];

for (const [text, shown] of HOSTILE) {
  test(`hostile text is shown as ${JSON.stringify(shown)}`, () => {
    assert.equal(shownText(text), shown);
    if (!/[\u0000-\u001f\u007f]/.test(text)) assert.equal(plain(text), shown); // the words have no signs for controls
  });
}

for (const text of ["<img src=x onerror=alert(1)>", "日本語のトークン", "עברית", "👩‍👩‍👧 🇳🇴 ✌🏽 ❤️‍🔥 👩🏽‍🚀 🏳️‍🌈 1️⃣", "\ufffd", "naïve café", "ﷺ", "e\u0301"]) {
  test(`readable text stays as it is: ${text}`, () => {
    assert.equal(shownText(text), text);
    assert.equal(plain(text), text);
  });
}

test("of a text of a hundred thousand characters both ends are shown", () => {
  const shown = shownText(`begin${"x".repeat(100_000)}end`);
  assert.ok(shown.length < 5000 && shown.startsWith("begin") && shown.endsWith("end"));
});

test("cells of a map have the same key if and only if they have the same shares", () => {
  for (const total of [2, 25, 2442]) {
    const seen = new Map();
    for (let k = 0; k < 400; k += 1) {
      const shares = Uint32Array.from({ length: 7 }, (_, kind) => (k * (kind + 1) * 7919) % (total + 1));
      const key = shareKey(shares, 0, 7, total);
      const known = seen.get(key) ?? shares.join();
      assert.equal(known, shares.join());
      seen.set(key, known);
      assert.equal(shareKey(Uint32Array.from([9, 9, ...shares]), 2, 7, total), key);
    }
  }
});
