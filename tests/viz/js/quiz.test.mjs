// Predict mode: its questions are those of the log, its answers what the log then does.
import assert from "node:assert/strict";
import test from "node:test";
import { copyState, stateFromJson } from "../../../radixlab/viz/js/cachestate.js";
import { fold } from "../../../radixlab/viz/js/fold.js";
import { evictableNodes, evidenceOf, judge } from "../../../radixlab/viz/js/judge.js";
import { questionAt } from "../../../radixlab/viz/js/questions.js";
import { Quiz } from "../../../radixlab/viz/js/quiz.js";
import { Timeline, unpack } from "../../../radixlab/viz/js/timeline.js";
import { logs } from "./golden.mjs";

function timelineOf({ recording }, change = (events) => events) {
  const timeline = new Timeline(recording.keyframe, 0);
  timeline.append(0, change(recording.events.map((row) => unpack(row, recording.fields))));
  return timeline;
}

function* walk(timeline, recording) {
  const state = stateFromJson(recording.keyframe);
  for (const [position, event] of timeline.events.entries()) {
    yield { position, event, state: copyState(state), after: fold(state, event) };
  }
}

const openText = ({ kind, target, text, prompt }) => JSON.stringify([kind, target, text, prompt]);

for (const log of logs) {
  test(`each question is answered by what happens next: ${log.name}`, () => {
    const timeline = timelineOf(log);
    for (const { position, event, state, after } of walk(timeline, log.recording)) {
      const question = questionAt(timeline, position);
      if (event.type === "BlockCopied") assert.equal(question.block, event.src);
      if (question?.kind === "copy") assert.ok(judge(question, { kind: "block", id: event.src }, state).right);
      if (question?.kind === "split") {
        const front = after.nodes.get(event.upper_id).block_ids;
        assert.equal(question.block, front.at(-1));
        for (const block of state.nodes.get(event.node_id).block_ids) {
          assert.equal(judge(question, { kind: "block", id: block }, state).right, block === front.at(-1));
        }
      }
      if (question?.kind !== "eviction") continue;
      for (const node of state.nodes.values()) {
        const { right, text } = judge(question, { kind: "node", id: node.id }, state);
        assert.equal(right, question.nodes.includes(node.id));
        assert.ok(right || !/may go/.test(text) || evictableNodes(state).includes(node));
      }
      assert.ok(question.nodes.every((id) => !after.nodes.has(id) || evictableNodes(state).some((node) => node.id === id)));
    }
  });

  test(`every eviction by the policy and every copy is asked about, and no other removal: ${log.name}`, () => {
    const timeline = timelineOf(log);
    for (const { position, event, state } of walk(timeline, log.recording)) {
      const device = state.nodes.get(event.node_id)?.resident !== false;
      const byPolicy = ["BlockRemoved", "WrittenBack"].includes(event.type) && device && !/corrupt/.test(event.reason);
      const asked = questionAt(timeline, position);
      if (asked?.kind === "split") assert.equal(event.type, "NodeSplit");
      else assert.equal(asked !== null, byPolicy || event.type === "BlockCopied", `event ${position}: ${event.type}`);
    }
  });

  test(`no question tells its answer: ${log.name}`, () => {
    const timeline = timelineOf(log);
    for (const { position, event, state } of walk(timeline, log.recording)) {
      const question = questionAt(timeline, position);
      for (const other of question ? othersOf(event, state) : []) {
        const changed = { eventBefore: (at) => (at === position + 1 ? other : timeline.eventBefore(at)), stateAt: () => state };
        const twin = questionAt(changed, position);
        if (twin) assert.equal(openText(twin), openText(question));
      }
    }
  });
}

/** The same event with another answer. */
function othersOf(event, state) {
  if (event.type === "BlockCopied") return [...Array(state.num_blocks).keys()].map((src) => ({ ...event, src }));
  return [...state.nodes.keys()].map((node_id) => ({ ...event, node_id }));
}

test("the numbers drawn on the nodes are those by which the engine's policies decided", () => {
  let seen = 0;
  for (const log of logs.filter(({ name }) => name.startsWith("engine") || name.startsWith("policy"))) {
    const timeline = timelineOf(log);
    for (const { position, event, state } of walk(timeline, log.recording)) {
      const question = questionAt(timeline, position);
      if (question?.kind !== "eviction") continue;
      const { scores } = evidenceOf(question, state);
      assert.ok(scores.has(event.node_id), `event ${position} of ${log.name}: node ${event.node_id} could not go`);
      const ticks = evictableNodes(state).map((node) => node.tick);
      const { tick } = state.nodes.get(event.node_id);
      if (/^least recent(, host full)?$/.test(event.reason)) assert.equal(tick, Math.min(...ticks));
      if (/^most recent/.test(event.reason)) assert.equal(tick, Math.max(...ticks));
      seen += 1;
    }
  }
  assert.ok(seen > 50, `${seen} evictions`);
});

test("a walk with predict mode on stops before each question once, and never after the mode is left", () => {
  const timeline = timelineOf(logs.find(({ name }) => name.startsWith("engine")));
  const quiz = new Quiz();
  assert.equal(quiz.limit(timeline, 0, timeline.end), timeline.end);
  quiz.on = true;
  const stops = [];
  for (let at = 0; at < timeline.end; ) {
    const next = quiz.limit(timeline, at, at + 1);
    if (next === at) {
      assert.ok(quiz.questionAt(timeline, at));
      quiz.skip(timeline, at);
      stops.push(at);
    } else at = next;
  }
  assert.deepEqual(stops, timeline.events.flatMap((_, at) => (questionAt(timeline, at) ? [at] : [])));
  assert.deepEqual(quiz.score, { right: 0, asked: stops.length });
  assert.equal(quiz.limit(timeline, 0, timeline.end), timeline.end);
  quiz.reset();
  assert.equal(quiz.limit(timeline, 0, timeline.end), stops[0]);
});

test("what is no answer costs nothing; an answer is judged once", () => {
  const timeline = timelineOf(logs.find(({ name }) => name.startsWith("engine")));
  const quiz = new Quiz();
  quiz.on = true;
  const at = timeline.events.findIndex((_, k) => questionAt(timeline, k)?.kind === "eviction");
  assert.equal(quiz.pick(timeline, at, { kind: "sequence", id: 0 }), true);
  assert.equal(quiz.hint.position, at);
  assert.deepEqual(quiz.score, { right: 0, asked: 0 });
  const [id] = questionAt(timeline, at).nodes;
  assert.equal(quiz.pick(timeline, at, { kind: "node", id }), true);
  assert.equal(quiz.verdict.right, true);
  assert.match(quiz.verdict.why, new RegExp(`node ${id}\\b`));
  assert.deepEqual(quiz.score, { right: 1, asked: 1 });
  assert.equal(quiz.pick(timeline, at, { kind: "node", id }), false);
});

test("a tree under watch is asked once for all that one call evicted; a text stored below a split is its prompt", () => {
  const stored = (id, parent_id, block_runs, token_ids) => ({ type: "BlockStored", node_id: id, parent_id, namespace: null, sequence_id: null, start_token: 0, block_runs, tick: 0, token_ids });
  const removed = (node_id, block_runs) => ({ type: "BlockRemoved", node_id, block_runs, reason: "evicted", tick: 0 });
  const timeline = new Timeline({ num_blocks: 8, block_size: 2 });
  timeline.append(0, [
    stored(1, null, [[0, 3]], [1, 2, 3, 4, 5, 6]),
    { type: "NodeSplit", node_id: 1, upper_id: 2, num_blocks: 2 },
    stored(3, 2, [[5, 1]], [7, 8]),
    { type: "NodeSplit", node_id: 2, upper_id: 4, num_blocks: 1 }, // nobody knows for which text
    removed(3, [[5, 1]]),
    removed(1, [[2, 1]]),
  ]);
  assert.equal(timeline.error, null);
  const asked = timeline.events.map((_, at) => questionAt(timeline, at));
  assert.deepEqual(asked.map((question) => question?.kind ?? null), [null, "split", null, null, "eviction", null]);
  assert.deepEqual(asked[1].prompt, [1, 2, 3, 4, 7, 8]);
  assert.deepEqual(asked[4].nodes, [3, 1]);
  assert.equal(evidenceOf(asked[4], timeline.stateAt(4)), null);
});
