// The lanes of two runs on one axis: evictions, copies and splits of each, and a line where the runs part.
// They are drawn once; a step moves a line over them.

import { axisPosition } from "./axis.js";
import { boxWidth, canvasContext, filled, h, lookNumber, penStyle } from "./dom.js";
import { MARK_COLORS } from "./palette.js";

const PAIR_LANE = 16;
const PAIR_INSET = 8;

/** The lanes: `{el, paint({position, parting, axis, sides})}`; `parting` is null where the runs are the same. */
export function pairLanes() {
  const canvas = h("canvas", { className: "rx-lanes", aria: { hidden: "true" } });
  const now = h("div", { className: "rx-lane-now" });
  const paint = (pair) => {
    const width = boxWidth(canvas);
    if (!width) return; // not on the page, or hidden
    filled(canvas, [width, lookNumber(), globalThis.devicePixelRatio].join(), () => drawPairLanes(canvas, width, pair));
    now.style.left = `calc(${PAIR_INSET}px + (100% - ${2 * PAIR_INSET}px) * ${pair.position / Math.max(1, pair.axis.length)})`;
  };
  return { el: h("div", { className: "rx-lane-box" }, canvas, now), paint };
}

function drawPairLanes(canvas, width, { parting, axis, sides }) {
  const c = canvasContext(canvas, width, 2 * PAIR_LANE);
  const ink = penStyle(canvas).color;
  const xOf = (at) => PAIR_INSET + (at / Math.max(1, axis.length)) * (width - 2 * PAIR_INSET);
  sides.forEach((side, lane) => {
    const drawn = new Set();
    for (const { position: at, kind } of side.log.timeline.marks) {
      if (kind === "match") continue;
      const x = Math.round(xOf(axisPosition(axis, "ab"[lane], at - 1)));
      if (drawn.has(x)) continue; // one mark per pixel is all a screen can show
      drawn.add(x);
      drawTick(c, kind, x, lane * PAIR_LANE, MARK_COLORS[kind] ?? ink);
    }
  });
  if (parting !== null) drawParting(c, xOf(parting));
}

function bar(c, x, color, wide) {
  c.fillStyle = color;
  c.fillRect(Math.round(x) - wide / 2, 0, wide, 2 * PAIR_LANE);
}

function drawParting(c, x) {
  bar(c, x, MARK_COLORS.full, 3);
  c.beginPath();
  c.moveTo(x - 6, 0);
  c.lineTo(x + 6, 0);
  c.lineTo(x, 8);
  c.fill();
}

/** An eviction as a slash, a copy as a ring, the others as an upright stroke: the kinds differ in shape too. */
function drawTick(c, kind, x, top, color) {
  c.strokeStyle = color;
  c.lineWidth = 2;
  c.beginPath();
  if (kind === "copy") c.arc(x, top + PAIR_LANE / 2, 3, 0, 7);
  else {
    const lean = kind === "evict" ? 3 : 0;
    c.moveTo(x - lean, top + PAIR_LANE - 4);
    c.lineTo(x + lean, top + 4);
  }
  c.stroke();
}
