// The position in a log: it seeks, steps, plays, and follows what arrives. It tells `onMove` whenever it has changed.

const SPEEDS = [1, 2, 4, 8, 16, 30, 60];

/** Where a view is in its timeline, which `open` sets. */
export class Clock {
  constructor(onMove = () => {}) {
    this.onMove = onMove;
    this.timeline = null;
    this.position = 0;
    this.following = true; // at the end: go along with what arrives
    this.jumped = false; // since the last paint, by more than a step
    this.sought = false; // since the last paint, by the reader
    this.cell = null; // the notebook cell that the newest events come from
    this.playing = false;
    this.speed = 4;
  }

  /** Begin with another timeline, at its end once `advance` is called. */
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
    this.following = true;
    this.play(false);
  }

  /** The timeline has grown. */
  advance() {
    if (this.following) this.position = this.timeline.end;
    this.onMove();
  }

  seek(position) {
    if (!this.timeline) return;
    const { start, end } = this.timeline;
    const before = this.position;
    this.position = Math.min(Math.max(position, start), end);
    this.jumped ||= Math.abs(this.position - before) > 1;
    this.following = this.position === end;
    this.sought = true;
    this.onMove();
  }

  step(by) {
    this.seek(this.position + by);
  }

  /** Seek the next mark in this direction, if there is one. */
  seekMark(direction) {
    this.seek(this.timeline?.nextMark(this.position, direction)?.position ?? this.position);
  }

  play(on) {
    if (!this.timeline || (on && this.timeline.start === this.timeline.end)) return;
    this.playing = on;
    clearTimeout(this.timer);
    if (on && this.position >= this.timeline.end) this.position = this.timeline.start;
    if (on) this.timer = setTimeout(() => this.playOn(), 1000 / this.speed);
    this.onMove();
  }

  playOn() {
    this.step(1);
    this.play(this.position < this.timeline.end);
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
