import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { stateToJson } from "../../../radixlab/viz/js/cachestate.js";
import { blockIds } from "../../../radixlab/viz/js/blockcodec.js";
import { crc32, readRecording, refuseBySize } from "../../../radixlab/viz/js/jsonl.js";
import { Timeline } from "../../../radixlab/viz/js/timeline.js";

const { runs, damaged, foreign, ids } = JSON.parse(readFileSync(process.env.RECORDINGS, "utf8"));

/** What a file shows: its last state, or the one line that says why there is none. */
function shown(text) {
  try {
    const { recording, note } = readRecording(text);
    const timeline = new Timeline(recording.keyframe);
    timeline.append(0, recording.events);
    if (timeline.error) return { line: timeline.error };
    return { state: JSON.parse(JSON.stringify(stateToJson(timeline.tip))), line: note };
  } catch (error) {
    return { line: error.message };
  }
}

const oneLine = (line) => typeof line === "string" && line.length > 10 && line.length < 300 && !line.includes("\n");

test("a recording folds to the state that was recorded", () => {
  for (const { text, state } of runs) assert.deepEqual(shown(text), { state, line: null });
});

test("compressed block ids are decoded, and damaged ones refused", () => {
  for (const { text, expected } of ids) {
    if (expected) assert.deepEqual(blockIds(text), expected, text);
    else assert.throws(() => blockIds(text), /line 1: block ids cannot be decoded/, text);
  }
});

test("a damaged recording shows what Python reads of it, or one clear line", () => {
  for (const { how, text, state } of damaged) {
    const { state: mine, line } = shown(text);
    if (state === null) assert.equal(mine, undefined, how);
    else assert.deepEqual(mine, state, how);
    if (state === null || how === "cut off") assert.ok(oneLine(line), `${how}: ${line}`);
  }
});

test("a file that is no recording gets one clear line", () => {
  for (const [name, text] of Object.entries(foreign)) {
    const { state, line } = shown(text);
    assert.equal(state, undefined, name);
    assert.ok(oneLine(line), `${name}: ${line}`);
  }
});

test("a file is refused by its size before it is read", () => {
  assert.throws(() => refuseBySize(0), /empty/);
  assert.throws(() => refuseBySize(300 * 1024 * 1024), /300 MB: more than 256 MB/);
  refuseBySize(200 * 1024 * 1024);
});

test("the checksum is zlib's", () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
});
