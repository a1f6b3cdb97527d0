// Numbers over the picture: the pool as one bar that adds up, then rates and counts. Below the map: the legend.

import { filled, h, setChildren, setText } from "./dom.js";
import { ON_HOST } from "./facts.js";
import { MARKS, STANDINGS } from "./palette.js";
import { historyKeeper, sparkline } from "./spark.js";

const SPARKED = new Set(["hit rate", "running", "nodes", "evicted", "copied"]);

/** The panel of gauges: `{el, paint(frame)}`. */
export function gaugesPanel() {
  const bar = h("div", { className: "rx-pool-bar" });
  const pool = h("div", { className: "rx-pool-text" });
  const numbers = h("div", { className: "rx-numbers" });
  const cells = new Map();
  const poolSpark = sparkline();
  let last = null;
  const paintSparks = () => {
    const history = knownHistory(historyOf(last.timeline), last);
    poolSpark.paint(history, "in_use", last.position);
    for (const [name, { spark }] of cells) if (SPARKED.has(name)) spark.paint(history, name, last.position);
  };
  const historyOf = historyKeeper(paintSparks);
  const el = h("div", { className: "rx-gauges" }, h("div", { className: "rx-pool" }, pool, bar), numbers);
  return {
    el,
    paint(frame) {
      const { free, evictable, in_use: used } = frame.counts;
      const parts = [["in use", used, "used"], ["evictable", evictable, "cached"], ["free", free, "free"]];
      const key = [free, evictable, used, frame.state.num_blocks].join();
      filled(pool, key, () => pool.replaceChildren(...poolText(parts, frame.state.num_blocks), poolSpark.el));
      filled(bar, key, () => bar.replaceChildren(...parts.filter(([, value]) => value).map(([, value, kind]) => segment(value, kind))));
      setChildren(numbers, numbersOf(frame).map(([name, value]) => numberCell(cells, name, value)));
      last = frame;
      paintSparks();
    },
  };
}

/** While predict mode asks, the lines end at the question: what is to come would tell the answer. */
function knownHistory(history, { quiz, position }) {
  if (!quiz?.question) return history;
  return { timeline: history.timeline, samples: history.samples.filter((sample) => sample.position <= position) };
}

function segment(value, kind) {
  const el = h("span", { className: `rx-bar-${kind}` });
  el.style.flexGrow = value;
  return el;
}

function poolText(parts, total) {
  const words = parts.flatMap(([name, value, kind], k) => [
    ...(k ? [h("span", { className: "rx-plus" }, "+")] : []),
    h("span", { className: `rx-key rx-key-${kind}` }, h("b", {}, `${value}`), ` ${name}`),
  ]);
  return [...words, h("span", { className: "rx-plus" }, "="), h("span", {}, h("b", {}, `${total}`), " blocks")];
}

function numbersOf({ state, counts, requests }) {
  const ofTree = [["nodes", state.nodes.size], ["evicted", state.evicted_blocks]];
  if (!requests) return ofTree; // a tree alone has no sequences
  const host = state.num_host_blocks ? hostNumbers(state, counts) : [];
  const rate = counts.hit_rate === null ? "–" : `${(100 * counts.hit_rate).toFixed(1)} %`;
  return [["hit rate", rate], ["running", state.sequences.size], ...ofTree, ["copied", state.copied_blocks], ...host];
}

function hostNumbers(state, counts) {
  const share = `${counts.on_host} of ${state.num_host_blocks}`;
  return [["on host", share], ["loaded back", state.loaded_back_blocks], ["dropped", state.dropped_blocks]];
}

/** The cell of one number; it is kept, so that its sparkline need not be drawn again. */
function numberCell(cells, name, value) {
  if (!cells.has(name)) {
    const spark = sparkline();
    const number = h("b", {});
    const line = h("div", { className: "rx-number" }, number, ...(SPARKED.has(name) ? [spark.el] : []));
    cells.set(name, { spark, number, el: h("div", {}, h("span", {}, name), line) });
  }
  const { number, el } = cells.get(name);
  setText(number, value.toLocaleString("en"));
  return el;
}

/** The legend: `{el, paint(frame)}`; each entry is a toggle, `onToggle(name)` is called when it is pressed. */
export function legendPanel(onToggle) {
  const entries = new Map();
  const el = h("div", { className: "rx-legend", aria: { role: "group", label: "Legend: press an entry to dim it" } });
  STANDINGS.forEach((standing, k) => add(standing, `rx-s${k}`, standing.name === "shared" ? "2" : "0"));
  for (const mark of MARKS) add(mark, `rx-s0 rx-m-${mark.key}`, "0");
  function add({ name, help }, className, readers) {
    const swatch = h("span", { className: `rx-cell rx-swatch ${className}`, data: { readers } });
    const count = h("span", { className: "rx-count" });
    const button = h("button", { type: "button", title: help, aria: { pressed: "true" } }, swatch, name, count);
    button.addEventListener("click", () => onToggle(name));
    entries.set(name, { button, count });
    el.append(button);
  }
  return { el, paint: (...frames) => paintLegend(entries, frames) };
}

/** One number for each frame: of two runs there are two. */
function paintLegend(entries, frames) {
  const counts = frames.map(countStandings);
  STANDINGS.forEach(({ name }, k) => {
    setText(entries.get(name).count, counts.map((count) => count[k].toLocaleString("en")).join(" · "));
  });
  entries.get("on host").button.hidden = !frames.some(({ state }) => state.num_host_blocks);
  for (const [name, { button }] of entries) button.setAttribute("aria-pressed", String(!frames[0].dimmed.has(name)));
}

function countStandings({ facts }) {
  const counts = new Array(STANDINGS.length).fill(0);
  for (const standing of facts.standing) counts[standing] += 1;
  counts[ON_HOST] = facts.host.standing.reduce((sum, standing) => sum + Number(standing === ON_HOST), 0);
  return counts;
}
