// Two runs on one page: one axis, two trees, two maps. What is the same and where they part, ghost.js knows.

import { blockMapPanel } from "./blockmap.js";
import { changesAt } from "./changes.js";
import { Clock } from "./clock.js";
import { canvasContext, h, onNewLook } from "./dom.js";
import { blockFacts, countFacts } from "./facts.js";
import { axisOf, axisPosition, firstDivergence, positionsAt, turnAt, verdictOf, withGhosts } from "./ghost.js";
import { bindKeys } from "./keys.js";
import { Log } from "./log.js";
import { MARK_COLORS } from "./palette.js";
import { iconOf } from "./player.js";
import { headline, summary } from "./summary.js";
import { treePanel } from "./tree.js";
import { whyLine } from "./why.js";

const PAIR_LANE = 16;
const PAIR_INSET = 8;
const PAIR_SIDES = ["a", "b"];
const PAIR_BUTTONS = [
  ["first", "First (Home)"],
  ["back", "Step back (←)"],
  ["play", "Play"],
  ["step", "Step (→)"],
  ["last", "Last (End)"],
  ["previousMark", "Previous request (shift+←)"],
  ["nextMark", "Next request (shift+→)"],
];

/** One side: its log, and the panels that show it. */
class Side {
  constructor(recording) {
    this.log = new Log();
    this.log.load(recording);
    this.name = this.log.title;
    this.tree = treePanel();
    this.tree.focusEl.tabIndex = 0; // on a narrow page it scrolls sideways, with the keyboard too
    this.map = blockMapPanel();
    this.numbers = h("span");
    this.why = h("div", { className: "rx-pair-why" });
    const title = h("div", { className: "rx-section-title" }, h("b", {}, this.name), this.numbers);
    this.el = h("div", { className: "rx-pair-side" }, title, this.why, this.tree.el, this.map.el);
  }

  get events() {
    return this.log.timeline.events;
  }

  run() {
    return { name: this.name, start: this.log.timeline.stateAt(0), events: this.events };
  }

  /** The picture after `position` events of this run; the tree has the ghosts of `other`, a state, unless it is null. */
  paint(position, other, otherName, hint) {
    const { log } = this;
    const { timeline, vocab } = log;
    const state = timeline.stateAt(position);
    const facts = blockFacts(state);
    const counts = countFacts(state, facts);
    const changes = changesAt(timeline, position, new Set());
    const touched = new Set([...changes.hit.blocks, ...changes.new.blocks, ...changes.evicted.blocks]);
    const text = (tokens) => log.textOf(tokens);
    const frame = { state, facts, counts, changes, touched, dimmed: new Set(), text, vocab, requests: log.requests, scores: null };
    Object.assign(frame, { timeline, forks: timeline.forks, position, quiz: { on: false }, ...hint });
    this.numbers.textContent = `event ${position} of ${timeline.end} · ${headline(state, counts).replace("CacheView: ", "")} · ${state.evicted_blocks} evicted`;
    const before = (k) => timeline.eventBefore(position - k);
    this.why.textContent = whyLine(before(0), state, before);
    this.map.paint(frame);
    this.tree.paint(other ? { ...frame, state: withGhosts(state, other, otherName) } : frame);
    return `${this.name}: ${summary(state, vocab)}`;
  }
}

/** The view of two recordings: `model.get("pair")` is the JSON of `{title, a, b}`. */
class PairView {
  constructor(model, el) {
    const { title, a, b } = JSON.parse(model.get("pair"));
    this.sides = { a: new Side(a), b: new Side(b) };
    const [left, right] = PAIR_SIDES.map((side) => this.sides[side]);
    this.found = firstDivergence(left.run(), right.run());
    this.axis = axisOf(left.events, right.events);
    this.ghosts = true;
    this.due = 0;
    this.clock = new Clock(() => this.schedule());
    this.build(title, verdictOf(left.run(), right.run(), this.found));
    el.append(this.root);
    this.clock.open(this.timeline());
    this.clock.seek(this.found ? this.parting : this.axis.length);
  }

  /** The axis as the clock knows a timeline; its marks are the starts of requests. */
  timeline() {
    const starts = this.axis.turns.slice(1).map(({ start }) => start + 1);
    const next = (position, direction) => (direction > 0 ? starts.find((at) => at > position) : starts.findLast((at) => at < position));
    const nextMark = (position, direction) => ({ position: next(position, direction) ?? position });
    return { start: 0, end: this.axis.length, nextMark };
  }

  /** The position just after the event at which the runs part. */
  get parting() {
    const { at } = this.found;
    return axisPosition(this.axis, this.sides.a.events[at] ? "a" : "b", at);
  }

  build(title, verdict) {
    const { clock } = this;
    this.actions = {
      first: () => clock.seek(0),
      back: () => clock.step(-1),
      play: () => clock.play(!clock.playing),
      step: () => clock.step(1),
      last: () => clock.seek(this.axis.length),
      previousMark: () => clock.seekMark(-1),
      nextMark: () => clock.seekMark(1),
      unpin: () => {},
      search: () => {},
      faster: () => clock.changeSpeed(1),
      slower: () => clock.changeSpeed(-1),
    };
    this.buttons = PAIR_BUTTONS.map(([name, label]) => {
      const button = h("button", { type: "button", title: label, data: { action: name }, aria: { label } }, iconOf(name));
      button.addEventListener("click", this.actions[name]);
      return button;
    });
    this.jump = h("button", { type: "button", className: "rx-pair-jump", hidden: !this.found }, "Go to where they part");
    this.jump.addEventListener("click", () => clock.seek(this.parting));
    const box = h("input", { type: "checkbox", checked: true });
    box.addEventListener("change", () => {
      this.ghosts = box.checked;
      this.schedule();
    });
    const ghosts = h("label", { className: "rx-pair-ghosts", title: "dashed: cached in the other run, and not in this one" }, box, " show what only the other run has");
    this.where = h("span", { className: "rx-where" });
    const bar = h("div", { className: "rx-buttons", aria: { role: "toolbar", label: "Player" } }, ...this.buttons, this.jump, ghosts, this.where);
    this.lanes = h("canvas", { className: "rx-lanes", aria: { hidden: "true" } });
    this.scrub = h("input", { type: "range", className: "rx-scrub", min: 0, max: this.axis.length, step: 1, aria: { label: "Position in both runs" } });
    this.scrub.addEventListener("input", () => clock.seek(Number(this.scrub.value)));
    const names = h("div", { className: "rx-lane-names" }, ...PAIR_SIDES.map((side) => h("span", {}, this.sides[side].name)));
    const line = h("div", { className: "rx-timeline rx-pair-line" }, names, h("div", { className: "rx-track" }, this.lanes, this.scrub));
    this.said = h("div", { className: `rx-pair-verdict ${this.found ? "rx-pair-parts" : ""}`, aria: { role: "status" } }, verdict);
    this.words = h("pre", { className: "rx-words" });
    const both = h("div", { className: "rx-pair" }, ...PAIR_SIDES.map((side) => this.sides[side].el));
    this.root = h("div", { className: "rx-view", tabIndex: 0, aria: { role: "group", label: title || "Two runs" } });
    this.root.append(h("div", { className: "rx-title" }, title), this.said, bar, line, both, this.words);
    bindKeys(this.root, this.actions);
  }

  schedule() {
    this.due ||= requestAnimationFrame(() => {
      this.due = 0;
      this.paint();
      this.clock.painted();
    });
  }

  paint() {
    const { axis, clock, sides, scrub } = this;
    const { position, playing, jumped, sought } = clock;
    const at = positionsAt(axis, position);
    const request = axis.turns.indexOf(turnAt(axis, position));
    const parts = this.found && position >= this.parting ? "they have parted" : "the same so far";
    scrub.value = position;
    const where = `${request ? `request ${request}` : "before the first request"}, ${parts}`;
    scrub.setAttribute("aria-valuetext", `${where}; ${PAIR_SIDES.map((side) => `${sides[side].name} event ${at[side]}`).join(", ")}`);
    this.where.textContent = where;
    const play = this.buttons.find(({ dataset }) => dataset.action === "play");
    play.replaceChildren(iconOf(playing ? "pause" : "play"));
    play.setAttribute("aria-label", playing ? "Pause" : "Play");
    const hint = { playing, jumped, sought, speed: clock.speed };
    const states = Object.fromEntries(PAIR_SIDES.map((side) => [side, sides[side].log.timeline.stateAt(at[side])]));
    const words = PAIR_SIDES.map((side) => {
      const other = side === "a" ? "b" : "a";
      return sides[side].paint(at[side], this.ghosts ? states[other] : null, sides[other].name, hint);
    });
    this.words.textContent = words.join("\n\n");
    this.drawLanes(position);
  }

  /** A lane a run: evictions, copies and splits; and a line where the runs part. */
  drawLanes(position) {
    const width = this.lanes.parentElement.clientWidth;
    if (!width) return; // not on the page, or hidden
    const c = canvasContext(this.lanes, width, 2 * PAIR_LANE);
    const ink = getComputedStyle(this.lanes).color;
    const xOf = (at) => PAIR_INSET + (at / Math.max(1, this.axis.length)) * (width - 2 * PAIR_INSET);
    const bar = (at, color, wide) => {
      c.fillStyle = color;
      c.fillRect(Math.round(xOf(at)) - wide / 2, 0, wide, 2 * PAIR_LANE);
    };
    bar(position, ink, 1);
    PAIR_SIDES.forEach((side, lane) => {
      const drawn = new Set();
      for (const { position: at, kind } of this.sides[side].log.timeline.marks) {
        if (kind === "match") continue;
        const x = Math.round(xOf(axisPosition(this.axis, side, at - 1)));
        if (drawn.has(x)) continue; // one mark per pixel is all a screen can show
        drawn.add(x);
        drawTick(c, kind, x, lane * PAIR_LANE, MARK_COLORS[kind] ?? ink);
      }
    });
    if (!this.found) return;
    bar(this.parting, MARK_COLORS.full, 3);
    c.beginPath();
    const x = xOf(this.parting);
    c.moveTo(x - 6, 0);
    c.lineTo(x + 6, 0);
    c.lineTo(x, 8);
    c.fill();
  }
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

/** anywidget's entry for two runs. */
function renderPair({ model, el }) {
  const view = new PairView(model, el);
  const unwatch = onNewLook(el, () => view.schedule());
  return () => {
    view.clock.play(false);
    unwatch();
  };
}

export default { render: renderPair };
