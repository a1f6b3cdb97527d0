// Predict mode, the half without a page: which questions are open, the last verdict and the score.

import { evidenceOf, judge } from "./judge.js";
import { pauseBefore, questionAt } from "./questions.js";
import { whyLine } from "./why.js";

/** Predict mode over one timeline: which questions are open, the verdict, the score. */
export class Quiz {
  constructor() {
    this.on = false;
    this.reset();
  }

  reset() {
    this.closed = new Set(); // positions answered or skipped
    this.verdict = null; // of the last answer: {position, right, text, why, evidence, answer}
    this.hint = null; // {position, text}: what was picked is no answer yet
    this.score = { right: 0, asked: 0 };
  }

  /** The open question at `position`; null while the mode is off. */
  questionAt(timeline, position) {
    return this.on && !this.closed.has(position) ? questionAt(timeline, position) : null;
  }

  /** As far as a step, a play or an arrival may go on the way from `from` to `to`. */
  limit(timeline, from, to) {
    return this.on && to > from ? pauseBefore(timeline, from, to, (at) => !this.closed.has(at)) : to;
  }

  /** Take a pick for the open question; true if there was one. */
  pick(timeline, position, pick) {
    const question = this.questionAt(timeline, position);
    if (!question) return false;
    const state = timeline.stateAt(position);
    const { right, text } = judge(question, pick, state);
    this.hint = right === null ? { position, text } : null;
    if (right !== null) this.close(question, { right, text }, timeline);
    return true;
  }

  /** Close the open question without an answer: it counts as asked. */
  skip(timeline, position) {
    const question = this.questionAt(timeline, position);
    if (question) this.close(question, { right: false, text: "Skipped." }, timeline);
  }

  close(question, { right, text }, timeline) {
    const { position } = question;
    const evidence = evidenceOf(question, timeline.stateAt(position));
    const before = (k) => timeline.eventBefore(position + 1 - k);
    const why = whyLine(question.event, timeline.stateAt(position + 1), before);
    this.closed.add(position);
    this.score = { right: this.score.right + Number(right), asked: this.score.asked + 1 };
    this.hint = null;
    this.verdict = { position, right, text, why, evidence, nodes: question.nodes, block: question.block ?? null };
  }
}
