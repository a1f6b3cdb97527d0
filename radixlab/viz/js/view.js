// The live view: a pure function of the event log and a position in it. Python appends events; everything else is here.

import { blockMapPanel, hostPart } from "./blockmap.js";
import { changesOf } from "./changes.js";
import { h, onNewLook } from "./dom.js";
import { blockFacts, countFacts } from "./facts.js";
import { gaugesPanel, legendPanel } from "./gauges.js";
import { bindKeys } from "./keys.js";
import { Links } from "./links.js";
import { playerPanel } from "./player.js";
import { sequencesPanel } from "./sequences.js";
import { keepInSight } from "./sight.js";
import { headline, summary } from "./summary.js";
import { Timeline, unpack } from "./timeline.js";
import { treePanel } from "./tree.js";

const SPEEDS = [1, 2, 4, 8, 16, 30, 60];
// Seen where the notebook says that nobody sends events any more: after a restart, and on another day.
const DEAD = "No kernel is behind this view any more. It shows its last picture; step back through its events as before, or run its cell again.";
const MOST_LIVE_CHANGES = 64; // of a larger burst only the last event is marked

/** The view of one model. */
class View {
  constructor(model, el) {
    this.model = model;
    this.el = el;
    this.timeline = null;
    this.position = 0;
    this.shown = 0; // the position last painted
    this.burst = 1; // how many events before it are marked
    this.following = true; // at the end: go along with what arrives
    this.jumped = false; // since the last paint, by more than a step
    this.cell = null; // the notebook cell that the newest events come from
    this.requests = true; // false where a tree is watched that no sequence will ever use
    this.asked = -1;
    this.playing = false;
    this.speed = 4;
    this.vocab = null;
    this.sources = {};
    this.fields = {};
    this.dimmed = new Set();
    this.texts = new WeakMap();
    this.frame = null;
    this.due = 0;
    this.build();
    this.load(model.get("recording"));
  }

  build() {
    this.actions = this.makeActions();
    this.gauges = gaugesPanel();
    this.player = playerPanel(this.actions);
    this.sequences = sequencesPanel();
    this.tree = treePanel();
    this.map = blockMapPanel();
    this.hostMap = blockMapPanel();
    this.host = section("Host", "evicted, but not gone: a prompt that asks for it loads it back", mapBox(this.hostMap));
    this.legend = legendPanel((name) => this.toggle(name));
    this.title = h("div", { className: "rx-title" });
    this.error = h("div", { className: "rx-error", hidden: true, aria: { role: "alert" } });
    this.note = h("span", { className: "rx-note" });
    this.device = section("Block map", this.note, mapBox(this.map));
    const words = h("pre", { className: "rx-words", id: `rx-words-${Math.random().toString(36).slice(2)}` });
    this.words = words;
    this.picture = h(
      "div",
      { className: "rx-picture", aria: { role: "img", label: "", describedby: words.id } },
      section("Radix tree", "", this.tree.el),
      this.device,
      section("Sequences", "shaded: found in the cache, not computed again", this.sequences.el),
    );
    const header = h("div", { className: "rx-header" }, this.title, this.gauges.el);
    const dead = h("div", { className: "rx-dead" }, DEAD);
    const root = h("div", { className: "rx-view", tabIndex: 0, aria: { role: "group" } });
    root.append(header, dead, this.player.el, this.error, this.picture, this.legend.el, words);
    this.root = root;
    bindKeys(root, this.actions);
    this.links = new Links({ root, picture: this.picture, map: this.map, hostMap: this.hostMap, note: this.note });
    this.el.append(root);
  }

  makeActions() {
    const mark = (direction) => this.seek(this.timeline?.nextMark(this.position, direction)?.position ?? this.position);
    return {
      first: () => this.seek(this.timeline.start),
      back: () => this.seek(this.position - 1),
      play: () => this.play(!this.playing),
      step: () => this.seek(this.position + 1),
      last: () => this.seek(this.timeline.end),
      previousMark: () => mark(-1),
      nextMark: () => mark(1),
      seek: (position) => this.seek(position),
      unpin: () => this.links.pin(null),
      faster: () => this.changeSpeed(1),
      slower: () => this.changeSpeed(-1),
    };
  }

  // ---- the log -------------------------------------------------------------------------------------------------

  /** Take the synced recording: a new log, or what this view has missed of the one it shows. */
  load(recording) {
    if (!recording || !recording.keyframe) return this.fail("waiting for the cache's first state");
    try {
      this.fields = recording.fields ?? {};
      this.sources = recording.sources ?? {};
      this.title.textContent = recording.title ?? "";
      this.requests = recording.requests !== false;
      this.root.classList.toggle("rx-tree-only", !this.requests);
      this.learn(recording.vocab);
      this.enterCell(recording.cell);
      const events = (recording.events ?? []).map((row) => unpack(row, this.fields));
      if (!this.timeline || !this.timeline.append(recording.from, events)) this.restart(recording, events);
    } catch (error) {
      return this.fail(`this recording cannot be shown: ${error.message}`);
    }
    this.advance();
  }

  restart(recording, events) {
    this.timeline = new Timeline(recording.keyframe, recording.from, recording.forks);
    this.timeline.append(recording.from, events);
    this.position = this.timeline.start;
    this.shown = this.timeline.end; // what happened before this view opened is not new
    this.following = true;
  }

  /** Events of another cell than before: whoever looks back has run a cell since, and wants to see what it does. */
  enterCell(cell) {
    if (cell === undefined || cell === this.cell) return;
    this.cell = cell;
    if (!this.timeline || this.following) return;
    this.following = true;
    this.shown = this.timeline.end; // only what comes now is new
    this.play(false);
  }

  /** Take a message `{from, events, vocab, cell}` sent while a cell runs; ask for what is missing before it. */
  receive(message) {
    if (!message || !Array.isArray(message.events) || !this.timeline) return;
    try {
      this.learn(message.vocab);
      this.enterCell(message.cell);
      const events = message.events.map((row) => unpack(row, this.fields));
      if (this.timeline.append(message.from, events)) return this.advance();
    } catch (error) {
      return this.fail(`a message cannot be read: ${error.message}`);
    }
    if (this.asked === this.timeline.end) return;
    this.asked = this.timeline.end;
    this.model.send({ type: "need", from: this.asked });
  }

  learn(vocab) {
    if (!vocab) return;
    this.vocab ??= new Map();
    for (const [id, text] of Object.entries(vocab)) this.vocab.set(Number(id), String(text));
  }

  advance() {
    if (this.timeline.error) this.fail(`this recording stops at ${this.timeline.error}`);
    else this.error.hidden = true;
    if (this.following) this.position = this.timeline.end;
    this.schedule();
  }

  fail(line) {
    this.error.hidden = false;
    this.error.textContent = line;
  }

  // ---- moving through it ---------------------------------------------------------------------------------------

  seek(position) {
    if (!this.timeline) return;
    const { start, end } = this.timeline;
    const before = this.position;
    this.position = Math.min(Math.max(position, start), end);
    this.jumped ||= Math.abs(this.position - before) > 1;
    this.following = this.position === end;
    this.wantReveal = true;
    this.schedule();
  }

  play(on) {
    if (!this.timeline || (on && this.timeline.start === this.timeline.end)) return;
    this.playing = on;
    clearTimeout(this.timer);
    if (on && this.position >= this.timeline.end) this.position = this.timeline.start;
    if (on) this.timer = setTimeout(() => this.playOn(), 1000 / this.speed);
    this.schedule();
  }

  playOn() {
    this.seek(this.position + 1);
    this.play(this.position < this.timeline.end);
  }

  changeSpeed(by) {
    const at = SPEEDS.indexOf(this.speed) + by;
    this.speed = SPEEDS[Math.min(Math.max(at, 0), SPEEDS.length - 1)];
    this.schedule();
  }

  // ---- painting ------------------------------------------------------------------------------------------------

  schedule() {
    this.due ||= requestAnimationFrame(() => {
      this.due = 0;
      if (this.timeline) this.paint();
    });
  }

  paint() {
    const { timeline, position } = this;
    const state = timeline.stateAt(position);
    const facts = blockFacts(state);
    const changes = changesOf(this.lastEvents(), state, this.dimmed);
    const touched = new Set([...changes.hit.blocks, ...changes.new.blocks, ...changes.evicted.blocks]);
    const text = (tokens) => this.textOf(tokens);
    const { dimmed, requests, jumped } = this;
    const counts = countFacts(state, facts);
    this.frame = { state, facts, counts, changes, touched, dimmed, text, requests, jumped, forks: timeline.forks };
    for (const panel of [this.gauges, this.sequences, this.tree, this.legend]) panel.paint(this.frame);
    this.map.paint(this.frame);
    this.paintHost();
    const { playing, sources, speed } = this;
    this.player.paint({ timeline, position, playing, state, sources, speed });
    this.describe(state);
    if (this.wantReveal && changes.node !== null) this.tree.reveal(changes.node);
    this.wantReveal = this.jumped = false;
    this.shown = position;
    this.links.paint(this.frame);
  }

  /** The host's blocks stand below the device's, where there is a host tier. */
  paintHost() {
    if (!this.frame.state.num_host_blocks) return this.host.remove();
    if (!this.host.isConnected) this.device.after(this.host);
    this.hostMap.paint(hostPart(this.frame));
  }

  /** The events to mark: all since the last paint where it was live, else the one that led here. */
  lastEvents() {
    const { events, start } = this.timeline;
    const count = this.position - this.shown;
    if (count) this.burst = this.following && count > 1 && count <= MOST_LIVE_CHANGES ? count : 1;
    return events.slice(Math.max(0, this.position - start - this.burst), this.position - start);
  }

  textOf(tokens) {
    const known = this.texts.get(tokens);
    if (known !== undefined && known.size === this.vocab?.size) return known.text;
    const text = this.vocab
      ? tokens.map((id) => this.vocab.get(id) ?? `<${id}>`).join("").replace(/\n/g, "↵")
      : tokens.join(" ");
    this.texts.set(tokens, { text, size: this.vocab?.size });
    return text;
  }

  /** The picture in words: its first line at once, the whole after a pause, for it grows with the tree. */
  describe(state) {
    const line = headline(state, this.frame.counts);
    this.picture.setAttribute("aria-label", line);
    this.root.setAttribute("aria-label", this.title.textContent || "CacheView");
    clearTimeout(this.describing);
    const { position } = this;
    this.describing = setTimeout(() => {
      if (position === this.position) this.words.textContent = summary(state, this.vocab);
    }, 150);
  }

  toggle(name) {
    if (!this.dimmed.delete(name)) this.dimmed.add(name);
    this.schedule();
  }
}

function mapBox(map) {
  return h("div", { className: "rx-map-box" }, map.el);
}

function section(name, hint, ...content) {
  const title = h("div", { className: "rx-section-title" }, h("b", {}, name), h("span", {}, hint));
  return h("div", { className: "rx-section" }, title, ...content);
}

/** anywidget's entry: draw the model into `el`; the function it returns undoes that. */
export function render({ model, el }) {
  const view = new View(model, el);
  const onRecording = () => view.load(model.get("recording"));
  const onMessage = (message) => view.receive(message);
  const letGo = keepInSight(model, view.root);
  model.on("change:recording", onRecording);
  model.on("msg:custom", onMessage);
  const unwatch = onNewLook(el, () => view.schedule());
  return () => {
    view.play(false);
    unwatch();
    model.off("change:recording", onRecording);
    model.off("msg:custom", onMessage);
    letGo();
  };
}

export default { render };
