// Sparklines: a number of the gauges over the whole log, with a line at the position shown.

import { canvasContext, h } from "./dom.js";
import { History, sparkPoints } from "./history.js";

const SIZE = { w: 30, h: 18 };
const PIECE_MS = 4; // so long at a time is spent on the history, so that no step waits for it

/** A history that grows with the timeline it is shown, in the pauses; `onMore` is called when there is more to draw. */
export function historyKeeper(onMore) {
  let history = null;
  let due = 0;
  const work = () => {
    due = 0;
    const until = performance.now() + PIECE_MS;
    const all = history.advance(() => performance.now() > until);
    if (all) onMore();
    else due = setTimeout(work, PIECE_MS);
  };
  return (timeline) => {
    if (history?.timeline !== timeline) history = new History(timeline);
    if (history.position < timeline.end) due ||= setTimeout(work, 60);
    return history;
  };
}

/** One sparkline: `{el, paint(history, name, position)}`. */
export function sparkline() {
  const canvas = h("canvas", { className: "rx-spark", aria: { hidden: "true" } });
  canvas.style.width = `${SIZE.w}px`;
  return { el: canvas, paint: (history, name, position) => paintSpark(canvas, history, name, position) };
}

function paintSpark(canvas, { samples, timeline }, name, position) {
  const key = [name, position, timeline.end, samples.length, samples.at(-1).position].join();
  if (canvas.shownKey === key) return;
  canvas.shownKey = key;
  const c = canvasContext(canvas, SIZE.w, SIZE.h);
  const { color, accentColor } = getComputedStyle(canvas);
  const points = sparkPoints(samples, name, timeline.start, timeline.end);
  const at = ([x, y]) => [1 + x * (SIZE.w - 2), SIZE.h - 2 - y * (SIZE.h - 4)];
  c.strokeStyle = accentColor;
  c.lineWidth = 1;
  const now = (position - timeline.start) / Math.max(1, timeline.end - timeline.start);
  c.strokeRect(...at([now, 1]), 0, SIZE.h - 4);
  c.strokeStyle = color;
  c.lineWidth = 1.3;
  c.beginPath();
  for (const point of points) c.lineTo(...at(point));
  c.stroke();
}
