// The event log in the browser, and the state at any position of it.
// A position is the number of an event: the state there is the state before that event. Keyframes every few hundred
// events make a step back as cheap as a few hundred folds; the last state asked for is kept, so a step forward is one.
// A keyframe costs as much memory as the tree has nodes: a large tree has fewer, so that all of a long log can stay.

import { copyState, stateFromJson } from "./cachestate.js";
import { Calls } from "./calls.js";
import { fold } from "./fold.js";

const KEYFRAME_EVERY = 256;
const NODES_PER_EVENT = 8; // copying so many nodes costs about as much as folding an event

const MARK_OF = {
  PrefixMatched: "match",
  NodeSplit: "split",
  BlockCopied: "copy",
  BlockRemoved: "evict",
  WrittenBack: "evict",
  LoadedBack: "copy",
  CacheRestarted: "evict",
  OutOfBlocks: "full",
};

/** The lanes of the timeline, in the order in which they are drawn. */
export const MARK_KINDS = ["match", "split", "copy", "evict", "full"];

/** Turn a row `[type, ...values]` into an event, given the field names per type; an object passes as it is. */
export function unpack(row, fields) {
  if (!Array.isArray(row)) return row ?? {};
  const names = Object.hasOwn(fields, row[0]) ? fields[row[0]] : null;
  if (!names) throw new Error(`unknown event type ${JSON.stringify(row[0] ?? null)}`);
  const event = { type: row[0] };
  names.forEach((name, k) => {
    event[name] = row[k + 1];
  });
  return event;
}

/** An event log that starts with a keyframe and grows at its end; `forks` are the `[child, parent]` known before it. */
export class Timeline {
  constructor(keyframe, start = 0, forks = []) {
    this.start = start;
    this.forks = new Map(forks); // sequence → the one it was forked from
    this.events = [];
    this.calls = new Calls();
    this.cells = []; // [number, first event] of each notebook cell that made events, in their order
    this.marks = []; // {position, kind}: the position just after the event
    this.error = null;
    this.misfit = null; // the event that does not fit, where the log stops
    this.keyframes = [{ position: start, state: stateFromJson(keyframe) }];
    this.tip = copyState(this.keyframes[0].state); // the state at the end
    this.cache = { position: start, state: copyState(this.tip) };
  }

  get end() {
    return this.start + this.events.length;
  }

  /**
   * Add events numbered from `from` on; those known already are skipped.
   * Returns false when there is a gap: nothing is added, and the caller asks for what is missing.
   */
  append(from, events) {
    if (from > this.end) return false;
    for (const event of events.slice(this.end - from)) {
      if (this.error) break;
      this.push(event);
    }
    return true;
  }

  push(event) {
    try {
      fold(this.tip, event);
    } catch (error) {
      this.misfit = event;
      this.error = `event ${this.end} (${String(event?.type)}): ${error.message}`;
      return;
    }
    this.events.push(event);
    this.calls.push(event);
    if (event.type === "SequenceForked") this.forks.set(event.sequence_id, event.parent_id);
    const kind = MARK_OF[event.type];
    if (kind) this.marks.push({ position: this.end, kind });
    const every = Math.max(KEYFRAME_EVERY, this.tip.nodes.size / NODES_PER_EVENT);
    if (this.end - this.keyframes.at(-1).position >= every) {
      this.keyframes.push({ position: this.end, state: copyState(this.tip) });
    }
  }

  /** The events from `first` on are of the notebook cell with this number. */
  noteCell(number, first) {
    const known = this.cells.find(([other]) => other === number);
    if (known) known[1] = Math.min(known[1], first);
    else if (!this.cells.some(([other]) => other > number)) this.cells.push([number, first]);
  }

  /** The position after the last event of a cell and all cells before it. */
  endOfCell(number) {
    const next = this.cells.find(([other]) => other > number);
    return next ? Math.min(Math.max(next[1], this.start), this.end) : this.end;
  }

  /** The number of the cell that the event before `position` is of; null where nobody knows. */
  cellAt(position) {
    return this.cells.findLast(([, first]) => first < position)?.[0] ?? null;
  }

  /** The event that leads to `position`; null at the start. */
  eventBefore(position) {
    return this.events[position - this.start - 1] ?? null;
  }

  /** The events up to `position` of the call that it is in; none at the start. */
  callAt(position) {
    const stop = position - this.start;
    return this.events.slice(this.calls.starts[stop - 1] ?? stop, stop);
  }

  /** The state at `position`. It is shared: read it, do not fold on it. */
  stateAt(position) {
    const at = Math.min(Math.max(position, this.start), this.end);
    if (at === this.end) return this.tip;
    const key = this.keyframes.findLast(({ position: one }) => one <= at);
    if (this.cache.position > at || this.cache.position < key.position) {
      this.cache = { position: key.position, state: copyState(key.state) };
    }
    while (this.cache.position < at) {
      fold(this.cache.state, this.events[this.cache.position - this.start]);
      this.cache.position += 1;
    }
    return this.cache.state;
  }

  /** The first mark after `position` (direction 1) or the last one before it (-1); null when there is none. */
  nextMark(position, direction = 1) {
    const marks = this.marks;
    let low = 0;
    let high = marks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (marks[middle].position < position + (direction > 0 ? 1 : 0)) low = middle + 1;
      else high = middle;
    }
    return (direction > 0 ? marks[low] : marks[low - 1]) ?? null;
  }
}
