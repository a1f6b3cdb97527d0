// A small map of a tree that is larger than its window: every drawn node as a spot, and the window as a frame.
// Pressing or dragging on it moves the window.

import { canvasContext, h, penStyle } from "./dom.js";

const LARGEST = { w: 150, h: 96 };
const FROM = 1.6; // how many times larger than its window a tree must be, in either direction

/** The minimap: `{el, paint(last, view)}`; `moveTo(x, y)` puts this point of the tree into the window's middle. */
export function minimap(moveTo) {
  const canvas = h("canvas", { className: "rx-minimap", hidden: true, aria: { hidden: "true" } });
  const map = { canvas, scale: 1 };
  const go = (event) => {
    if (!event.buttons) return;
    event.preventDefault();
    event.stopPropagation(); // the tree below must not be dragged too
    const bounds = canvas.getBoundingClientRect();
    moveTo((event.clientX - bounds.left) / map.scale, (event.clientY - bounds.top) / map.scale);
  };
  canvas.addEventListener("pointerdown", go);
  canvas.addEventListener("pointermove", go);
  return { el: canvas, paint: (last, view) => paintMinimap(map, last, view) };
}

/** Whether a tree of this size needs a minimap in a window of that size. */
export function needsMinimap(size, window) {
  return window.w > 3 * LARGEST.w && (size.w > FROM * window.w || size.h > FROM * window.h);
}

function paintMinimap(map, { layout, scale, size, frame }, view) {
  map.canvas.hidden = !needsMinimap(size, view);
  if (map.canvas.hidden) return;
  map.scale = Math.min(LARGEST.w / layout.width, LARGEST.h / layout.height);
  const [width, height] = [layout.width * map.scale, layout.height * map.scale].map((px) => Math.max(12, Math.ceil(px)));
  map.canvas.style.width = `${width}px`;
  const c = canvasContext(map.canvas, width, height);
  const { color, caretColor, accentColor } = penStyle(map.canvas);
  for (const [id, box] of layout.boxes) {
    c.fillStyle = frame.changes.hit.nodes.has(id) || frame.changes.new.nodes.has(id) ? accentColor : color;
    const [w, h2] = [box.w, box.h].map((px) => Math.max(1.5, px * map.scale - 0.5));
    c.fillRect(box.x * map.scale, box.y * map.scale, w, h2);
  }
  const rect = [view.left, view.top, view.w, view.h].map((px) => (px / scale) * map.scale);
  c.strokeStyle = caretColor;
  c.lineWidth = 2;
  c.strokeRect(rect[0] + 1, rect[1] + 1, Math.min(rect[2], width - rect[0]) - 2, Math.min(rect[3], height - rect[1]) - 2);
}
