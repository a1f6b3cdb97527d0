// The legend of two runs: the states of blocks with both runs' counts, and what the ghost in a block stands for.

import { canvasContext, filled, h, lookNumber, penStyle, setText } from "./dom.js";
import { legendPanel } from "./gauges.js";
import { ghostName, GHOSTS } from "./ghost.js";
import { drawGhost } from "./ghostcells.js";

const SWATCH = 26; // the side of a cell whose ghost is drawn; the canvas shows its corner

/** The legend: `{el, paint(frames)}`; `onToggle(name)` is called with the entry that is pressed. */
export function pairLegend(onToggle, names) {
  const states = legendPanel(onToggle);
  const title = h("span", { className: "rx-pair-counts" }, `${names.join(" · ")}:`);
  states.el.prepend(title);
  const entries = GHOSTS.map((name, kind) => (kind ? ghostEntry(name, kind, onToggle) : null)).slice(1);
  const says = h("span", { className: "rx-pair-counts" }, "in a block's corner, or beyond a gap: the other run, where it differs:");
  const ghosts = h("div", { className: "rx-legend", aria: { role: "group", label: "Legend of the other run: press an entry to hide it" } }, says);
  ghosts.append(...entries.map(({ button }) => button));
  const el = h("div", {}, states.el, ghosts);
  return { el, paint: (frames) => paintPairLegend({ states, ghosts, entries }, frames) };
}

function ghostEntry(name, kind, onToggle) {
  const swatch = h("canvas", { className: "rx-map rx-ghost-swatch", aria: { hidden: "true" } });
  const count = h("span", { className: "rx-count" });
  const title = name === "other tokens" ? "the same state in both runs, but the block holds other tokens there" : `${name} in the other run, and something else in this one`;
  const button = h("button", { type: "button", title, aria: { pressed: "true" } }, swatch, `${name} there`, count);
  button.addEventListener("click", () => onToggle(ghostName(kind)));
  return { button, count, swatch, kind };
}

function paintPairLegend({ states, ghosts, entries }, [a, b]) {
  states.paint(a, b);
  ghosts.hidden = !a.ghost;
  if (ghosts.hidden) return;
  for (const { button, count, swatch, kind } of entries) {
    const onHost = GHOSTS[kind] === "on host"; // no block of the device is
    const counts = [a, b].map((frame) => (onHost ? frame.hostGhost : frame.ghost).counts[kind].toLocaleString("en"));
    setText(count, counts.join(" · "));
    button.setAttribute("aria-pressed", String(!a.dimmed.has(ghostName(kind))));
    button.hidden = onHost && !a.state.num_host_blocks && !b.state.num_host_blocks;
    filled(swatch, [lookNumber(), globalThis.devicePixelRatio].join(), () => drawSwatch(swatch, kind));
  }
}

function drawSwatch(swatch, kind) {
  const { color, backgroundColor, caretColor, textDecorationColor } = penStyle(swatch);
  const c = canvasContext(swatch, 13, 13);
  swatch.style.width = "13px";
  const pen = { c, side: SWATCH, ink: color, paper: backgroundColor, free: caretColor, edge: textDecorationColor };
  drawGhost(pen, { ghost: kind, faint: false }, 1, 1);
}
