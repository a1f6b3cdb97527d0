// Buttons, scrubber, timeline marks and the why line. It moves a position and knows nothing of what is drawn there.

import { boxWidth, canvasContext, h, svg } from "./dom.js";
import { MARK_COLORS } from "./palette.js";
import { MARK_KINDS } from "./timeline.js";
import { whyLine } from "./why.js";

const LANE = 14;
const INSET = 8; // half a scrubber's thumb: marks stand under it

const BUTTONS = [
  ["first", "First (Home)"],
  ["back", "Step back (←)"],
  ["play", "Play or pause (space)"],
  ["step", "Step (→)"],
  ["last", "Last (End)"],
  ["previousMark", "Previous mark (shift+←)"],
  ["nextMark", "Next mark (shift+→)"],
];

const LANES = {
  match: ["match", "a request looked its prompt up in the tree"],
  split: ["split", "a node was split where two prompts part"],
  copy: ["copy", "copy-on-write: a shared block was copied; or blocks were loaded back from the host"],
  evict: ["evict", "cached blocks were given up, or written back to the host"],
  full: ["out of blocks", "a call failed for want of blocks"],
};

const ICONS = {
  first: "M3 3v10M13 3L6 8l7 5z",
  back: "M11 3L4 8l7 5z",
  play: "M4 3l9 5-9 5z",
  pause: "M5 3v10M11 3v10",
  step: "M5 3l7 5-7 5z",
  last: "M13 3v10M3 3l7 5-7 5z",
  previousMark: "M8 3L3 8l5 5M13 5.5L10.5 8 13 10.5",
  nextMark: "M8 3l5 5-5 5M3 5.5L5.5 8 3 10.5",
};

/** The player: `{el, paint(view)}`; `actions` has a function per button, `seek(position)` for the scrubber. */
export function playerPanel(actions) {
  const buttons = {};
  for (const [name, title] of BUTTONS) {
    buttons[name] = h("button", { type: "button", title, data: { action: name }, aria: { label: title } });
    buttons[name].append(iconOf(name));
    buttons[name].addEventListener("click", actions[name]);
  }
  const scrub = h("input", { type: "range", className: "rx-scrub", step: 1, aria: { label: "Position in the log" } });
  scrub.addEventListener("input", () => actions.seek(Number(scrub.value)));
  const lanes = h("canvas", { className: "rx-lanes" });
  const nameOf = (kind) => h("span", { title: LANES[kind][1] }, LANES[kind][0]);
  const names = h("div", { className: "rx-lane-names" }, ...MARK_KINDS.map(nameOf));
  const where = h("span", { className: "rx-where" });
  const bar = h("div", { className: "rx-buttons", aria: { role: "toolbar", label: "Player" } });
  const marks = [buttons.previousMark, buttons.nextMark];
  bar.append(buttons.first, buttons.back, buttons.play, buttons.step, buttons.last);
  bar.append(h("span", { className: "rx-marks" }, marks[0], "mark", marks[1]), where);
  const line = h("div", { className: "rx-timeline" }, names, h("div", { className: "rx-track" }, lanes, scrub));
  const why = whyPanel();
  const parts = { buttons, scrub, lanes, where, why };
  return { el: h("div", { className: "rx-player" }, bar, line, why.el), paint: (view) => paintPlayer(parts, view) };
}

function iconOf(name) {
  const icon = svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" });
  icon.append(svg("path", { d: ICONS[name], class: name.endsWith("Mark") ? "rx-thin" : "" }));
  return icon;
}

function whyPanel() {
  const text = h("span", { className: "rx-why-text" });
  const source = h("code", { className: "rx-source" });
  return { el: h("div", { className: "rx-why", aria: { live: "polite" } }, text, source), text, source };
}

function paintPlayer({ buttons, scrub, lanes, where, why }, { timeline, position, playing, state, sources, speed }) {
  scrub.min = timeline.start;
  scrub.max = timeline.end;
  scrub.value = position;
  const icon = buttons.play.querySelector("path");
  icon.setAttribute("d", playing ? ICONS.pause : ICONS.play);
  switchButtons(buttons, timeline, position);
  const behind = `event ${position.toLocaleString("en")} of ${timeline.end.toLocaleString("en")}`;
  where.textContent = playing ? `${behind} · ${speed} a second` : behind;
  const before = (k) => timeline.eventBefore(position - k);
  paintWhy(why, before(0), sources, whyLine(before(0), state, before));
  drawLanes(lanes, timeline, position);
}

function switchButtons(buttons, timeline, position) {
  const atStart = position <= timeline.start;
  const atEnd = position >= timeline.end;
  for (const name of ["first", "back"]) disable(buttons[name], atStart);
  for (const name of ["step", "last"]) disable(buttons[name], atEnd);
  disable(buttons.play, atStart && atEnd);
  disable(buttons.previousMark, !timeline.nextMark(position, -1));
  disable(buttons.nextMark, !timeline.nextMark(position, 1));
}

/** A button that is switched off while it has the focus hands it to the view: on the page's body, no key would work. */
function disable(button, off) {
  if (off && button.matches(":focus")) button.closest(".rx-view").focus({ preventScroll: true });
  button.disabled = off;
}

function paintWhy(why, event, sources, sentence) {
  const source = (event && Object.hasOwn(sources, event.site) && sources[event.site]) || "";
  if (why.text.textContent === sentence && why.source.textContent === source) return; // else it is read aloud twice
  why.text.textContent = sentence;
  why.source.textContent = source;
}

function drawLanes(canvas, timeline, position) {
  const width = boxWidth(canvas);
  if (!width) return; // not on the page, or hidden
  const c = canvasContext(canvas, width, LANE * MARK_KINDS.length);
  const ink = getComputedStyle(canvas).color;
  const length = Math.max(1, timeline.end - timeline.start);
  const xOf = (at) => INSET + ((at - timeline.start) / length) * (width - 2 * INSET);
  c.fillStyle = ink;
  c.globalAlpha = 0.12;
  MARK_KINDS.forEach((_, lane) => c.fillRect(INSET, lane * LANE + LANE / 2, width - 2 * INSET, 1));
  c.globalAlpha = 0.5;
  c.fillRect(xOf(position) - 0.5, 0, 1, LANE * MARK_KINDS.length);
  c.globalAlpha = 1;
  const drawn = new Set(); // one mark per pixel and lane is all a screen can show
  for (const { position: at, kind } of timeline.marks) {
    const x = Math.round(xOf(at));
    const key = `${x}${kind}`;
    if (drawn.has(key)) continue;
    drawn.add(key);
    drawLaneMark(c, kind, x, MARK_KINDS.indexOf(kind) * LANE + LANE / 2 + 0.5, MARK_COLORS[kind] ?? ink);
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
