// Two logs side by side, the half without a page: where they part, and one axis for both.
// `firstDivergence` is the same function as in radixlab/observe/divergence.py; a test compares the two.

import { deedWords } from "./deeds.js";
import { copyState, expand, fold, pathOf, stateFromJson } from "./fold.js";

const EXPLAINS = new Set(["type", "seq", "step", "site", "tick", "evicted_tick", "miss_reason"]);
const NOT_BY_ORDER = /host full$|corrupt KV/g; // what of a reason is more than the policy's order
const NODE_FIELDS = new Set(["node_id", "upper_id", "host_node_id"]);
const EMPTIES = new Set(["BlockRemoved", "TreeResynced", "CacheRestarted", "AllBlocksCleared"]);

/**
 * Where two runs `{name, start, events}` part: `{at, request, text}`; null where they are the same.
 * `start` is a state; `at` is the number of the event, from 0, in both; `request` counts from 1, 0 is before the first.
 */
export function firstDivergence(a, b) {
  const differ = startsDiffer(a.start, b.start);
  if (differ) return { at: 0, request: 0, text: `The runs begin in different states: ${differ}.` };
  const [left, right] = [deedsOf(a), deedsOf(b)];
  let request = 0;
  for (let at = 0; at < Math.max(a.events.length, b.events.length); at += 1) {
    const deeds = [left.next().value, right.next().value];
    if ([a, b].some((run) => run.events[at]?.type === "SequenceStarted")) request += 1;
    if (deeds[0]?.key === deeds[1]?.key) continue;
    const where = request ? `in request ${request}` : "before the first request";
    return { at, request, text: `The runs part ${where}, at event ${at + 1}: ${saidOf(a, b, at, deeds)}.` };
  }
  return null;
}

/** One line: where two runs part, or that they are the same. */
export function verdictOf(a, b, found = firstDivergence(a, b)) {
  if (found) return found.text;
  const requests = a.events.filter((event) => event.type === "SequenceStarted").length;
  const number = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
  return `The runs are the same: ${number(requests, "request")}, ${number(a.events.length, "event")}.`;
}

function saidOf(a, b, at, [left, right]) {
  const [one, two] = [a, b].map((run) => (run.events[at] ? deedWords(run.events[at]) : ""));
  if (one !== two || !left || !right) return `${a.name} ${one || "has ended"}, ${b.name} ${two || "has ended"}`;
  const name = Object.keys(left.facts).find((key) => JSON.stringify(left.facts[key]) !== JSON.stringify(right.facts[key]));
  return `${a.name} and ${b.name} ${one}, but ${name} differs`;
}

/** What each event of a run did, without what only explains it, and with nodes and sequences counted as they appear. */
function* deedsOf(run) {
  const state = copyState(run.start);
  const names = new RunNames();
  contentsOf(state, names);
  for (const event of run.events) {
    const facts = { type: event.type };
    for (const name of Object.keys(event)) if (!EXPLAINS.has(name)) facts[name] = plainFact(event, name, names);
    yield { facts, key: JSON.stringify(facts) };
    fold(state, event);
    if (EMPTIES.has(event.type)) names.forgetNodes(state);
  }
}

/** Numbers nodes and sequences in the order in which a log first names them. */
class RunNames {
  constructor() {
    this.known = { node: new Map(), sequence: new Map() };
    this.next = 0;
  }

  of(kind, id) {
    if (id === null || id === undefined) return null;
    const known = this.known[kind];
    if (!known.has(id)) known.set(id, this.next++);
    return known.get(id);
  }

  /** Forget the removed nodes: a tree may give their ids again, to other nodes. */
  forgetNodes(state) {
    for (const id of this.known.node.keys()) if (!state.nodes.has(id)) this.known.node.delete(id);
  }
}

function plainFact(event, name, names) {
  const value = event[name];
  if (NODE_FIELDS.has(name) || (name === "parent_id" && event.type !== "SequenceForked")) return names.of("node", value);
  if (name === "sequence_id" || name === "parent_id") return names.of("sequence", value);
  if (name.endsWith("_runs")) return expand(value);
  if (name === "reason" && event.type === "BlockRemoved") return value.match(NOT_BY_ORDER) ?? [];
  if (name === "reason" && event.type === "WrittenBack") return null;
  if (name !== "nodes") return value;
  const rows = [...value].sort((a, b) => compareLists(a[4], b[4]) || a[0] - b[0]);
  return rows.map((row) => [names.of("node", row[0]), names.of("node", row[1]), ...row.slice(2, 6)]);
}

function compareLists(a, b) {
  const at = a.findIndex((item, k) => item !== b[k]);
  if (at < 0) return a.length - b.length;
  return at < b.length ? a[at] - b[at] : 1;
}

/** What a state holds, without ids of nodes and sequences, ticks and counters. */
function contentsOf(state, names) {
  const byPath = [...state.nodes.values()].map((node) => [pathKey(state, node.id), node]);
  byPath.sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  const nodes = byPath.map(([path, node]) => {
    names.of("node", node.id);
    return [path, node.block_ids, node.resident !== false, node.lock_ref];
  });
  const ordered = [...state.sequences.values()].sort((a, b) => a.id - b.id);
  const sequences = ordered.map((s) => {
    names.of("sequence", s.id);
    return [s.namespace, s.tokens, s.block_table, s.hit_tokens, names.of("node", s.node_id)];
  });
  return JSON.stringify([nodes, sequences, state.transfers]);
}

function pathKey(state, nodeId) {
  const path = pathOf(state, nodeId).reverse();
  return JSON.stringify([path[0].namespace, path.map((node) => node.tokens)]);
}

function startsDiffer(a, b) {
  const sizes = { num_blocks: "blocks", block_size: "tokens a block", num_host_blocks: "host blocks" };
  for (const [name, what] of Object.entries(sizes)) if (a[name] !== b[name]) return `${a[name]} and ${b[name]} ${what}`;
  const same = contentsOf(a, new RunNames()) === contentsOf(b, new RunNames());
  return same ? "" : "they hold different contents";
}

/** A run to compare, of a recording's keyframe and events. */
export function runOf(name, keyframe, events) {
  return { name, start: stateFromJson(keyframe), events };
}

/** The turns of a log, `{key, start, stop}`: from the start of one request to the next; the first one has no request. */
export function turnsOf(events) {
  const seen = new Map();
  const turns = [{ key: "", start: 0 }];
  events.forEach((event, start) => {
    if (event.type !== "SequenceStarted") return;
    const prompt = JSON.stringify([event.namespace, event.token_ids]);
    const again = seen.get(prompt) ?? 0;
    seen.set(prompt, again + 1);
    turns.push({ key: `${again} ${prompt}`, start });
  });
  return turns.map((turn, k) => ({ ...turn, stop: turns[k + 1]?.start ?? events.length }));
}

/**
 * One axis for two logs: `{turns, length}`. A turn has `start` and `length` on the axis, and in each log the events
 * `a` and `b`, `[start, stop]`. Equal requests share a turn, as many as the order of both allows; others stand alone.
 */
export function axisOf(eventsA, eventsB) {
  const [a, b] = [turnsOf(eventsA), turnsOf(eventsB)];
  const turns = [];
  let [i, j, start] = [0, 0, 0];
  const add = (one, two) => {
    const at = { a: one ? [one.start, one.stop] : [a[i]?.start ?? eventsA.length, a[i]?.start ?? eventsA.length] };
    at.b = two ? [two.start, two.stop] : [b[j]?.start ?? eventsB.length, b[j]?.start ?? eventsB.length];
    const length = Math.max(at.a[1] - at.a[0], at.b[1] - at.b[0]);
    turns.push({ ...at, start, length, shared: Boolean(one && two) });
    start += length;
  };
  for (const [nextI, nextJ] of [...pairsOf(a, b), [a.length, b.length]]) {
    for (; i < nextI; i += 1) add(a[i], null);
    for (; j < nextJ; j += 1) add(null, b[j]);
    if (nextI < a.length) add(a[i], b[j]);
    [i, j] = [nextI + 1, nextJ + 1];
  }
  return { turns, length: start };
}

/** The longest list of pairs [i, j] of equal turns in which both numbers rise (patience sorting). */
function pairsOf(a, b) {
  const place = new Map(b.map(({ key }, j) => [key, j]));
  const both = a.flatMap(({ key }, i) => (place.has(key) ? [{ i, j: place.get(key), before: null }] : []));
  const ends = []; // the pair with the smallest j that ends a list of each length
  for (const pair of both) {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ends[middle].j < pair.j) low = middle + 1;
      else high = middle;
    }
    pair.before = ends[low - 1] ?? null;
    ends[low] = pair;
  }
  const kept = [];
  for (let pair = ends.at(-1) ?? null; pair; pair = pair.before) kept.push([pair.i, pair.j]);
  return kept.reverse();
}

/** The turn at a position of the axis: the one that its last event is in. */
export function turnAt({ turns }, position) {
  return turns.findLast((turn) => turn.length && turn.start < position) ?? turns[0];
}

/** How many events of each log have happened at a position of the axis. */
export function positionsAt(axis, position) {
  const turn = turnAt(axis, position);
  const within = ([start, stop]) => Math.min(start + Math.max(0, position - turn.start), stop);
  return { a: within(turn.a), b: within(turn.b) };
}

/** The position of the axis just after event `at` of log `side` ("a" or "b"). */
export function axisPosition({ turns }, side, at) {
  const turn = turns.find(({ [side]: [start, stop] }) => start <= at && at < stop);
  return turn ? turn.start + at - turn[side][0] + 1 : turns.at(-1).start + turns.at(-1).length;
}

/**
 * `state` with the ghosts of `other`: what the other run has cached and this one has not, as nodes with negative ids,
 * without blocks, under the nodes that they would continue.
 */
export function withGhosts(state, other, name) {
  const contents = new Map();
  const mine = new Map(); // content up to the end of a block → the node that has the block
  for (const [node, keys] of keysByNode(state, contents)) for (const key of keys) mine.set(key, node.id);
  const nodes = new Map(state.nodes);
  const stand = new Map(); // id of the other run's node → the id that stands for it here
  let next = -1;
  for (const [node, keys] of keysByNode(other, contents)) {
    const known = keys.filter((key) => mine.has(key)).length;
    const above = known ? mine.get(keys[known - 1]) : (stand.get(node.parent_id) ?? null);
    stand.set(node.id, above);
    if (known === keys.length) continue;
    const tokens = node.tokens.slice(known * other.block_size);
    const ghost = `only in ${name} · ${keys.length - known} block${keys.length - known === 1 ? "" : "s"}`;
    nodes.set(next, { ...node, id: next, parent_id: above, tokens, block_ids: [], lock_ref: 0, resident: true, ghost });
    stand.set(node.id, next);
    next -= 1;
  }
  return { ...state, nodes };
}

/** Each node, parents first, with a number per block for the content from the top of the tree to the block's end. */
function keysByNode(state, contents) {
  const last = new Map();
  return topDown(state).map((node) => {
    let key = last.get(node.parent_id) ?? `${node.namespace ?? ""}`;
    const keys = node.block_ids.map((_, k) => {
      const content = `${key}|${node.tokens.slice(k * state.block_size, (k + 1) * state.block_size)}`;
      if (!contents.has(content)) contents.set(content, contents.size);
      key = contents.get(content);
      return key;
    });
    last.set(node.id, key);
    return [node, keys];
  });
}

function topDown(state) {
  const depth = (node) => pathOf(state, node.id).length;
  const byDepth = [...state.nodes.values()].map((node) => [depth(node), node]);
  return byDepth.sort(([a], [b]) => a - b).map(([, node]) => node);
}
