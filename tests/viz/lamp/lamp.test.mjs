import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { stateFromJson } from "../../../radixlab/viz/js/cachestate.js";
import { InvariantLamp } from "../../../radixlab/viz/js/invariants.js";
import { RULE_SENTENCES } from "../../../radixlab/viz/js/sentences.js";
import { LampChecker, lampSays } from "../../../radixlab/viz/js/lamp.js";
import { Timeline } from "../../../radixlab/viz/js/timeline.js";

const { logs, sentences } = JSON.parse(readFileSync(process.env.LAMP, "utf8"));

test("the sentences are those of the rulebook", () => {
  assert.deepEqual(RULE_SENTENCES, sentences);
});

for (const { name, keyframe, events, verdicts } of logs) {
  test(`the lamp says what Python's says after every event: ${name}`, () => {
    const lamp = new InvariantLamp(stateFromJson(keyframe));
    assert.deepEqual(lamp.verdict(), verdicts[0]);
    events.forEach((event, k) => {
      lamp.follow(event);
      assert.deepEqual(lamp.verdict(), verdicts[k + 1], `after event ${k}: ${event.type}`);
    });
  });
}

function timelineOf({ keyframe, events }) {
  const timeline = new Timeline(keyframe);
  timeline.append(0, events);
  return timeline;
}

test("a checker works in slices, and comes to the same verdict", () => {
  const log = logs.find(({ verdicts, events }) => events.length > 40 && verdicts.at(-1));
  const timeline = timelineOf(log);
  const checker = new LampChecker(timeline, () => {});
  let slices = 0;
  for (; checker.behind; slices += 1) {
    let looks = 0;
    checker.advance(() => (looks += 1) > 1);
  }
  checker.settle();
  checker.stop();
  assert.ok(slices > 1);
  assert.deepEqual(checker.verdict, log.verdicts.at(-1));
});

test("the lamp has words for each colour, and a position to jump to", () => {
  const fault = { position: 7, rule: "L2", what: "node 3 has -1 locks" };
  assert.deepEqual(lampSays(9, 20, null, 3), { color: "none", text: "checking the rules: event 9 of 20", target: null });
  assert.equal(lampSays(20, 20, null, 3).color, "green");
  assert.deepEqual(lampSays(8, 20, fault, 9), {
    color: "red",
    text: "red since event 7: L2 is broken: node 3 has -1 locks",
    target: 7,
  });
  assert.equal(lampSays(8, 20, fault, 6).color, "green");
  assert.match(lampSays(8, 20, fault, 6).text, /^green up to here, red from event 7/);
  assert.equal(lampSays(8, 6, fault, 6).target, 6); // an event that does not fit is not in the log
});
