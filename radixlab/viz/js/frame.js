// One frame of the picture: a pure function of the log, the position of the clock, and what the reader switched off.

import { changesAt } from "./changes.js";
import { blockFacts, countFacts } from "./facts.js";
import { predictFrame } from "./predict.js";

/** All that the panels paint; they read it, and nothing else. */
export function frameOf({ log, clock, dimmed, quiz }) {
  const { timeline, title, requests, lamp, sources, vocab } = log;
  const { position, playing, speed, jumped, sought, own, asOf } = clock;
  const state = timeline.stateAt(position);
  const facts = blockFacts(state);
  const changes = changesAt(timeline, position, dimmed);
  const asked = predictFrame(quiz, timeline, position);
  return {
    state, // the cache at `position`
    facts, // standing, owner and readers of each block
    counts: countFacts(state, facts),
    changes, // the marks: hit, new, evicted, copies
    touched: new Set([...changes.hit.blocks, ...changes.new.blocks, ...changes.evicted.blocks]),
    dimmed, // names of legend entries that are switched off
    text: (tokens) => log.textOf(tokens),
    vocab, // the texts of tokens, by id; null where there are none
    title,
    requests, // false for a tree that no sequence uses
    lamp, // false where the rules of the cache are not checked
    sources, // the line of the engine, by the site of an event
    quiz: asked, // the open question, or the verdict
    scores: asked.scores, // what is drawn on nodes, by id, after an answer; null at any other time
    timeline,
    forks: timeline.forks,
    position,
    own, // the notebook cell around this copy; null where that is unknown
    asOf, // the position at that cell's end; the end of the log where it is unknown
    playing,
    speed, // events a second
    jumped, // by more than a step since the last frame
    sought, // by the reader, not by events that arrived
  };
}
