// The picture at a position is the same however it was reached: live, in bursts, by steps, by seeking, playing, after
// a reload that knows the whole log or has lost its start, and by a replay without an engine.
import assert from "node:assert/strict";
import test from "node:test";
import { changesAt } from "../../../radixlab/viz/js/changes.js";
import { Clock } from "../../../radixlab/viz/js/clock.js";
import { stateToJson } from "../../../radixlab/viz/js/cachestate.js";
import { layoutTree } from "../../../radixlab/viz/js/layout.js";
import { Log } from "../../../radixlab/viz/js/log.js";
import { orderedChildren } from "../../../radixlab/viz/js/summary.js";
import { Timeline } from "../../../radixlab/viz/js/timeline.js";
import { logs } from "./golden.mjs";

const JOURNEYS = 6; // through each log
const MOVES = 60; // of each journey
const BEGINS = ["SequenceStarted", "SequenceForked", "TransfersCompleted", "OutOfBlocks", "AllBlocksCleared"];

/** Everything that is drawn at a position: state, layout and marks, each as text. */
function pictureAt(timeline, position) {
  const state = timeline.stateAt(position);
  const sizes = new Map([...state.nodes.values()].map((node) => [node.id, { w: 90 + node.tokens.length, h: 40 }]));
  const layout = [...layoutTree(orderedChildren(state.nodes), sizes).boxes];
  const plain = (_key, value) => (value instanceof Set ? [...value].sort((a, b) => a - b) : value);
  return [stateToJson(state), layout, changesAt(timeline, position)].map((part) => JSON.stringify(part, plain));
}

/** The pictures of a whole log, by a replay from its start that never looks back. */
function replay({ recording, plain }) {
  const pictures = [];
  for (let k = 0; k <= plain.length; k += 1) {
    const timeline = new Timeline(recording.keyframe);
    timeline.append(0, k ? plain.slice(0, k) : []);
    pictures.push(pictureAt(timeline, k));
  }
  return pictures;
}

/** A generator of numbers in [0, 1), the same for the same seed. */
function random(seed) {
  let state = seed * 2654435761 + 1;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 374761393) >>> 0;
    return state / 2 ** 32;
  };
}

/** A browser page beside a kernel that has sent `sent` events: messages, bursts, reloads, and a reader who moves. */
class Page {
  constructor({ recording, plain, states }, draw) {
    Object.assign(this, { recording, plain, states, draw, sent: 0 });
    this.reload();
  }

  upTo(count) {
    return { ...this.recording, from: 0, events: this.recording.events.slice(0, count) };
  }

  /** What is left of a long log, from the beginning of a call on. */
  cut() {
    const begins = this.plain.map((_, k) => k).filter((k) => k < this.sent && BEGINS.includes(this.plain[k].type));
    const from = begins[Math.floor(this.draw() * begins.length)] ?? 0;
    const keyframe = from ? this.states[from - 1].state : this.recording.keyframe;
    return { ...this.recording, keyframe, from, events: this.recording.events.slice(from, this.sent) };
  }

  reload(recording = this.upTo(this.sent)) {
    this.log = new Log();
    this.clock = new Clock();
    this.log.load(recording);
    this.clock.open(this.log.timeline);
    this.clock.advance();
  }

  arrive(count) {
    const events = this.recording.events.slice(this.sent, this.sent + count);
    this.log.receive({ from: this.sent, events });
    this.sent += events.length;
    this.clock.advance();
  }

  /** The messages were lost, and the synced recording brings them. */
  sync(count) {
    this.sent = Math.min(this.sent + count, this.recording.events.length);
    if (this.log.load(this.upTo(this.sent))) this.clock.open(this.log.timeline);
    this.clock.advance();
  }

  move() {
    const { clock, draw } = this;
    const kinds = [
      () => this.arrive(1),
      () => this.arrive(Math.floor(draw() * 40)),
      () => this.arrive(Math.floor(draw() * 200)),
      () => this.sync(Math.floor(draw() * 30)),
      () => this.reload(),
      () => this.reload(this.cut()),
      () => clock.step(1),
      () => clock.step(-1),
      () => clock.seekMark(draw() < 0.5 ? 1 : -1),
      () => clock.seek(Math.floor(draw() * (this.sent + 1))),
      () => clock.seek(clock.timeline.end),
      () => (clock.play(true), clock.playOn(), clock.play(false)),
    ];
    kinds[Math.floor(draw() * kinds.length)]();
  }
}

for (const [seed, log] of logs.entries()) {
  test(`the picture at a position is the same however it was reached: ${log.name}`, () => {
    const pictures = replay(log);
    for (let journey = 0; journey < JOURNEYS; journey += 1) {
      const page = new Page(log, random(100 * seed + journey));
      for (let k = 0; k < MOVES; k += 1) {
        page.move();
        const { position } = page.clock;
        const { timeline } = page.log;
        // Where a long log has lost its start, nobody knows any more which call led to its first position.
        const parts = position === timeline.start && position > 0 ? 2 : 3;
        const where = `at ${position}, move ${k} of journey ${journey}`;
        assert.deepEqual(pictureAt(timeline, position).slice(0, parts), pictures[position].slice(0, parts), where);
      }
    }
  });
}
