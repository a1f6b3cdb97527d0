// The drawer below the why line: the function of the engine that emitted the event, its line lit, and the event's values.
// Only for sites whose source is known: a learner's tree or another engine has none. The bundle brings ENGINE_CODE.

import { h, setChildren } from "./dom.js";
import { shownText } from "./shown.js";

const MOST_VALUE = 300;

/** The function that holds a site's line: `{place, first, line, code}`; null where it is not known. */
export function functionOf(event, sources, code) {
  const place = event && Object.hasOwn(sources, event.site) ? sources[event.site] : null;
  return place && Object.hasOwn(code, event.site) ? { place, ...code[event.site] } : null;
}

/** An event's values as pairs of text, without what says where it was emitted. */
export function valuesOf(event) {
  return Object.entries(event)
    .filter(([name]) => !["type", "site"].includes(name))
    .map(([name, value]) => {
      const text = shownText(JSON.stringify(value) ?? "");
      return [name, text.length > MOST_VALUE ? `${text.slice(0, MOST_VALUE)} …` : text];
    });
}

/** The drawer: `{el, paint(frame)}`; `code` maps sites to functions. */
export function drawerPanel(code = typeof ENGINE_CODE === "undefined" ? {} : ENGINE_CODE) {
  const body = h("div", { className: "rx-drawer-body" });
  const el = h("details", { className: "rx-drawer", hidden: true }, h("summary", {}, "the engine's source and the event's values"), body);
  let shown = null;
  const draw = () => {
    if (el.hidden || !el.open || !shown) return;
    setChildren(body, [listing(shown.source), valueTable(shown.event)]);
    body.querySelector(".rx-code-lit")?.scrollIntoView?.({ block: "nearest" });
  };
  el.addEventListener("toggle", draw);
  return {
    el,
    paint({ timeline, position, sources }) {
      const event = timeline.eventBefore(position);
      if (event === shown?.event && event) return;
      const source = functionOf(event, sources, code);
      el.hidden = !source;
      shown = source && { event, source };
      draw();
    },
  };
}

/** The function, line by line; the line that emits the event is lit. */
function listing({ place, first, line, code }) {
  const rows = code.split("\n").map((text, k) => {
    const number = h("span", { className: "rx-code-number" }, `${first + k}`);
    return h("div", { className: first + k === line ? "rx-code-lit" : "" }, number, text || " ");
  });
  const label = `Source: ${place}`;
  return h("div", { className: "rx-code", tabIndex: 0, aria: { role: "region", label } }, ...rows);
}

function valueTable(event) {
  const rows = valuesOf(event).map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, value)));
  const caption = h("caption", {}, event.type);
  return h("table", { className: "rx-values" }, caption, h("tbody", {}, ...rows));
}
