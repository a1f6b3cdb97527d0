// Work that waits for the browser's pauses: with a browser that tells when it is idle, and with one that does not.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { whenIdle } from "../../../radixlab/viz/js/idle.js";

afterEach(() => {
  delete globalThis.requestIdleCallback;
  delete globalThis.cancelIdleCallback;
});

/** A browser that is idle when it is told so. */
function browser() {
  const asked = [];
  globalThis.requestIdleCallback = (piece, options) => asked.push({ piece, options });
  globalThis.cancelIdleCallback = (number) => (asked[number - 1] = null);
  return asked;
}

test("a piece of work ends with the browser's pause, and no later than asked for", (t) => {
  let clock = 0;
  t.mock.method(performance, "now", () => (clock += 1)); // each look at it takes a millisecond
  const asked = browser();
  const looks = [];
  const work = (isLate) => {
    let count = 0;
    while (!isLate()) count += 1;
    looks.push(count);
  };
  whenIdle(work, 30);
  whenIdle(work, 2);
  assert.equal(looks.length, 0, "nothing runs at once");
  for (const { piece } of asked) piece({ didTimeout: false, timeRemaining: () => 8 });
  assert.deepEqual(looks, [8, 2]);
});

test("in a page that is never idle, the work is done all the same", () => {
  const [asked, done] = [browser(), []];
  whenIdle((isLate) => done.push(isLate()), 1000);
  assert.ok(asked[0].options.timeout <= 1000);
  asked[0].piece({ didTimeout: true, timeRemaining: () => 0 });
  assert.deepEqual(done, [false]);
});

test("what is cancelled is not done, whatever the browser", async () => {
  const asked = browser();
  whenIdle(() => assert.fail(), 5)();
  assert.deepEqual(asked, [null]);
  delete globalThis.requestIdleCallback;
  whenIdle(() => assert.fail(), 5)();
  await new Promise((done) => whenIdle(done, 5));
});
