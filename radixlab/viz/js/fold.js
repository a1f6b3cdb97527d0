// The cache's state as a fold over its events: the same function as radixlab/observe/state.py.
// A golden test feeds both the same logs.

import { expand } from "./cachestate.js";
import { NODE_RULES } from "./noderules.js";
import { SEQUENCE_RULES } from "./sequencerules.js";

/** Apply one event to `state`, in place, and return it; an event that does not fit raises an error that says why. */
export function fold(state, event) {
  const rule = Object.hasOwn(FOLD_RULES, event.type) ? FOLD_RULES[event.type] : null;
  if (!rule) throw new Error(`unknown event type ${JSON.stringify(event.type ?? null)}`);
  rule(state, event);
  return state;
}

/** Apply events in order. */
export function foldAll(state, events) {
  for (const event of events) fold(state, event);
  return state;
}

const noChange = () => {};

/** What is counted of the stream of another engine's events. */
export const STREAM_COUNTERS = ["missing_payloads", "lost_payloads", "refused_messages", "left_out_blocks", "publisher_restarts"];

const FOLD_RULES = {
  ...NODE_RULES,
  ...SEQUENCE_RULES,
  BlocksFreed: noChange,

  TransfersCompleted(state, e) {
    const left = [...state.transfers];
    for (const done of e.transfers) {
      const at = left.findIndex((one) => one.every((part, k) => part === done[k]));
      if (at < 0) throw new Error(`${done[2]} ${done[0]} → ${done[1]} is not under way`);
      left.splice(at, 1);
    }
    state.transfers = left;
  },

  RequestPreempted: noChange,
  OutOfBlocks: noChange,

  BlocksQuarantined(state, e) {
    state.quarantined_blocks = (state.quarantined_blocks ?? 0) + expand(e.block_runs).length;
  },

  CacheRestarted(state, { type: _type, seq: _seq, step: _step, site: _site, ...counters }) {
    Object.assign(state, { nodes: new Map(), sequences: new Map(), transfers: [] });
    for (const [name, value] of Object.entries(counters)) {
      if (!Number.isInteger(value)) throw new Error(`${name} must be a whole number, not ${JSON.stringify(value)}`);
      if (Number.isInteger(state[name] ?? 0)) state[name] = value;
    }
  },

  PartBroke: noChange, // the cache goes on without the part

  StreamReported(state, e) {
    for (const name of STREAM_COUNTERS) {
      if (!Number.isInteger(e[name])) throw new Error(`${name} must be a whole number, not ${JSON.stringify(e[name] ?? null)}`);
      state[name] = e[name];
    }
  },
};
