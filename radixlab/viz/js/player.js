// Buttons, scrubber and the why line. It moves a position and knows nothing of what is drawn there.

import { h, setText, svg } from "./dom.js";
import { lanesPanel } from "./lanes.js";
import { whyLine } from "./why.js";

const BUTTONS = [
  ["first", "First (Home)"],
  ["back", "Step back (←)"],
  ["play", "Play (space)"],
  ["step", "Step (→)"],
  ["last", "Last (End)"],
  ["previousMark", "Previous mark (shift+←)"],
  ["nextMark", "Next mark (shift+→)"],
];

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
  const lanes = lanesPanel();
  const where = h("span", { className: "rx-where" });
  const ends = endsPanel(actions);
  const bar = h("div", { className: "rx-buttons", aria: { role: "toolbar", label: "Player" } });
  const marks = [buttons.previousMark, buttons.nextMark];
  bar.append(buttons.first, buttons.back, buttons.play, buttons.step, buttons.last);
  bar.append(h("span", { className: "rx-marks" }, marks[0], "mark", marks[1]));
  bar.append(h("span", { className: "rx-place" }, where, ends.el));
  const line = h("div", { className: "rx-timeline" }, lanes.names, h("div", { className: "rx-track" }, lanes.el, scrub));
  const why = whyPanel();
  const gone = h("div", { className: "rx-gone-events", hidden: true });
  const parts = { buttons, scrub, lanes, where, ends, why, gone };
  const el = h("div", { className: "rx-player" }, bar, line, gone, why.el);
  return { el, paint: (frame) => paintPlayer(parts, frame) };
}

/** Two ways to be at an end: of the notebook cell that shows this copy, or of the log. */
function endsPanel(actions) {
  const entry = (name, text, title, action) => {
    const button = h("button", { type: "button", title, data: { action: name } }, text);
    button.addEventListener("click", actions[action]);
    return button;
  };
  const cell = entry("thisCell", "as of this cell", "The cache as it was when this cell had run", "thisCell");
  const live = entry("live", "live", "The cache as it is now, after the cells that have run since", "last");
  const el = h("span", { className: "rx-ends", aria: { role: "group", label: "Show the cache" } }, cell, live);
  return { el, cell, live };
}

/** Both appear once later cells have changed the cache. */
function paintEnds({ el, cell, live }, { timeline, position, asOf }) {
  el.hidden = asOf === timeline.end;
  for (const [button, at] of [[cell, asOf], [live, timeline.end]]) {
    disable(button, el.hidden);
    button.setAttribute("aria-pressed", String(position === at));
  }
}

/** The picture on a button. */
export function iconOf(name) {
  const icon = svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" });
  icon.append(svg("path", { d: ICONS[name], class: name.endsWith("Mark") ? "rx-thin" : "" }));
  return icon;
}

function whyPanel() {
  const text = h("span", { className: "rx-why-text" });
  const source = h("code", { className: "rx-source" });
  return { el: h("div", { className: "rx-why", aria: { live: "off" } }, text, source), text, source };
}

function paintPlayer(parts, frame) {
  const { buttons, scrub, lanes, where, ends, why, gone } = parts;
  const { timeline, position, playing, state, sources, speed } = frame;
  scrub.min = timeline.start;
  scrub.max = timeline.end;
  scrub.value = position;
  paintPlay(buttons.play, playing);
  switchButtons(buttons, timeline, position);
  const behind = `event ${position.toLocaleString("en")} of ${timeline.end.toLocaleString("en")}`;
  setText(where, playing ? `${behind} · ${speed} a second` : behind);
  const cell = timeline.cellAt(position);
  scrub.setAttribute("aria-valuetext", cell === null ? behind : `${behind}, cell ${cell}`);
  paintEnds(ends, frame);
  gone.hidden = !timeline.start;
  setText(gone, goneLine(timeline.start));
  const before = (k) => timeline.eventBefore(position - k);
  why.el.setAttribute("aria-live", frame.sought && !playing ? "polite" : "off"); // read aloud to whoever steps, not while a run paints
  paintWhy(why, before(0), sources, whyLine(before(0), state, before));
  lanes.paint(frame);
}

function goneLine(count) {
  const what = count === 1 ? "The first event is" : `The first ${count.toLocaleString("en")} events are`;
  return `${what} not kept: this log is long. The timeline starts with the cache as they left it.`;
}

/** One button with two names: what it does now. */
function paintPlay(button, playing) {
  button.querySelector("path").setAttribute("d", playing ? ICONS.pause : ICONS.play);
  button.title = playing ? "Pause (space)" : "Play (space)";
  button.setAttribute("aria-label", button.title);
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
