// Where a picture cannot be trusted, in words: the same table as in Python (tests/viz/test_js.py passes it in).

import assert from "node:assert/strict";
import test from "node:test";
import { doubtLine, streamLine } from "../../../radixlab/viz/js/doubt.js";
import { stateFromJson } from "../../../radixlab/viz/js/cachestate.js";
import { fold, STREAM_COUNTERS } from "../../../radixlab/viz/js/fold.js";

const report = (more) => ({
  type: "StreamReported", seq: 0, step: 0, publisher: "", cause: "missing", first: 3, last: 5,
  missing_payloads: 0, lost_payloads: 0, refused_messages: 0, left_out_blocks: 0, publisher_restarts: 0, ...more,
});

test("each line is Python's", () => {
  for (const [totals, line] of JSON.parse(process.env.DOUBTS ?? "[]")) {
    const state = fold(stateFromJson({ num_blocks: 4, block_size: 4 }), report(totals));
    assert.equal(doubtLine(state), line);
  }
  assert.equal(doubtLine({}), "");
});

test("each cause is said, with its publisher and the payloads", () => {
  assert.match(streamLine(report({ publisher: "rank 1" })), /^rank 1: payloads 3 to 5 did not arrive/);
  assert.match(streamLine(report({ last: 3 })), /^payload 3 did not arrive/);
  for (const cause of ["fewer", "whole", "lost", "restarted", "refused", "left_out"]) {
    assert.match(streamLine(report({ cause })), / .* /);
  }
  assert.equal(streamLine(report({ cause: "constructor" })), "constructor");
});

test("a number that is none does not fit", () => {
  for (const name of STREAM_COUNTERS) {
    for (const value of ["9", null, 1.5, undefined, {}]) {
      const state = stateFromJson({ num_blocks: 4, block_size: 4 });
      assert.throws(() => fold(state, report({ [name]: value })), /must be a whole number/);
    }
  }
});
