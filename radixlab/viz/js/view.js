// The live view: a pure function of the event log and a position in it. Python appends events; everything else is here.
// This file wires the model to the log, the log to the clock, and paints a frame on the panels whenever one has moved.

import { cellNumber, promptWatch } from "./cell.js";
import { Clock } from "./clock.js";
import { onNewLook } from "./dom.js";
import { withFeed } from "./feed.js";
import { frameOf } from "./frame.js";
import { Log } from "./log.js";
import { Panels } from "./panels.js";
import { predictActions } from "./predict.js";
import { Quiz } from "./quiz.js";
import { keepInSight } from "./sight.js";

/** The view of one model. */
class View {
  constructor(model, el) {
    this.model = model;
    this.log = new Log();
    this.clock = new Clock(() => this.schedule());
    this.quiz = new Quiz();
    this.clock.limit = (from, to) => this.quiz.limit(this.clock.timeline, from, to);
    this.dimmed = new Set();
    this.due = 0;
    this.panels = new Panels(actionsOf(this));
    this.root = this.panels.root;
    this.prompt = promptWatch(this.root, () => this.schedule());
    el.append(this.root);
    this.load(model.get("recording"));
  }

  /** Take the synced recording: a new log, or what this view has missed of the one it shows. */
  load(recording) {
    if (!recording || !recording.keyframe) return this.panels.say("waiting for the cache's first state");
    try {
      this.enterCell(recording.cell);
      if (this.log.load(recording)) this.clock.open(this.log.timeline);
    } catch (error) {
      return this.panels.say(`this recording cannot be shown: ${error.message}`);
    }
    this.advance();
  }

  /** Take a message `{from, events, vocab, cell}` sent while a cell runs; ask for what is missing before it. */
  receive(message) {
    if (!message || !Array.isArray(message.events) || !this.log.timeline) return;
    try {
      this.enterCell(message.cell);
      if (this.log.receive(message)) return this.advance();
    } catch (error) {
      return this.panels.say(`a message cannot be read: ${error.message}`);
    }
    const from = this.log.missing();
    if (from !== null) this.model.send({ type: "need", from });
  }

  enterCell(number) {
    this.clock.settle(cellNumber(this.root));
    this.clock.enterCell(number);
  }

  advance() {
    const { error } = this.log.timeline;
    this.panels.say(error && `this recording stops at ${error}`);
    this.clock.advance();
  }

  schedule() {
    this.due ||= requestAnimationFrame(() => {
      this.due = 0;
      if (!this.log.timeline) return;
      this.prompt.look();
      this.clock.settle(cellNumber(this.root));
      this.panels.paint(frameOf(this));
      this.clock.painted();
    });
  }
}

/** What buttons, keys and panels may do. */
function actionsOf(view) {
  const { clock, dimmed, quiz } = view;
  return {
    ...predictActions(quiz, clock, () => view.schedule()),
    first: () => clock.seek(clock.timeline?.start),
    back: () => clock.step(-1),
    play: () => clock.play(!clock.playing),
    step: () => clock.step(1),
    last: () => clock.seek(clock.timeline?.end),
    thisCell: () => clock.seek(clock.timeline && clock.asOf),
    previousMark: () => clock.seekMark(-1),
    nextMark: () => clock.seekMark(1),
    seek: (position) => clock.seek(position),
    where: () => clock.position, // which may not be painted yet
    faster: () => clock.changeSpeed(1),
    slower: () => clock.changeSpeed(-1),
    toggle(name) {
      if (!dimmed.delete(name)) dimmed.add(name);
      view.schedule();
    },
  };
}

/** anywidget's entry: draw the model into `el`; the function it returns undoes that. */
export function render({ model, el }) {
  const whole = withFeed(model);
  return typeof whole.then === "function" ? whole.then((fed) => mount(fed, el)) : mount(whole, el);
}

function mount(model, el) {
  const view = new View(model, el);
  const onRecording = () => view.load(model.get("recording"));
  const onMessage = (message) => view.receive(message);
  const letGo = keepInSight(model, view.root);
  model.on("change:recording", onRecording);
  model.on("msg:custom", onMessage);
  const unwatch = onNewLook(el, () => view.schedule());
  return () => {
    view.clock.play(false);
    view.prompt.stop();
    unwatch();
    model.off("change:recording", onRecording);
    model.off("msg:custom", onMessage);
    letGo();
  };
}

export default { render };
