// How large a tree is drawn: as chosen by the reader, else so that it fits if it can.

import { h } from "./dom.js";

const SMALLEST_FIT = 0.75; // a tree too wide is drawn smaller by itself, down to this; then it scrolls
const LEVELS = [0.3, 0.4, 0.5, 0.6, 0.75, 0.9, 1, 1.25, 1.5, 2];
export const PLAIN_BELOW = 0.5; // smaller than this, cards are drawn without their blocks

/** The scale for a tree of this width in a window of that width; `chosen` is the reader's, or null. */
export function scaleOf(chosen, width, room) {
  return chosen ?? Math.min(1, Math.max(SMALLEST_FIT, room / width));
}

/** The next level above (direction 1) or below (-1) a scale. */
export function nextLevel(scale, direction) {
  const levels = direction > 0 ? LEVELS : [...LEVELS].reverse();
  return levels.find((level) => direction * (level - scale) > 0.001) ?? levels.at(-1);
}

/** Buttons to zoom out, to the size that fits, and in. */
export function zoomButtons(zoom) {
  const button = (sign, label, act) => {
    const el = h("button", { type: "button", title: label, className: "rx-tool", aria: { label } }, sign);
    el.addEventListener("click", act);
    return el;
  };
  const parts = [
    button("−", "Zoom out", () => zoom(-1)),
    button("fit", "Size that fits", () => zoom(0)),
    button("+", "Zoom in", () => zoom(1)),
  ];
  return h("span", { className: "rx-tools", aria: { role: "group", label: "Zoom of the tree" } }, ...parts);
}
