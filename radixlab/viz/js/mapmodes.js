// The switch of the block map, and the key to the colours of a mode: what each colour stands for, in words.

import { h } from "./dom.js";
import { MODES, readMap } from "./modes.js";

/** A field that says what the map shows, with the key of that mode beside it. */
export function mapModes(map) {
  const select = h("select", { className: "rx-tool" }, ...MODES.map(([value, label]) => h("option", { value }, label)));
  select.setAttribute("aria-label", "What the block map shows");
  const key = h("span", { className: "rx-mode-key" });
  select.addEventListener("change", () => {
    map.show(select.value);
    key.replaceChildren(...keyOf(select.value));
  });
  return h("span", { className: "rx-tools" }, select, key);
}

function keyOf(mode) {
  if (mode === "standing") return []; // the legend below has it
  if (mode === "owner") return [h("span", {}, "the number in a block is its node; a node keeps its colour")];
  const nobody = { facts: { standing: [], owner: [], readers: [] }, state: { nodes: new Map() } };
  return readMap(mode, nobody).looks.map(({ name, color }) => {
    const swatch = h("span", { className: "rx-cell rx-swatch rx-plain" });
    if (color) swatch.style.background = color;
    return h("span", { className: "rx-mode-entry" }, swatch, name);
  });
}
