// A range of the log and what happened in it: shift and the mouse over the lanes, or the keys [ and ] at its two ends.

import { expand } from "./cachestate.js";
import { h } from "./dom.js";
import { plural } from "./wording.js";

const INSET_PX = 8; // as the lanes: half a scrubber's thumb

const SUMS = {
  PrefixMatched(sums, e) {
    sums.requests += 1;
    sums.prompt += e.num_tokens;
    sums.found += e.hit_tokens;
  },
  NodeSplit: (sums) => (sums.splits += 1),
  BlockCopied: (sums) => (sums.copies += 1),
  BlocksAllocated: (sums, e) => (sums.allocated += expand(e.block_runs).length),
  BlockRemoved: (sums, e) => (sums.evicted += expand(e.block_runs).length),
  WrittenBack: (sums, e) => (sums.writtenBack += expand(e.block_runs).length),
  LoadedBack: (sums, e) => (sums.loadedBack += expand(e.block_runs).length),
  OutOfBlocks: (sums) => (sums.failures += 1),
};

/** Add up events: requests, prompt tokens and those found, and what was split, copied, taken and given up. */
export function sumsOf(events) {
  const sums = { requests: 0, prompt: 0, found: 0, splits: 0, copies: 0 };
  Object.assign(sums, { allocated: 0, evicted: 0, writtenBack: 0, loadedBack: 0, failures: 0 });
  for (const event of events) if (Object.hasOwn(SUMS, event.type)) SUMS[event.type](sums, event);
  return sums;
}

/** The sums in one sentence; what is zero is left out. */
export function sumsText(from, to, sums) {
  const rate = sums.prompt ? ` (${((100 * sums.found) / sums.prompt).toFixed(1)} %)` : "";
  const found = `${sums.found.toLocaleString("en")} of ${sums.prompt.toLocaleString("en")} prompt tokens found${rate}`;
  const parts = [
    sums.requests && `${plural(sums.requests, "prefix match").replace(/matchs$/, "matches")}, ${found}`,
    sums.allocated && `${plural(sums.allocated, "block")} taken`,
    sums.evicted && `${plural(sums.evicted, "block")} evicted`,
    sums.writtenBack && `${plural(sums.writtenBack, "block")} written back`,
    sums.loadedBack && `${plural(sums.loadedBack, "block")} loaded back`,
    sums.splits && plural(sums.splits, "split"),
    sums.copies && plural(sums.copies, "copy").replace(/copys$/, "copies"),
    sums.failures && `${plural(sums.failures, "call")} out of blocks`,
  ].filter(Boolean);
  return `events ${from + 1} to ${to}: ${parts.join(" · ") || "nothing that counts here"}`;
}

/** The brush over a track: `{el, paint(frame), from(position), to(position), clear()}`; `el` is the line with the sums. */
export function rangeBrush(track) {
  const band = h("div", { className: "rx-brush", hidden: true });
  const el = h("div", { className: "rx-sums", hidden: true, aria: { live: "polite" } });
  const brush = { band, el, frame: null, ends: null };
  track.append(band);
  track.addEventListener("pointerdown", (event) => event.shiftKey && startBrush(brush, track, event), true);
  return {
    el,
    paint(frame) {
      if (brush.frame && brush.frame.timeline !== frame.timeline) brush.ends = null;
      brush.frame = frame;
      paintBrush(brush);
    },
    from: (position) => setEnds(brush, position, Math.max(brush.ends?.[1] ?? brush.frame.timeline.end, position)),
    to: (position) => setEnds(brush, Math.min(brush.ends?.[0] ?? brush.frame.timeline.start, position), position),
    clear: () => setEnds(brush, null),
  };
}

function startBrush(brush, track, event) {
  event.preventDefault();
  event.stopPropagation(); // the scrubber below stays where it is
  const { left, width } = track.getBoundingClientRect();
  const positionAt = ({ clientX }) => {
    const { start, end } = brush.frame.timeline;
    const share = (clientX - left - INSET_PX) / (width - 2 * INSET_PX);
    return Math.round(start + Math.min(Math.max(share, 0), 1) * (end - start));
  };
  const first = positionAt(event);
  const move = (later) => setEnds(brush, ...[first, positionAt(later)].sort((a, b) => a - b));
  const stop = () => window.removeEventListener("pointermove", move);
  window.addEventListener("pointermove", move);
  window.addEventListener("pointerup", stop, { once: true });
}

function setEnds(brush, from, to) {
  brush.ends = from === null || !brush.frame ? null : [from, to];
  if (brush.frame) paintBrush(brush);
}

function paintBrush({ band, el, frame, ends }) {
  band.hidden = el.hidden = !ends;
  if (!ends) return;
  const { start, end, events } = frame.timeline;
  const shareOf = (position) => (position - start) / Math.max(1, end - start);
  band.style.left = `calc(${INSET_PX}px + (100% - ${2 * INSET_PX}px) * ${shareOf(ends[0])})`;
  band.style.width = `calc((100% - ${2 * INSET_PX}px) * ${shareOf(ends[1]) - shareOf(ends[0])})`;
  const text = sumsText(...ends, sumsOf(events.slice(ends[0] - start, ends[1] - start)));
  if (el.textContent !== text) el.textContent = text;
}
