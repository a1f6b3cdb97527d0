// Two logs: the quick divergence is the one of a slow comparison, and Python's; the axis keeps both orders.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { copyState, stateFromJson } from "../../../radixlab/viz/js/cachestate.js";
import { fold } from "../../../radixlab/viz/js/fold.js";
import { deedWords } from "../../../radixlab/viz/js/deeds.js";
import { axisOf, axisPosition, positionsAt, turnAt, turnsOf } from "../../../radixlab/viz/js/axis.js";
import { firstDivergence, runOf, verdictOf } from "../../../radixlab/viz/js/divergence.js";
import { withGhosts } from "../../../radixlab/viz/js/ghost.js";
import { contentsByPrefix, prefixesFor } from "../../../radixlab/viz/js/prefixes.js";

const { pairs, words } = JSON.parse(readFileSync(process.env.PAIRS, "utf8"));
const load = ({ name, start, events }) => runOf(name, start, events);

/** Compare whole states and outcomes after every event; nothing is counted or remembered. */
function slowDivergence(a, b) {
  const [left, right] = [[...moments(a)], [...moments(b)]];
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) if (left[at] !== right[at]) return Math.max(0, at - 1);
  return null;
}

function* moments({ start, events }) {
  const state = copyState(start);
  const began = new Map([...state.sequences.keys()].sort((a, b) => a - b).map((id, k) => [id, -1 - k]));
  yield whole(state, began);
  for (const [at, event] of events.entries()) {
    const before = copyState(state);
    fold(state, event);
    if (["SequenceStarted", "SequenceForked"].includes(event.type)) began.set(event.sequence_id, at);
    yield JSON.stringify([outcome(event, before, state, began), whole(state, began)]);
  }
}

function content(state, id) {
  if (!state.nodes.has(id)) return null;
  const path = [];
  for (let node = state.nodes.get(id); node; node = state.nodes.get(node.parent_id)) path.unshift(node);
  return [path[0].namespace, path.flatMap((node) => node.tokens)];
}

function whole(state, began) {
  const nodes = [...state.nodes.values()].map((n) => JSON.stringify([content(state, n.id), n.block_ids, n.resident, n.lock_ref]));
  const sequences = [...state.sequences.values()].map((s) => JSON.stringify([began.get(s.id), s.tokens, s.block_table, s.hit_tokens, content(state, s.node_id)]));
  return JSON.stringify([state.num_blocks, state.num_host_blocks, nodes.sort(), sequences.sort(), state.transfers]);
}

function outcome(event, before, after, began) {
  const { seq: _1, step: _2, site: _3, tick: _4, evicted_tick: _5, miss_reason: _6, nodes: _7, ...facts } = event;
  for (const name of Object.keys(facts)) {
    const isFork = event.type === "SequenceForked";
    if (name === "sequence_id" || (name === "parent_id" && isFork)) facts[name] = began.get(facts[name]) ?? null;
    else if (name === "parent_id") facts[name] = content(after, facts[name]);
    else if (["node_id", "upper_id", "host_node_id"].includes(name)) facts[name] = [content(before, facts[name]), content(after, facts[name])];
    else if (name === "reason" && event.type === "BlockRemoved") facts[name] = ["host full", "corrupt KV"].filter((part) => event.reason.includes(part));
    else if (name === "reason" && event.type === "WrittenBack") facts[name] = null;
  }
  return facts;
}

test("the first divergence is the one of the slow comparison, and Python's, word for word", () => {
  const kinds = new Set();
  for (const { kind, a, b, found, verdict } of pairs) {
    const [one, two] = [load(a), load(b)];
    assert.deepEqual(firstDivergence(one, two), found, kind);
    assert.equal(firstDivergence(one, two)?.at ?? null, slowDivergence(one, two), kind);
    assert.equal(verdictOf(one, two), verdict, kind);
    kinds.add(kind);
  }
  assert.ok(kinds.size >= 12);
});

test("events are told in Python's words", () => {
  for (const { event, said } of words) assert.equal(deedWords(event), said);
});

test("the axis holds every event of both logs once, in order, and equal requests together", () => {
  for (const { a, b } of pairs) {
    const axis = axisOf(a.events, b.events);
    for (const [side, { events }] of [["a", a], ["b", b]]) {
      const at = axis.turns.flatMap(({ [side]: [start, stop] }) => Array.from({ length: stop - start }, (_, k) => start + k));
      assert.deepEqual(at, [...events.keys()]);
      for (const k of events.keys()) assert.equal(positionsAt(axis, axisPosition(axis, side, k))[side], k + 1);
    }
    let before = { a: 0, b: 0 };
    for (let position = 0; position <= axis.length; position += 1) {
      const now = positionsAt(axis, position);
      assert.ok(now.a - before.a <= 1 && now.b - before.b <= 1 && now.a >= before.a && now.b >= before.b, `at ${position}`);
      before = now;
      const { shared, start } = turnAt(axis, position);
      if (shared && position === start + 1 && start) assert.deepEqual(a.events[now.a - 1].token_ids, b.events[now.b - 1].token_ids);
    }
    assert.deepEqual(before, { a: a.events.length, b: b.events.length });
  }
});

const start = (id, ...tokens) => ({ type: "SequenceStarted", sequence_id: id, namespace: null, token_ids: tokens });
const full = { type: "OutOfBlocks", num_needed: 9, num_free: 0, num_evictable: 0 };

test("a request that one run refused shifts nothing: the others stay together", () => {
  const a = [start(0, 1), start(1, 2), start(2, 3), start(3, 1)];
  const b = [start(0, 1), full, start(1, 3), start(2, 1)];
  const shared = axisOf(a, b).turns.filter((turn) => turn.shared).map(({ a: [i], b: [j] }) => [i, j]);
  assert.deepEqual(shared, [[0, 0], [0, 0], [2, 2], [3, 3]]);
});

test("equal prompts are told apart by how often they came; requests in another order stay in theirs", () => {
  assert.equal(new Set(turnsOf([start(0, 1), start(1, 1), start(2, 1)]).map(({ key }) => key)).size, 4);
  const axis = axisOf([start(0, 1), start(1, 2), start(2, 3)], [start(0, 3), start(1, 1), start(2, 2)]);
  assert.equal(axis.turns.filter((turn) => turn.shared).length, 3); // before the first, and two of three
});

test("ghosts are what the other run has and this one has not, block by block", () => {
  for (const { a, b } of pairs) {
    const ends = [a, b].map(({ start: first, events }) => events.reduce(fold, stateFromJson(first)));
    const prefixes = prefixesFor(...ends.map((end) => end.block_size));
    const moments = ends.map((state, k) => ({ name: "ab"[k], state, contents: contentsByPrefix(state, prefixes) }));
    const merged = withGhosts(...moments);
    const ghosts = [...merged.nodes.values()].filter((node) => node.ghost);
    const blocks = (state) => new Set([...state.nodes.values()].flatMap((node) => {
      const [namespace, tokens] = content(state, node.id);
      const past = tokens.length - node.tokens.length;
      return Array.from({ length: node.tokens.length / state.block_size }, (_, k) => JSON.stringify([namespace, tokens.slice(0, past + (k + 1) * state.block_size)]));
    }));
    const mine = blocks(ends[0]);
    const missing = [...blocks(ends[1])].filter((key) => !mine.has(key));
    assert.equal(ghosts.reduce((sum, node) => sum + node.tokens.length / merged.block_size, 0), missing.length);
    assert.ok(ghosts.every((node) => node.id < 0 && !node.block_ids.length && (node.parent_id === null || merged.nodes.has(node.parent_id))));
    assert.deepEqual([...merged.nodes.values()].filter((node) => !node.ghost), [...ends[0].nodes.values()]);
  }
});
