// Two runs on one page: one axis, two trees, two maps, each with the other run as a ghost. What is the same and where
// they part, divergence.js knows; what belongs together across the runs, twin.js.

import { axisOf, axisPosition, positionsAt, turnAt } from "./axis.js";
import { Clock } from "./clock.js";
import { firstDivergence, verdictOf } from "./divergence.js";
import { h, onNewLook, setText } from "./dom.js";
import { bindKeys } from "./keys.js";
import { pairBar } from "./pairbar.js";
import { pairLegend } from "./pairlegend.js";
import { Side } from "./pairside.js";
import { prefixesFor } from "./prefixes.js";
import { searchSides } from "./search.js";

/** The view of two recordings: `{title, a, b}`. */
class PairView {
  constructor({ title, a, b }, el) {
    this.sides = [new Side(a), new Side(b)];
    const runs = this.sides.map((side) => side.run());
    this.found = firstDivergence(...runs);
    this.axis = axisOf(...runs.map(({ events }) => events));
    this.prefixes = prefixesFor(...runs.map(({ start }) => start.block_size));
    this.ghosts = true;
    this.dimmed = new Set();
    this.due = 0;
    this.clock = new Clock(() => this.schedule());
    this.build(title, verdictOf(...runs, this.found));
    el.append(this.root);
    this.clock.open(this.timeline());
    this.clock.seek(this.parting ?? this.axis.length);
  }

  /** The axis as the clock knows a timeline; its marks are the starts of requests. */
  timeline() {
    const starts = this.axis.turns.slice(1).map(({ start }) => start + 1);
    const next = (position, direction) => (direction > 0 ? starts.find((at) => at > position) : starts.findLast((at) => at < position));
    const nextMark = (position, direction) => ({ position: next(position, direction) ?? position });
    return { start: 0, end: this.axis.length, nextMark };
  }

  /** The position just after the event at which the runs part; null where they are the same. */
  get parting() {
    if (!this.found) return null;
    const { at } = this.found;
    return axisPosition(this.axis, this.sides[0].events[at] ? "a" : "b", at);
  }

  build(title, verdict) {
    const names = this.sides.map(({ name }) => name);
    const actions = this.actions();
    this.bar = pairBar(actions, { names, length: this.axis.length, parts: Boolean(this.found) });
    this.search = searchSides(this.sides, () => this.root.focus({ preventScroll: true }));
    this.bar.els[0].append(this.search.el);
    this.legend = pairLegend(actions.toggle, names);
    const said = h("div", { className: `rx-pair-verdict ${this.found ? "rx-pair-parts" : ""}`, aria: { role: "status" } }, verdict);
    this.words = h("pre", { className: "rx-words" });
    const both = h("div", { className: "rx-pair" }, ...this.sides.map(({ el }) => el));
    this.root = h("div", { className: "rx-view", tabIndex: 0, aria: { role: "group", label: title || "Two runs" } });
    this.root.append(h("div", { className: "rx-title" }, title), said, ...this.bar.els, both, this.legend.el, this.words);
    bindKeys(this.root, actions);
    this.connect();
  }

  /** What has the focus in one run is marked in the other. */
  connect() {
    const [left, right] = this.sides;
    for (const side of this.sides) side.connect(this.root);
    left.links.onLight = (focus) => right.follow(left, focus);
    right.links.onLight = (focus) => left.follow(right, focus);
  }

  actions() {
    const { clock } = this;
    return {
      first: () => clock.seek(0),
      back: () => clock.step(-1),
      play: () => clock.play(!clock.playing),
      step: () => clock.step(1),
      last: () => clock.seek(this.axis.length),
      previousMark: () => clock.seekMark(-1),
      nextMark: () => clock.seekMark(1),
      seek: (position) => clock.seek(position),
      parting: () => clock.seek(this.parting),
      search: () => this.search.open(),
      unpin: () => this.sides.forEach(({ links }) => links.pin(null)),
      faster: () => clock.changeSpeed(1),
      slower: () => clock.changeSpeed(-1),
      ghosts: (on = !this.ghosts) => {
        this.ghosts = this.bar.box.checked = on;
        this.schedule();
      },
      toggle: (name) => {
        if (!this.dimmed.delete(name)) this.dimmed.add(name);
        this.schedule();
      },
    };
  }

  schedule() {
    this.due ||= requestAnimationFrame(() => {
      this.due = 0;
      this.paint();
      this.clock.painted();
    });
  }

  paint() {
    const { axis, clock, parting, sides, dimmed } = this;
    const { position, playing, jumped, sought, speed } = clock;
    const at = positionsAt(axis, position);
    [at.a, at.b].forEach((its, k) => sides[k].momentAt(its, this.prefixes));
    const [left, right] = sides;
    left.paint(right, this.ghosts, { playing, jumped, sought, speed, dimmed });
    right.paint(left, this.ghosts, { playing, jumped, sought, speed, dimmed });
    for (const side of sides) side.light();
    this.legend.paint(sides.map((side) => side.frame));
    const request = axis.turns.indexOf(turnAt(axis, position));
    const said = `${request ? `request ${request}` : "before the first request"}, ${this.found && position >= parting ? "they have parted" : "the same so far"}`;
    const spoken = sides.map(({ name, moment }) => `${name} event ${moment.position}`).join(", ");
    this.bar.paint({ position, playing, speed, parting, axis, sides }, said, spoken);
    this.describe(position);
  }

  /** Both moments in words, after a pause: they grow with the trees. */
  describe(position) {
    clearTimeout(this.describing);
    this.describing = setTimeout(() => {
      const [left, right] = this.sides;
      if (position === this.clock.position) setText(this.words, `${left.words(right)}\n\n${right.words(left)}`);
    }, 150);
  }
}

/** Show two runs, `{title, a, b}`, in an element; the function it returns undoes that. */
export function showPair(pair, el) {
  const view = new PairView(pair, el);
  const unwatch = onNewLook(el, () => view.schedule());
  return () => {
    view.clock.play(false);
    clearTimeout(view.describing);
    unwatch();
  };
}

/** anywidget's entry for two runs; `model.get("pair")` is the JSON of both. */
export default { render: ({ model, el }) => showPair(JSON.parse(model.get("pair")), el) };
