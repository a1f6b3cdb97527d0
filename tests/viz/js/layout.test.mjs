import assert from "node:assert/strict";
import test from "node:test";
import { gridOf } from "../../../radixlab/viz/js/grid.js";
import { childrenOf, layoutTree } from "../../../radixlab/viz/js/layout.js";
import { labelLines } from "../../../radixlab/viz/js/card.js";

/** A deterministic stream of numbers in [0, 1). */
function stream(seed) {
  let x = seed;
  return () => {
    x = (x * 16807) % 2147483647;
    return x / 2147483647;
  };
}

function randomTree(seed, count) {
  const next = stream(seed);
  const nodes = new Map();
  const sizes = new Map();
  for (let id = 0; id < count; id += 1) {
    const parent = id && next() > 0.1 ? Math.floor(next() * id) : null;
    nodes.set(id, { id, parent_id: parent });
    sizes.set(id, { w: 40 + Math.floor(next() * 300), h: 20 + Math.floor(next() * 80) });
  }
  return { nodes, sizes };
}

const overlap = (a, b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

for (const seed of [1, 2, 3]) {
  test(`no two nodes overlap, children stand right of their parents: tree ${seed}`, () => {
    const { nodes, sizes } = randomTree(seed, 150);
    const { boxes, width, height } = layoutTree(childrenOf(nodes), sizes);
    assert.equal(boxes.size, nodes.size);
    const all = [...boxes.values()];
    all.forEach((a, i) => all.slice(i + 1).forEach((b) => assert.ok(!overlap(a, b))));
    for (const node of nodes.values()) {
      const box = boxes.get(node.id);
      const parent = boxes.get(node.parent_id);
      if (parent) assert.ok(box.x >= parent.x + parent.w);
      assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.w <= width && box.y + box.h <= height);
    }
  });
}

test("a chain of 10,000 nodes and an empty tree can be laid out", () => {
  const nodes = new Map(Array.from({ length: 10000 }, (_, id) => [id, { id, parent_id: id ? id - 1 : null }]));
  const sizes = new Map(Array.from(nodes.keys(), (id) => [id, { w: 10, h: 10 }]));
  assert.equal(layoutTree(childrenOf(nodes), sizes).boxes.size, 10000);
  assert.equal(layoutTree(childrenOf(new Map()), new Map()).boxes.size, 0);
});

test("the block map shows every block, by aggregation above some thousands", () => {
  for (const blocks of [1, 64, 1024, 4096, 100000]) {
    const grid = gridOf(blocks, 860);
    assert.ok(grid.cells * grid.perCell >= blocks && grid.columns * grid.rows >= grid.cells);
    assert.equal(grid.perCell > 1, blocks > 4096);
    assert.ok(grid.columns * grid.side <= 860);
  }
});

test("cells are a little smaller where that saves a row", () => {
  const { side, columns, rows } = gridOf(64, 870);
  assert.deepEqual([side, columns, rows], [27, 32, 2]);
  assert.equal(gridOf(12, 870).side, 28);
});

test("a label keeps every character of its text, in lines that fit", () => {
  const text = "The capital of France is Paris, isn't it, my dear?";
  assert.equal(labelLines(text).join(""), text);
  assert.ok(labelLines("x".repeat(500)).every((line) => line.length <= 36));
  assert.deepEqual(labelLines(""), [""]);
});
