// The lanes of two runs on one axis: evictions, copies and splits of each, and a line where the runs part.

import { axisPosition } from "./axis.js";
import { canvasContext, h } from "./dom.js";
import { MARK_COLORS } from "./palette.js";

const PAIR_LANE = 16;
const PAIR_INSET = 8;

/** The lanes: `{el, paint({position, parting, length, axis, sides})}`; `parting` is null where the runs are the same. */
export function pairLanes() {
  const canvas = h("canvas", { className: "rx-lanes", aria: { hidden: "true" } });
  return { el: canvas, paint: (pair) => drawPairLanes(canvas, pair) };
}

function drawPairLanes(canvas, { position, parting, axis, sides }) {
  const width = canvas.parentElement.clientWidth;
  if (!width) return; // not on the page, or hidden
  const c = canvasContext(canvas, width, 2 * PAIR_LANE);
  const ink = getComputedStyle(canvas).color;
  const xOf = (at) => PAIR_INSET + (at / Math.max(1, axis.length)) * (width - 2 * PAIR_INSET);
  bar(c, xOf(position), ink, 1);
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
