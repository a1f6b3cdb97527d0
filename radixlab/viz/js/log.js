// What the browser knows of a run: the events as they arrive, the states they lead to, the texts of their tokens.
// No page and no position: clock.js holds the position, panels.js the page.

import { shownText } from "./shown.js";
import { Timeline, unpack } from "./timeline.js";

/** The recording of one model; `timeline` is null until its first state has arrived. */
export class Log {
  constructor() {
    this.timeline = null;
    this.title = "";
    this.requests = true; // false where a tree is watched that no sequence will ever use
    this.lamp = true; // false for another engine's tree: events may be missing, and the rules are not its own
    this.sources = {};
    this.fields = {};
    this.vocab = null;
    this.texts = new WeakMap();
    this.asked = -1;
  }

  /** Take a whole recording; return false where it continues the one known, true where it replaces it. */
  load(recording) {
    this.fields = recording.fields ?? {};
    this.sources = recording.sources ?? {};
    this.title = shownText(String(recording.title ?? ""));
    this.requests = recording.requests !== false;
    this.lamp = recording.lamp !== false;
    this.learn(recording.vocab);
    const { from } = recording;
    const end = this.timeline?.end ?? -1;
    const goesOn = from <= end;
    const known = goesOn ? end - from : 0;
    const events = this.unpackAll((recording.events ?? []).slice(known));
    if (!goesOn) this.timeline = new Timeline(recording.keyframe, from, recording.forks);
    this.timeline.append(from + known, events);
    for (const [number, first] of recording.cells ?? []) this.timeline.noteCell(number, first);
    return !goesOn;
  }

  /** Take a message `{from, events, vocab, cell}`; return false where events before it are missing, and nothing is added. */
  receive(message) {
    this.learn(message.vocab);
    if (Number.isInteger(message.cell)) this.timeline.noteCell(message.cell, message.from);
    return this.timeline.append(message.from, this.unpackAll(message.events));
  }

  /** The first event to ask for after a gap; null where it has been asked for. */
  missing() {
    if (this.asked === this.timeline.end) return null;
    this.asked = this.timeline.end;
    return this.asked;
  }

  unpackAll(rows) {
    return rows.map((row) => unpack(row, this.fields));
  }

  learn(vocab) {
    if (!vocab || !Object.keys(vocab).length) return; // where nobody decodes, messages bring no texts
    this.vocab ??= new Map();
    for (const [id, text] of Object.entries(vocab)) this.vocab.set(Number(id), String(text));
  }

  /** Tokens as text on one line, or as numbers where nobody decodes them. */
  textOf(tokens) {
    const known = this.texts.get(tokens);
    if (known !== undefined && known.size === this.vocab?.size) return known.text;
    const whole = this.vocab
      ? tokens.map((id) => this.vocab.get(id) ?? `<${id}>`).join("")
      : tokens.join(" ");
    const text = shownText(whole);
    this.texts.set(tokens, { text, size: this.vocab?.size });
    return text;
  }
}
