import assert from "node:assert/strict";
import test from "node:test";
import { changesAt } from "../../../radixlab/viz/js/changes.js";
import { linkOf } from "../../../radixlab/viz/js/facts.js";
import { stateFromJson, stateToJson } from "../../../radixlab/viz/js/cachestate.js";
import { foldAll } from "../../../radixlab/viz/js/fold.js";
import { Timeline } from "../../../radixlab/viz/js/timeline.js";
import { logs } from "./golden.mjs";

const long = logs.at(-1);

function full({ recording, plain } = long, start = 0) {
  const timeline = new Timeline(recording.keyframe, start);
  timeline.append(start, plain);
  return timeline;
}

test("a step back equals a fold from the start, wherever it comes from", () => {
  assert.ok(long.plain.length > 600, "the log spans several keyframes");
  const timeline = full();
  for (const at of [600, 599, 255, 256, 257, 0, 1, timeline.end, 300, 10, 9]) {
    const expected = foldAll(stateFromJson(long.recording.keyframe), long.plain.slice(0, at));
    assert.deepEqual(stateToJson(timeline.stateAt(at)), stateToJson(expected), `at ${at}`);
  }
});

test("looking back changes nothing at the end", () => {
  const timeline = full();
  const before = JSON.stringify(stateToJson(timeline.stateAt(timeline.end)));
  for (let at = timeline.end; at >= 0; at -= 97) timeline.stateAt(at);
  assert.equal(JSON.stringify(stateToJson(timeline.stateAt(timeline.end))), before);
});

test("events known already are skipped, a gap is refused", () => {
  const timeline = new Timeline(long.recording.keyframe);
  assert.ok(timeline.append(0, long.plain.slice(0, 5)));
  assert.ok(timeline.append(3, long.plain.slice(3, 8)));
  assert.ok(timeline.append(0, long.plain.slice(0, 2)));
  assert.equal(timeline.end, 8);
  assert.equal(timeline.append(9, long.plain.slice(9)), false);
  assert.equal(timeline.end, 8);
});

test("a log may start at any number", () => {
  const timeline = full(long, 1000);
  assert.equal(timeline.end, 1000 + long.plain.length);
  assert.deepEqual(timeline.eventBefore(1001), long.plain[0]);
  assert.equal(timeline.eventBefore(1000), null);
});

test("marks are found in both directions", () => {
  const timeline = full();
  const kinds = new Set(timeline.marks.map((mark) => mark.kind));
  assert.deepEqual([...kinds].sort(), ["copy", "evict", "full", "match", "split"]);
  const first = timeline.nextMark(0);
  const second = timeline.nextMark(first.position);
  assert.equal(timeline.nextMark(second.position, -1), first);
  assert.equal(timeline.nextMark(timeline.end + 1), null);
  assert.equal(timeline.nextMark(0, -1), null);
});

test("forks are known from the log, and from before it", () => {
  const { plain, recording } = logs[0];
  const timeline = new Timeline(recording.keyframe, 0, [[7, 3]]);
  timeline.append(0, plain);
  assert.deepEqual([...timeline.forks], [[7, 3], [2, 1]]);
});

test("a log that does not fit stops before the event that does not, and says which", () => {
  const timeline = new Timeline({ num_blocks: 4, block_size: 4 });
  timeline.append(0, [{ type: "RequestPreempted" }, { type: "NodeSplit", node_id: 7 }, { type: "OutOfBlocks" }]);
  assert.equal(timeline.end, 1);
  assert.match(timeline.error, /^event 1 \(NodeSplit\): node 7 does not exist/);
});

test("the link of a sequence, a node and a block agree", () => {
  const state = full().stateAt(400);
  for (const sequence of state.sequences.values()) {
    const link = linkOf(state, { kind: "sequence", id: sequence.id });
    assert.deepEqual([...link.blocks], sequence.block_table);
    for (const node of link.nodes) {
      assert.ok(linkOf(state, { kind: "node", id: node }).sequences.has(sequence.id));
    }
    for (const block of link.blocks) {
      assert.ok(linkOf(state, { kind: "block", id: block }).sequences.has(sequence.id));
    }
  }
});
