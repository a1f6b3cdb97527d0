import assert from "node:assert/strict";
import test from "node:test";
import { blockFacts, countFacts } from "../../../radixlab/viz/js/facts.js";
import { expand, stateFromJson, stateToJson } from "../../../radixlab/viz/js/cachestate.js";
import { fold } from "../../../radixlab/viz/js/fold.js";
import { summary } from "../../../radixlab/viz/js/summary.js";
import { unpack } from "../../../radixlab/viz/js/timeline.js";
import { whyLine } from "../../../radixlab/viz/js/why.js";
import { logs } from "./golden.mjs";

const plainState = (state) => JSON.parse(JSON.stringify(stateToJson(state)));

for (const { name, recording, plain, states } of logs) {
  test(`fold, counts and words equal Python's after every event: ${name}`, () => {
    const state = stateFromJson(recording.keyframe);
    const vocab = new Map(Object.entries(recording.vocab).map(([id, text]) => [Number(id), text]));
    recording.events.forEach((row, k) => {
      fold(state, unpack(row, recording.fields));
      assert.deepEqual(plainState(state), states[k].state, `after event ${k}: ${row[0]}`);
      const { free, evictable, in_use: used, hit_rate: rate, on_host: onHost } = countFacts(state);
      assert.deepEqual([free, evictable, used, rate, onHost], states[k].counts);
      const facts = blockFacts(state);
      const blocks = Array.from(facts.standing, (standing, block) => [standing, facts.readers[block]]);
      assert.deepEqual(blocks, states[k].blocks);
      assert.equal(summary(state, vocab), states[k].summary);
      assert.equal(summary(state), states[k].ids);
    });
  });

  test(`rows unpack to the events of a recording: ${name}`, () => {
    const events = recording.events.map((row) => unpack(row, recording.fields));
    assert.deepEqual(events, plain);
  });

  test(`every event has a sentence: ${name}`, () => {
    const state = stateFromJson(recording.keyframe);
    for (const event of plain) {
      fold(state, event);
      const line = whyLine(event, state);
      assert.ok(line.length > 10 && !/undefined|null|NaN/.test(line), `${event.type}: ${line}`);
    }
  });
}

test("every type of event occurs in the log by hand", () => {
  assert.equal(new Set(logs[0].plain.map((event) => event.type)).size + 1, Object.keys(logs[0].recording.fields).length);
});

test("sentences give the engine's reasons", () => {
  const { plain, recording } = logs[0];
  const state = stateFromJson(recording.keyframe);
  const lines = plain.map((event) => whyLine(event, fold(state, event)));
  assert.ok(lines.includes("evicted the last 1 block of node 1: leaf, unlocked, least recent (tick 3)"));
  const unordered = { type: "BlockRemoved", node_id: 77, block_runs: [[3, 1]], reason: "evicted", tick: 0 };
  assert.equal(whyLine(unordered, state), "evicted node 77 (1 block): leaf, unlocked"); // `watch` knows no order
  assert.ok(lines.includes("copied block 6 → 7: sequence 2 wrote, sequence 1 still reads"));
  const copy = { type: "BlockCopied", sequence_id: 1, table_index: 2, src: 2, dst: 4 };
  const before = (k) => (k === 2 ? { type: "PrefixMatched", sequence_id: 1 } : { type: "BlocksAllocated", sequence_id: 1 });
  assert.match(whyLine(copy, state, before), /^copied block 2 → 4: its first tokens are those of sequence 1/);
  const missed = { type: "PrefixMatched", sequence_id: 1, hit_tokens: 4, num_tokens: 16, miss_reason: "evicted", evicted_tick: 97 };
  assert.match(whyLine(missed, state), /missed 3 blocks: evicted at tick 97$/);
});

test("sentences tell the tiers apart", () => {
  const { plain, recording } = logs[0];
  const state = stateFromJson(recording.keyframe);
  const lines = plain.map((event) => whyLine(event, fold(state, event)));
  assert.ok(lines.includes("wrote back node 9 (1 block) to host blocks 2: least recent (tick 3)"));
  assert.ok(lines.includes("loaded back node 9 (1 block), host blocks 2 → 10: a prompt asks for it"));
  const dropped = { type: "BlockRemoved", node_id: 77, block_runs: [[2, 3]], reason: "host full", tick: 5 };
  assert.equal(whyLine(dropped, state), "dropped node 77 (3 blocks) from the host: host full, least recent there (tick 5)");
});

test("locks are told by the nodes they hold, and a lock that moves by both its ends", () => {
  const state = stateFromJson({
    num_blocks: 8,
    block_size: 4,
    nodes: [{ id: 2, parent_id: null, lock_ref: 3 }, { id: 4, parent_id: 2, lock_ref: 1 }, { id: 5, parent_id: 4, lock_ref: 0 }],
  });
  const locked = { type: "NodeLocked", node_id: 4, sequence_id: 2 };
  const unlocked = { type: "NodeUnlocked", node_id: 2, sequence_id: 2 };
  const after = (event) => (k) => (k === 1 ? event : null);
  assert.equal(whyLine(locked, state), "node 4 and node 2 above it were locked for sequence 2: they cannot be evicted");
  assert.equal(whyLine({ ...locked, node_id: 2, sequence_id: null }, state), "node 2 was locked: it cannot be evicted");
  assert.equal(
    whyLine(unlocked, state, after(locked)),
    "sequence 2's lock moved from node 2 to node 4: node 2 is still locked by 3, at or below it",
  );
  assert.equal(whyLine(unlocked, state, after({ ...locked, sequence_id: 7 })), "node 2 lost sequence 2's lock");
  assert.equal(
    whyLine({ ...unlocked, node_id: 5, sequence_id: null }, state),
    "node 5 and the 2 nodes above it lost one lock",
  );
});

test("blocks just evicted go straight to the taker", () => {
  const state = stateFromJson({ num_blocks: 8, block_size: 4 });
  const evicted = (first, count) => ({ type: "BlockRemoved", block_runs: [[first, count]] });
  const took = (...past) =>
    whyLine({ type: "BlocksAllocated", sequence_id: 3, block_runs: [[4, 4]] }, state, (k) => past.at(-k) ?? null);
  assert.equal(took(), "sequence 3 took blocks 4–7");
  assert.equal(took(evicted(4, 1), evicted(5, 1)), "sequence 3 took blocks 4–7 (2 of them just evicted)");
  assert.equal(took(evicted(4, 4)), "sequence 3 took blocks 4–7 (just evicted)");
  assert.equal(took(evicted(4, 4), { type: "NodeLocked" }), "sequence 3 took blocks 4–7");
});

test("what does not fit raises one clear error", () => {
  const state = stateFromJson({ num_blocks: 4, block_size: 4 });
  assert.throws(() => fold(state, { type: "Nonsense" }), /unknown event type "Nonsense"/);
  assert.throws(() => fold(state, { type: "constructor" }), /unknown event type/);
  assert.throws(() => fold(state, { type: "NodeSplit", node_id: 3 }), /node 3 does not exist/);
  assert.throws(() => expand([[0, 1e12]]), /run of/);
  assert.throws(() => stateFromJson({ num_blocks: -1, block_size: 4 }), /num_blocks/);
});
