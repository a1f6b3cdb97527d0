// Small helpers for the page. Whatever comes from a log is set as text, never as markup.

/** Create an HTML element; `props` are properties, `data` and `aria` attributes by name. */
export function h(tag, { data = {}, aria = {}, ...props } = {}, ...children) {
  const el = Object.assign(document.createElement(tag), props);
  for (const [name, value] of Object.entries(data)) el.dataset[name] = value;
  for (const [name, value] of Object.entries(aria)) el.setAttribute(name === "role" ? "role" : `aria-${name}`, value);
  el.append(...children);
  return el;
}

/** Create an SVG element with these attributes. */
export function svg(tag, attributes = {}) {
  const el = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) el.setAttribute(name, value);
  return el;
}

/** Size a canvas for the screen's pixels and return its cleared context, in CSS pixels. */
export function canvasContext(canvas, width, height) {
  const scale = globalThis.devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  return context;
}

/** Call `fill(el)` unless the element shows this already; `key` says all that `fill` would read. Returns the element. */
export function filled(el, key, fill) {
  if (el.shownKey !== key) fill(el);
  el.shownKey = key;
  return el;
}

/** Give `el` these children in this order; those that stay are not touched, so they need not be laid out again. */
export function setChildren(el, children) {
  const wanted = new Set(children);
  for (const child of [...el.childNodes]) if (!wanted.has(child)) child.remove();
  children.forEach((child, k) => el.childNodes[k] !== child && el.insertBefore(child, el.childNodes[k] ?? null));
}

/** True where the reader asked the system for less motion. */
export function prefersCalm() {
  return globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches ?? false;
}

/** The focus `{kind, id}` that an element under the mouse stands for, by its data attributes; null for none. */
export function focusOf(target) {
  const el = target.closest?.("[data-block], [data-host-block], [data-node], [data-sequence]");
  if (!el) return null;
  const kind = ["block", "hostBlock", "node", "sequence"].find((name) => name in el.dataset);
  return { kind, id: Number(el.dataset[kind]) };
}

/** The width of a canvas's box, read once per change of that width: reading it makes the browser lay the page out. */
export function boxWidth(canvas) {
  const box = canvas.parentElement;
  if (!watched.has(box)) {
    watched.add(box);
    new ResizeObserver(() => (box.knownWidth = box.clientWidth)).observe(box);
  }
  box.knownWidth ||= box.clientWidth;
  return box.knownWidth;
}

const watched = new WeakSet();

let looks = 0;

/** A number that changes with the theme: what was read of a computed style holds as long as it stays the same. */
export function lookNumber() {
  return looks;
}

/** What the style sheet says of a canvas: colours for its pens, which follow the theme. Read once for each look. */
export function penStyle(canvas) {
  if (canvas.knownStyle?.number === looks) return canvas.knownStyle;
  const { color, backgroundColor, caretColor, textDecorationColor, accentColor, fontFamily } = getComputedStyle(canvas);
  canvas.knownStyle = { color, backgroundColor, caretColor, textDecorationColor, accentColor, fontFamily, number: looks };
  return canvas.knownStyle;
}

/** Set an element's text, unless it has it already: else the browser would lay it out and paint it again. */
export function setText(el, text) {
  if (el.textContent !== text) el.textContent = text;
}

/** Call back when canvases under `el` must be drawn again: another width, another theme. Returns what stops it. */
export function onNewLook(el, callback) {
  const widths = new Map();
  const resized = new ResizeObserver((entries) => {
    const changed = entries.filter(({ target, contentRect: { width } }) => width && width !== widths.get(target));
    for (const { target, contentRect } of entries) widths.set(target, contentRect.width);
    if (changed.length) callback();
  });
  for (const canvas of el.querySelectorAll("canvas")) resized.observe(canvas.parentElement);
  const restyled = () => {
    looks += 1;
    callback();
  };
  const themed = new MutationObserver(restyled);
  themed.observe(document.body, { attributeFilter: ["data-jp-theme-name", "data-jp-theme-light", "class"] });
  const media = ["(prefers-color-scheme: dark)", "(forced-colors: active)"].map((query) => globalThis.matchMedia(query));
  for (const query of media) query.addEventListener("change", restyled);
  return () => {
    resized.disconnect();
    themed.disconnect();
    for (const query of media) query.removeEventListener("change", restyled);
  };
}
