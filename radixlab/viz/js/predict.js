// Predict mode on the page: the button, the question, the verdict. What is asked and what is right, quiz.js knows.

import { h } from "./dom.js";
import { pauseBefore } from "./questions.js";
import { plural } from "./wording.js";

const NOTHING = "Nothing to predict in this log yet. Run a cell: the view will stop before the first eviction, split or copy.";
const NO_MORE = "No more questions in this log.";

/** What the buttons of predict mode do, over a quiz and a clock; `changed` asks for a new frame. */
export function predictActions(quiz, clock, changed) {
  const goOn = (from) => {
    const at = pauseBefore(clock.timeline, from, clock.timeline.end, (position) => !quiz.closed.has(position));
    clock.seek(at);
  };
  return {
    predict(on) {
      quiz.reset();
      quiz.on = on && Boolean(clock.timeline);
      clock.play(false);
      if (!quiz.on) return changed();
      const { start, end } = clock.timeline;
      const ahead = pauseBefore(clock.timeline, clock.position, end);
      const first = ahead < end ? ahead : pauseBefore(clock.timeline, start, end);
      clock.seek(first < end ? first : clock.position);
    },
    skipQuestion: () => quiz.skip(clock.timeline, clock.position) ?? changed(),
    nextQuestion: () => goOn(clock.position + 1),
    /** A pick answers the open question; true if there was one. */
    answer(focus) {
      const taken = Boolean(clock.timeline) && quiz.pick(clock.timeline, clock.position, focus);
      if (taken) changed();
      return taken;
    },
  };
}

/** What a frame shows of the quiz; `scores` are drawn on the nodes once the answer is given. */
export function predictFrame(quiz, timeline, position) {
  if (!quiz.on) return { on: false, scores: null };
  const here = (item) => (item?.position === position ? item : null);
  const question = quiz.questionAt(timeline, position);
  const verdict = here(quiz.verdict);
  return { on: true, question, hint: here(quiz.hint), verdict, score: quiz.score, scores: scoresOf(verdict) };
}

function scoresOf(verdict) {
  if (!verdict) return null;
  const scores = new Map(verdict.evidence?.scores ?? []);
  for (const id of verdict.nodes) scores.set(id, `${scores.has(id) ? `${scores.get(id)} ` : ""}◀ this one`);
  return scores;
}

/** The panel: `{el, button, paint(frame)}`; `button` stands in the player's bar. */
export function predictPanel(actions) {
  const button = h("button", { type: "button", className: "rx-predict-on", title: "Stop before each eviction, split and copy, and guess" }, "Predict");
  const score = h("span", { className: "rx-predict-score" });
  const said = h("div", { className: "rx-predict-said", aria: { role: "status" } });
  const field = h("input", { type: "text", inputMode: "numeric", size: 6, autocomplete: "off", aria: { label: "number of a node or block" } });
  const label = h("label", {}, h("span", {}, ""), field);
  const form = h("form", { className: "rx-predict-form" }, label, h("button", { type: "submit" }, "Answer"));
  const skip = h("button", { type: "button" }, "Skip");
  const next = h("button", { type: "button" }, "Next question");
  const leave = h("button", { type: "button" }, "Leave");
  const bar = h("div", { className: "rx-predict-bar" }, form, skip, next, leave, score);
  const el = h("div", { className: "rx-predict", hidden: true, aria: { role: "group", label: "Predict" } }, said, bar);
  const parts = { el, button, score, said, field, label, form, skip, next, was: "" };
  button.addEventListener("click", () => actions.predict(el.hidden));
  skip.addEventListener("click", () => actions.skipQuestion());
  next.addEventListener("click", () => actions.nextQuestion());
  leave.addEventListener("click", () => {
    actions.predict(false);
    button.focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    answerByNumber(parts, actions);
  });
  return { el, button, paint: (frame) => paintPredict(parts, frame) };
}

/** The number of a node or block, typed: the same answer as a click, for whoever cannot see the picture. */
function answerByNumber({ field, form }, actions) {
  const id = Number.parseInt(field.value, 10);
  if (!Number.isNaN(id)) actions.answer({ kind: form.dataset.target, id });
  field.value = "";
}

function paintPredict(parts, { quiz, text, timeline }) {
  const { el, button, score, said, form, label, skip, next } = parts;
  el.hidden = !quiz.on;
  button.disabled = !quiz.on && timeline.start === timeline.end; // nothing has happened that could be predicted
  button.setAttribute("aria-pressed", String(quiz.on));
  el.closest(".rx-view")?.classList.toggle("rx-asking", Boolean(quiz.question));
  if (!quiz.on) return (parts.was = "");
  form.hidden = skip.hidden = !quiz.question;
  next.hidden = Boolean(quiz.question);
  if (quiz.question) {
    form.dataset.target = quiz.question.target;
    label.firstChild.textContent = `or type the ${quiz.question.target}'s number `;
    label.lastChild.setAttribute("aria-label", `number of the ${quiz.question.target}`);
  }
  score.textContent = `${quiz.score.right} of ${quiz.score.asked} right`;
  const lines = linesOf(quiz, text);
  const key = JSON.stringify(lines);
  if (key === parts.was) return; // else it is read aloud twice
  parts.was = key;
  said.replaceChildren(...lines.map(([name, line]) => h("div", { className: `rx-predict-${name}` }, line)));
}

/** What is said, as `[style, line]`: the question and a hint, or the verdict with its reasons. */
function linesOf({ question, hint, verdict, score }, text) {
  if (question) {
    const lines = [["question", question.text]];
    if (question.prompt) lines.push(["prompt", text(question.prompt)]);
    return hint ? [...lines, ["hint", hint.text]] : lines;
  }
  if (!verdict) return [["question", score.asked ? NO_MORE : NOTHING]];
  const lines = [[verdict.right ? "right" : "wrong", `${verdict.right ? "✓" : "✗"} ${verdict.text}`], ["why", `The engine: ${verdict.why}.`]];
  if (!verdict.evidence) return lines;
  const { scores } = verdict.evidence;
  return [...lines, ["why", `${verdict.evidence.line} It is drawn on ${scores.size === 1 ? "the one node" : `each of the ${plural(scores.size, "node")}`} that could go.`]];
}
