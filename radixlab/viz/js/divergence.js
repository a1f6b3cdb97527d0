// Where two runs part: the first event that did something else, and what one can say about it.
// The same functions as in radixlab/observe/divergence.py; a test compares the two.

import { copyState, expand, pathOf, stateFromJson } from "./cachestate.js";
import { deedWords } from "./deeds.js";
import { fold } from "./fold.js";

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
