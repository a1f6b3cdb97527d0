// The position in a log: it seeks, steps, plays, and follows what arrives. It tells `onMove` whenever it has changed.
// A copy of a view that knows its notebook cell follows that cell only: later it shows the cache "as of this cell",
// beside the text that speaks of it, until the reader wants it live.

const SPEEDS = [1, 2, 4, 8, 16, 30, 60];

/** Where a view is in its timeline, which `open` sets. */
export class Clock {
  constructor(onMove = () => {}) {
    this.onMove = onMove;
    this.limit = (_from, to) => to; // as far as a step, or what arrives, may lead: predict mode stops before its questions
    this.timeline = null;
    this.position = 0;
    this.following = true; // at the horizon: go along with what arrives
    this.own = null; // the notebook cell around this copy, where that is known
    this.live = false; // follow later cells too
    this.jumped = false; // since the last paint, by more than a step
    this.sought = false; // since the last paint, by the reader
    this.cell = null; // the notebook cell that the newest events come from
    this.playing = false;
    this.speed = 4;
  }

  /** The position at the end of this copy's own cell; the end of the log where that cell is unknown. */
  get asOf() {
    return this.own === null ? this.timeline.end : this.timeline.endOfCell(this.own);
  }

  /** Where following leads. */
  get horizon() {
    return this.live ? this.timeline.end : this.asOf;
  }

  /** Learn the cell around this copy, which has no number while it runs. */
  settle(own) {
    if (own === this.own) return;
    this.own = own;
    if (this.timeline && this.following) this.position = this.horizon;
  }

  /** Begin with another timeline, at its horizon once `advance` is called. */
  open(timeline) {
    this.timeline = timeline;
    this.position = timeline.start;
    this.following = true;
  }

  /** Events of another cell than before: whoever looks back has run a cell since, and wants to see what it does. */
  enterCell(cell) {
    if (cell === undefined || cell === this.cell) return;
    this.cell = cell;
    if (!this.timeline || this.following) return;
    if (this.own !== null && this.own !== cell && !this.live) return; // that cell is not shown here
    this.following = true;
    this.play(false);
  }

  /** The timeline has grown. */
  advance() {
    if (this.following) this.follow();
    this.onMove();
  }

  follow() {
    this.position = this.limit(this.position, this.horizon);
    this.following = this.position === this.horizon;
  }

  seek(position) {
    if (!this.timeline) return;
    const { start, end } = this.timeline;
    const { asOf } = this;
    const before = this.position;
    this.position = Math.min(Math.max(position, start), end);
    this.jumped ||= Math.abs(this.position - before) > 1;
    if (asOf < end && [asOf, end].includes(this.position)) this.live = this.position === end;
    this.following = this.position === this.horizon;
    this.sought = true;
    this.onMove();
  }

  step(by) {
    this.seek(this.limit(this.position, this.position + by));
  }

  /** Seek the next mark in this direction, if there is one. */
  seekMark(direction) {
    const target = this.timeline?.nextMark(this.position, direction)?.position ?? this.position;
    this.seek(this.limit(this.position, target));
  }

  play(on) {
    if (!this.timeline || (on && this.timeline.start === this.timeline.end)) return;
    this.playing = on;
    clearTimeout(this.timer);
    if (on && [this.horizon, this.timeline.end].includes(this.position)) this.position = this.timeline.start;
    if (on) this.timer = setTimeout(() => this.playOn(), 1000 / this.speed);
    this.onMove();
  }

  playOn() {
    const before = this.position;
    this.step(1);
    this.play(this.position > before && ![this.horizon, this.timeline.end].includes(this.position));
  }

  changeSpeed(by) {
    const at = SPEEDS.indexOf(this.speed) + by;
    this.speed = SPEEDS[Math.min(Math.max(at, 0), SPEEDS.length - 1)];
    this.onMove();
  }

  /** The picture of this position has been painted. */
  painted() {
    this.jumped = this.sought = false;
  }
}
