// The clock without a page: a copy that knows its cell stays as of that cell, until the reader wants it live.
import assert from "node:assert/strict";
import test from "node:test";
import { Clock } from "../../../radixlab/viz/js/clock.js";
import { Log } from "../../../radixlab/viz/js/log.js";

const EVENT = { type: "OutOfBlocks", step: 0 };
const events = (count) => Array.from({ length: count }, () => EVENT);

/** A copy of a view whose kernel has run `cells`, `[number, events]` each. */
function copyOf(cells, own = null) {
  const log = new Log();
  const clock = new Clock();
  const all = { keyframe: { num_blocks: 4, block_size: 4 }, from: 0, cells: [], events: [] };
  for (const [number, count] of cells) {
    all.cells.push([number, all.events.length]);
    all.events.push(...events(count));
  }
  log.load(all);
  clock.settle(own);
  clock.open(log.timeline);
  clock.advance();
  const run = (cell, count) => {
    clock.enterCell(cell);
    log.receive({ from: log.timeline.end, events: events(count), cell });
    clock.advance();
  };
  return { log, clock, run };
}

const THREE = [[3, 5], [4, 2], [8, 10]];

test("a copy opens as of its cell, in a saved notebook too", () => {
  const at = (own) => copyOf(THREE, own).clock.position;
  assert.deepEqual([null, 2, 3, 4, 5, 7, 8, 9].map(at), [17, 0, 5, 7, 7, 7, 17, 17]);
});

test("it stays there while later cells run, and goes along with its own", () => {
  const { clock, run } = copyOf([[3, 5]]);
  run(4, 2); // the prompt beside it says [*]: it has no number yet
  run(4, 3);
  assert.equal(clock.position, 10);
  clock.settle(4);
  run(5, 6);
  assert.deepEqual([clock.position, clock.asOf, clock.timeline.end], [10, 10, 16]);
});

test("a number that is learnt late takes it back to its cell", () => {
  const { clock, run } = copyOf([[3, 5]]);
  run(4, 6);
  assert.equal(clock.position, 11);
  clock.settle(3);
  assert.equal(clock.position, 5);
});

test("live is where the reader wants it, and as of this cell is one step away", () => {
  const { clock, run } = copyOf(THREE, 4);
  clock.seek(clock.timeline.end);
  run(9, 3);
  assert.deepEqual([clock.position, clock.live], [20, true]);
  clock.step(-1); // looks back, and runs a cell
  run(10, 3);
  assert.equal(clock.position, 23);
  clock.seek(clock.asOf);
  run(11, 3);
  assert.deepEqual([clock.position, clock.live], [7, false]);
});

test("whoever looks back in an older copy is not called away by a newer cell", () => {
  const { clock, run } = copyOf(THREE, 4);
  clock.seek(2);
  run(9, 3);
  assert.equal(clock.position, 2);
});

test("play goes up to the cell's end, and from there starts over", () => {
  const { clock } = copyOf(THREE, 4);
  clock.play(true);
  const seen = [clock.position];
  while (clock.playing) {
    clock.playOn();
    seen.push(clock.position);
  }
  assert.deepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7]);
});

test("a second run of all cells has numbers of its own", () => {
  const { clock } = copyOf([...THREE, [20, 5], [21, 2]], 20);
  assert.deepEqual([clock.position, clock.timeline.cellAt(18), clock.timeline.cellAt(1)], [22, 20, 3]);
});

test("messages that a page has missed do not move a cell's beginning for good", () => {
  const { log, clock } = copyOf([[3, 5]], 3);
  assert.equal(log.receive({ from: 8, events: events(2), cell: 4 }), false);
  assert.equal(clock.asOf, 5);
  log.receive({ from: 5, events: events(5) });
  log.load({ keyframe: {}, from: 0, events: events(10), cells: [[3, 0], [4, 5]] });
  assert.equal(clock.asOf, 5);
});

test("a cell whose events are gone ends where the log starts", () => {
  const { log, clock } = copyOf(THREE, 3);
  log.timeline.start = 6;
  assert.equal(clock.asOf, 6);
});
