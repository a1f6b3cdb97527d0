// The marks of a picture: equal to Python's oracle at every position, and in the order of the log.
import assert from "node:assert/strict";
import test from "node:test";
import { changesAt } from "../../../radixlab/viz/js/changes.js";
import { Timeline } from "../../../radixlab/viz/js/timeline.js";
import { logs } from "./golden.mjs";

function timelineOf({ recording, plain }) {
  const timeline = new Timeline(recording.keyframe);
  timeline.append(0, plain);
  return timeline;
}

const sorted = (set) => [...set].sort((a, b) => a - b);

function marksAt(timeline, position) {
  const changes = changesAt(timeline, position);
  const marks = { copies: changes.copies };
  for (const kind of ["hit", "new", "evicted"]) {
    marks[`${kind} `] = sorted(changes[kind].blocks);
    marks[`${kind} host`] = sorted(changes[kind].hostBlocks);
  }
  return marks;
}

for (const log of logs.filter(({ states }) => states[0].marks)) {
  test(`marks equal Python's at every position: ${log.name}`, () => {
    const timeline = timelineOf(log);
    log.states.forEach(({ marks }, k) => {
      assert.deepEqual(marksAt(timeline, k + 1), marks, `after event ${k}: ${log.plain[k].type}`);
    });
  });
}

function run(...events) {
  const timeline = new Timeline({ num_blocks: 8, block_size: 4, num_host_blocks: 8, nodes: [leaf(1, [0, 1]), leaf(2, [2])] });
  timeline.append(0, events.map((event) => ({ step: 0, ...event })));
  assert.equal(timeline.error, null);
  return marksAt(timeline, timeline.end);
}

const leaf = (id, blocks) => ({
  id, parent_id: null, tokens: blocks.flatMap((block) => [block, 0, 0, 0]), block_ids: blocks, lock_ref: 0, num_hits: 0, tick: 0, resident: true,
});
const removed = { type: "BlockRemoved", node_id: 1, block_runs: [[0, 2]], reason: "least recent", tick: 0 };
const started = { type: "SequenceStarted", sequence_id: 7, namespace: null, token_ids: [9, 9, 9, 9, 9] };
const took = { type: "BlocksAllocated", sequence_id: 7, block_runs: [[0, 1]] };
const finished = { type: "RequestFinished", sequence_id: 7, reason: "released", tick: 5 };

test("what is evicted and then taken by the same call is new", () => {
  const marks = run(started, removed, took);
  assert.deepEqual([marks["new "], marks["evicted "]], [[0], [1]]);
});

test("the next call starts with no marks", () => {
  const marks = run(started, removed, took, finished);
  assert.deepEqual([marks["new "], marks["evicted "]], [[], []]);
});

test("what is written back and loaded again by the same call is new on the device, and evicted on the host", () => {
  const written = { type: "WrittenBack", node_id: 1, host_node_id: 1, block_runs: [[0, 2]], host_runs: [[4, 2]], tick: 0 };
  const loaded = { type: "LoadedBack", node_id: 1, host_runs: [[4, 2]], block_runs: [[1, 1], [0, 1]] };
  const marks = run(started, written, loaded);
  assert.deepEqual([marks["new "], marks["evicted "]], [[0, 1], []]);
  assert.deepEqual([marks["new host"], marks["evicted host"]], [[], [4, 5]]);
});

test("another sequence or another step is another call", () => {
  const other = { ...took, sequence_id: 8, block_runs: [[2, 1]] };
  const two = run(started, { ...started, sequence_id: 8 }, took);
  assert.deepEqual(two["new "], [0]);
  assert.deepEqual(run(started, { ...started, sequence_id: 8 }, took, other)["new "], [2]);
  assert.deepEqual(run(started, took, { ...removed, node_id: 2, block_runs: [[2, 1]], step: 1 })["new "], []);
});

test("the legend can switch a mark off", () => {
  const timeline = new Timeline({ num_blocks: 8, block_size: 4 });
  timeline.append(0, [started, took]);
  assert.deepEqual(sorted(changesAt(timeline, 2).new.blocks), [0]);
  assert.deepEqual(sorted(changesAt(timeline, 2, new Set(["new"])).new.blocks), []);
});
