// The lamp: green while every rule holds, red from the first event that breaks one. It says so in words, and jumps there.

import { h, setText } from "./dom.js";
import { whenIdle } from "./idle.js";
import { InvariantLamp } from "./invariants.js";
import { RULE_SENTENCES } from "./sentences.js";

const SLICE_MS = 6; // of checking between two frames: a long log stays scrubbable
const QUIET_MS = 300; // with no new event, the last operation is over

/** What the lamp says at a position: `{color, text, target}`; `target` is the position to jump to, or null. */
export function lampSays(checked, end, fault, position) {
  const number = (count) => count.toLocaleString("en");
  if (!fault && checked < end) return { color: "none", text: `checking the rules: event ${number(checked)} of ${number(end)}`, target: null };
  if (!fault) return { color: "green", text: "green: no event here breaks a rule", target: null };
  const where = fault.position ? `event ${number(fault.position)}` : "the start";
  const target = Math.min(fault.position, end);
  const later = position < target;
  const text = `${later ? `green up to here, red from ${where}` : `red since ${where}`}: ${fault.rule} is broken: ${fault.what}`;
  return { color: later ? "green" : "red", text, target };
}

/** Checks a timeline in slices; `onNews` is called when the verdict may have changed. */
export class LampChecker {
  constructor(timeline, onNews) {
    this.timeline = timeline;
    this.onNews = onNews;
    this.lamp = new InvariantLamp(timeline.stateAt(timeline.start), timeline.start);
    this.verdict = null;
    this.cancel = null; // what ends the wait for the next look
  }

  /** Whether events are left to check. */
  get behind() {
    return !this.lamp.fault && this.lamp.position < this.timeline.end;
  }

  /** Follow the log until it is late, then go on when the page is idle; at its end, wait until it is quiet. */
  advance(isLate = lateAfter(SLICE_MS)) {
    this.stop();
    const { lamp, timeline } = this;
    while (this.behind && !isLate()) for (let k = 0; k < 16 && this.behind; k += 1) lamp.follow(timeline.eventBefore(lamp.position + 1));
    if (!this.behind && timeline.misfit) lamp.follow(timeline.misfit);
    this.verdict = lamp.fault;
    if (this.behind) this.cancel = whenIdle((late) => this.go(late), SLICE_MS);
    else if (!lamp.fault) this.settleLater();
  }

  go(isLate) {
    this.advance(isLate);
    this.onNews();
  }

  settleLater() {
    const timer = setTimeout(() => this.settle(), QUIET_MS);
    this.cancel = () => clearTimeout(timer);
  }

  settle() {
    this.verdict = this.lamp.verdict();
    this.onNews();
  }

  stop() {
    this.cancel?.();
  }
}

function lateAfter(ms) {
  const until = performance.now() + ms;
  return () => performance.now() > until;
}

/** The panel: `{el, paint(frame)}`; its button seeks the event that broke the rule. */
export function lampPanel(actions) {
  const text = h("span", { className: "rx-lamp-text" });
  const rule = h("span", { className: "rx-lamp-rule" });
  const button = h("button", { type: "button", hidden: true, data: { action: "firstRed" } });
  const bulb = h("span", { className: "rx-bulb", aria: { hidden: "true" } });
  const el = h("div", { className: "rx-lamp", aria: { role: "group", label: "Invariant lamp" } }, bulb, text, button, rule);
  let checker = null;
  let frame = null;
  let target = null;
  button.addEventListener("click", () => actions.seek(target));

  function show() {
    const says = lampSays(checker.lamp.position, frame.timeline.end, checker.verdict, frame.position);
    target = says.target;
    el.dataset.color = says.color;
    setText(bulb, { green: "✓", red: "✗", none: "…" }[says.color]);
    setText(text, says.text);
    button.hidden = target === null || target === frame.position;
    setText(button, target ? `go to event ${target.toLocaleString("en")}` : "go to the start");
    setText(rule, checker.verdict ? `${checker.verdict.rule}: ${RULE_SENTENCES[checker.verdict.rule]}` : "");
  }

  return {
    el,
    paint(next) {
      frame = next;
      el.hidden = next.lamp === false; // another engine's tree, of which some events may be missing
      if (el.hidden) return checker?.stop();
      if (checker?.timeline !== next.timeline) {
        checker?.stop();
        checker = new LampChecker(next.timeline, show);
      }
      const isWaited = checker.cancel && checker.behind && next.sought; // the reader moves: the check goes on in the pauses
      if (!isWaited && (checker.behind || next.timeline.misfit || !checker.cancel)) checker.advance();
      show();
    },
  };
}
