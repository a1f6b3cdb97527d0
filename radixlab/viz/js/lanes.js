// The lanes above the scrubber: a mark for each event of note, and bands for the notebook cells that made them.
// They are drawn once for a log; a step moves a line over them.

import { boxWidth, canvasContext, filled, h, lookNumber, penStyle } from "./dom.js";
import { MARK_COLORS } from "./palette.js";
import { MARK_KINDS } from "./timeline.js";

const LANE = 14;
const INSET = 8; // half a scrubber's thumb: marks stand under it
const NUMBER = 34; // a band at least this wide has the number of its cell in it

const LANES = {
  match: ["match", "a request looked its prompt up in the tree"],
  split: ["split", "a node was split where two prompts part"],
  copy: ["copy", "copy-on-write: a shared block was copied; or blocks were loaded back from the host"],
  evict: ["evict", "cached blocks were given up, or written back to the host"],
  full: ["out of blocks", "a call failed for want of blocks"],
};

/** The lanes: `{el, names, paint(frame)}`; the names stand left of the track. */
export function lanesPanel() {
  const canvas = h("canvas", { className: "rx-lanes" });
  const now = h("div", { className: "rx-lane-now" });
  const cell = h("span", { title: "the notebook cell that was running" }, "cell");
  const nameOf = (kind) => h("span", { title: LANES[kind][1] }, LANES[kind][0]);
  const names = h("div", { className: "rx-lane-names" }, cell, ...MARK_KINDS.map(nameOf));
  const paint = (frame) => {
    cell.hidden = !frame.timeline.cells.length;
    paintLanes(canvas, frame);
    now.style.left = `calc(${INSET}px + (100% - ${2 * INSET}px) * ${shareOf(frame.timeline, frame.position)})`;
  };
  return { el: h("div", { className: "rx-lane-box" }, canvas, now), names, paint };
}

function shareOf({ start, end }, position) {
  return (position - start) / Math.max(1, end - start);
}

function paintLanes(canvas, { timeline, own }) {
  const width = boxWidth(canvas);
  if (!width) return; // not on the page, or hidden
  const { start, end, marks, cells } = timeline;
  const key = [width, globalThis.devicePixelRatio, lookNumber(), start, end, marks.length, own, cells].join();
  if (canvas.shownTimeline !== timeline) canvas.shownKey = null;
  canvas.shownTimeline = timeline;
  filled(canvas, key, () => drawLanes(canvas, timeline, own, width));
}

function drawLanes(canvas, timeline, own, width) {
  const top = timeline.cells.length ? LANE : 0;
  const c = canvasContext(canvas, width, top + LANE * MARK_KINDS.length);
  const { color: ink, accentColor: accent, fontFamily: font } = penStyle(canvas);
  const xOf = (at) => INSET + shareOf(timeline, at) * (width - 2 * INSET);
  const pen = { c, xOf, ink, accent, font, height: top + LANE * MARK_KINDS.length };
  drawBands(pen, timeline, own);
  c.fillStyle = ink;
  c.globalAlpha = 0.12;
  MARK_KINDS.forEach((_, lane) => c.fillRect(INSET, top + lane * LANE + LANE / 2, width - 2 * INSET, 1));
  c.globalAlpha = 1;
  drawMarks(pen, timeline, top);
}

/** A band a cell, every other one shaded; the one around this copy has a bar of its own on top. */
function drawBands({ c, xOf, ink, accent, font, height }, timeline, own) {
  c.font = `11px ${font}`;
  c.textBaseline = "middle";
  timeline.cells.forEach(([number], k) => {
    const [left, right] = [timeline.endOfCell(timeline.cells[k - 1]?.[0] ?? -1), timeline.endOfCell(number)].map(xOf);
    c.fillStyle = number === own ? accent : ink;
    c.globalAlpha = number === own ? 0.16 : k % 2 ? 0.07 : 0;
    c.fillRect(left, 0, right - left, height);
    c.globalAlpha = number === own ? 1 : 0.35;
    c.fillRect(left, 0, number === own ? right - left : 1, number === own ? 2 : height);
    c.globalAlpha = 0.8;
    c.fillStyle = ink;
    if (right - left >= NUMBER) c.fillText(`[${number}]`, left + 4, LANE / 2 + 1);
  });
  c.globalAlpha = 1;
}

function drawMarks({ c, xOf, ink }, timeline, top) {
  const drawn = new Set(); // one mark per pixel and lane is all a screen can show
  for (const { position: at, kind } of timeline.marks) {
    const x = Math.round(xOf(at));
    const key = `${x}${kind}`;
    if (drawn.has(key)) continue;
    drawn.add(key);
    drawLaneMark(c, kind, x, top + MARK_KINDS.indexOf(kind) * LANE + LANE / 2 + 0.5, MARK_COLORS[kind] ?? ink);
  }
}

/** A dot, a diamond, an arrow, a slash, a cross: the lanes differ in shape too. */
function drawLaneMark(c, kind, x, y, color) {
  const r = 3.4;
  c.fillStyle = color;
  c.strokeStyle = color;
  c.lineWidth = 2;
  c.beginPath();
  if (kind === "match") c.arc(x, y, r, 0, 7);
  if (kind === "split") polygon(c, [[x, y - r], [x + r, y], [x, y + r], [x - r, y]]);
  if (kind === "copy") polygon(c, [[x - r, y - r], [x + r, y], [x - r, y + r]]);
  if (kind === "evict") polygon(c, [[x - r, y + r], [x + r, y - r]]);
  if (kind === "full") {
    polygon(c, [[x - r, y - r], [x + r, y + r]]);
    polygon(c, [[x - r, y + r], [x + r, y - r]]);
  }
  if (kind === "evict" || kind === "full") c.stroke();
  else c.fill();
}

function polygon(c, points) {
  c.moveTo(...points[0]);
  for (const point of points.slice(1)) c.lineTo(...point);
}
