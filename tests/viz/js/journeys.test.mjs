// The picture at a position is the same however it was reached: live, in bursts, by steps, by seeking, playing, after
// a reload that knows the whole log or has lost its start, and by a replay without an engine.
import assert from "node:assert/strict";
import test from "node:test";
import { changesAt } from "../../../radixlab/viz/js/changes.js";
import { Clock } from "../../../radixlab/viz/js/clock.js";
import { stateToJson } from "../../../radixlab/viz/js/fold.js";
import { layoutTree } from "../../../radixlab/viz/js/layout.js";
import { Log } from "../../../radixlab/viz/js/log.js";
import { orderedChildren } from "../../../radixlab/viz/js/summary.js";
import { Timeline } from "../../../radixlab/viz/js/timeline.js";
import { logs } from "./golden.mjs";

const JOURNEYS = 6; // through each log
const MOVES = 60; // of each journey

/** Everything that is drawn at a position: state, layout and marks, as text. */
function pictureAt(timeline, position) {
  const state = timeline.stateAt(position);
  const sizes = new Map([...state.nodes.values()].map((node) => [node.id, { w: 90 + node.tokens.length, h: 40 }]));
  const layout = [...layoutTree(orderedChildren(state.nodes), sizes).boxes];
  const plain = (_key, value) => (value instanceof Set ? [...value].sort((a, b) => a - b) : value);
  return JSON.stringify([stateToJson(state), layout, changesAt(timeline, position)], plain);
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
  constructor({ recording, plain }, draw) {
    Object.assign(this, { recording, plain, draw, sent: 0 });
    this.reload();
  }

  upTo(count) {
    return { ...this.recording, from: 0, events: this.recording.events.slice(0, count) };
  }

  reload() {
    this.log = new Log();
    this.clock = new Clock();
    this.log.load(this.upTo(this.sent));
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
    this.log.load(this.upTo(this.sent));
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
        assert.equal(pictureAt(page.log.timeline, position), pictures[position], `at ${position}, move ${k} of journey ${journey}`);
      }
    }
  });
}
