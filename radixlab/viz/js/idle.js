// Work on a long log that nobody waits for: it is done in pieces, in the time that the browser has left.
// So a step or a drag of the scrubber never waits for it.

const LATEST_MS = 500; // a piece is done by then, however busy the page is
const WITHOUT_MS = 4; // the pause between two pieces in a browser that does not tell when it is idle

/** Call `work(isLate)` once, soon, for at most `most` milliseconds: `isLate()` says when to stop. Returns what cancels it. */
export function whenIdle(work, most) {
  const piece = (idle) => {
    const room = !idle || idle.didTimeout ? most : Math.min(most, idle.timeRemaining());
    const until = performance.now() + room;
    work(() => performance.now() > until);
  };
  if (!globalThis.requestIdleCallback) {
    const timer = setTimeout(piece, WITHOUT_MS);
    return () => clearTimeout(timer);
  }
  const request = requestIdleCallback(piece, { timeout: LATEST_MS });
  return () => cancelIdleCallback(request);
}
