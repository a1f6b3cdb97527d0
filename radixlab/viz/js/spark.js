// Sparklines: a number of the gauges over the whole log, with a line at the position shown.

import { filled, svg } from "./dom.js";
import { History, sparkPoints } from "./history.js";
import { whenIdle } from "./idle.js";

const SIZE = { w: 30, h: 18 };
const PIECE_MS = 4; // so long at a time is spent on the history, so that no step waits for it

/** A history that grows with the timeline it is shown, in the pauses; `onMore` is called when there is more to draw. */
export function historyKeeper(onMore) {
  let history = null;
  let due = null;
  const work = (isLate) => {
    due = null;
    if (history.advance(isLate)) onMore();
    else due = whenIdle(work, PIECE_MS);
  };
  return (timeline) => {
    if (history?.timeline !== timeline) history = new History(timeline);
    if (history.position < timeline.end) due ??= whenIdle(work, PIECE_MS);
    return history;
  };
}

/** One sparkline: `{el, paint(history, name, position)}`. Its line is made again only when the history has grown. */
export function sparkline() {
  const line = svg("polyline", { fill: "none" });
  const cursor = svg("line", { y1: 0, y2: SIZE.h });
  const el = svg("svg", { class: "rx-spark", viewBox: `0 0 ${SIZE.w} ${SIZE.h}`, "aria-hidden": "true" });
  el.append(cursor, line);
  return { el, paint: (history, name, position) => paintSpark(line, cursor, history, name, position) };
}

function paintSpark(line, cursor, { samples, timeline }, name, position) {
  const x = (share) => 1 + share * (SIZE.w - 2);
  filled(line, [name, timeline.start, timeline.end, samples.length, samples.at(-1).position].join(), () => {
    const points = sparkPoints(samples, name, timeline.start, timeline.end);
    line.setAttribute("points", points.map(([at, y]) => `${x(at).toFixed(1)},${(SIZE.h - 2 - y * (SIZE.h - 4)).toFixed(1)}`).join(" "));
  });
  const now = x((position - timeline.start) / Math.max(1, timeline.end - timeline.start)).toFixed(1);
  for (const end of ["x1", "x2"]) cursor.setAttribute(end, now);
}
