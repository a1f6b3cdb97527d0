// The numbers of the gauges over a whole log, sampled, for the sparklines. Pure: it folds the log once more, in pieces.

import { copyState } from "./cachestate.js";
import { blockFacts, countFacts } from "./facts.js";
import { fold } from "./fold.js";

const MOST_SAMPLES = 160; // twice this many are never kept: every second one goes, and the next come half as often

/** Samples of one timeline: `samples` are `{position, ...numbers}` in order, at distances of `every` events. */
export class History {
  constructor(timeline) {
    this.timeline = timeline;
    this.state = copyState(timeline.keyframes[0].state);
    this.position = timeline.start;
    this.every = 1;
    this.samples = [this.sample()];
  }

  /** Take in what the timeline has; stop early once `isLate()`. Returns whether all of it is in. */
  advance(isLate = () => false) {
    const { timeline } = this;
    while (this.position < timeline.end && !isLate()) {
      fold(this.state, timeline.events[this.position - timeline.start]);
      this.position += 1;
      if ((this.position - timeline.start) % this.every === 0) this.keep(this.sample());
    }
    return this.position >= timeline.end;
  }

  keep(sample) {
    this.samples.push(sample);
    if (this.samples.length < 2 * MOST_SAMPLES) return;
    this.every *= 2;
    this.samples = this.samples.filter(({ position }) => (position - this.timeline.start) % this.every === 0);
  }

  sample() {
    const { state, position } = this;
    const { free, evictable, in_use, hit_rate } = countFacts(state, blockFacts(state));
    const { evicted_blocks: evicted, copied_blocks: copied } = state;
    const counts = { "hit rate": hit_rate, running: state.sequences.size, nodes: state.nodes.size, evicted, copied };
    return { position, free, evictable, in_use, ...counts };
  }
}

/** A line through the samples of one number as points from 0 to 1, x over the log, y up to the largest; no gaps. */
export function sparkPoints(samples, name, start, end) {
  const known = samples.filter((sample) => typeof sample[name] === "number");
  const most = name === "hit rate" ? 1 : Math.max(1, ...known.map((sample) => sample[name]));
  const length = Math.max(1, end - start);
  return known.map((sample) => [(sample.position - start) / length, sample[name] / most]);
}
