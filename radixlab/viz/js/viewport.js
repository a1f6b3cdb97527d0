// The window over the plane of the tree: where it is, and what moves it.

/** The most pixels that the window may be tall. */
export const TALLEST = 420;

/** Let the mouse pull the plane; a finger scrolls it without our help. */
export function dragToPan(el) {
  let from = null;
  el.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button) return;
    from = { x: event.clientX + el.scrollLeft, y: event.clientY + el.scrollTop };
  });
  el.addEventListener("pointermove", (event) => {
    if (!from || !event.buttons) return;
    el.classList.add("rx-dragged");
    el.scrollTo(from.x - event.clientX, from.y - event.clientY);
  });
  for (const name of ["pointerup", "pointerleave"]) {
    el.addEventListener(name, () => {
      from = null;
      el.classList.remove("rx-dragged");
    });
  }
}

/** Where the window is and how large, read once per change: reading it makes the browser lay the page out. */
export function windowOf(panel) {
  const { scrollLeft: left, scrollTop: top, clientWidth: w, clientHeight: h, offsetWidth } = panel.window ? {} : panel.scroller;
  panel.window ??= { left, top, w, h, outer: offsetWidth || 900 };
  return panel.window;
}

/** Scroll a node into the visible part; return whether that was needed. Cards are still where they were. */
export function scrollInto(panel, id) {
  const box = panel.last?.layout.boxes.get(id);
  if (!box) return false;
  const { scroller, last: { scale, size } } = panel;
  const { left, top, w, h } = windowOf(panel);
  const x = scrolled(left, w, size.w, box.x * scale, box.w * scale);
  const y = scrolled(top, h, size.h, box.y * scale, box.h * scale);
  if (x === left && y === top) return false;
  scroller.scrollTo(x, y);
  panel.window = null;
  return true;
}

const BESIDE = 20; // pixels between what was scrolled to and the edge

/** Where a window `from` on, of this length, must begin so that it holds what is `at` and `long`; the whole has an end. */
function scrolled(from, length, whole, at, long) {
  const begin = Math.max(0, Math.min(from, whole - length)); // a tree that has become smaller pulls the window along
  if (at < begin) return at - BESIDE;
  return at + long > begin + length ? at + long + BESIDE - length : begin;
}

/** Put this point of the tree into the middle of the window. */
export function centreOn(panel, x, y) {
  const { scroller: el, last: { scale } } = panel;
  el.scrollTo(x * scale - el.clientWidth / 2, y * scale - el.clientHeight / 2);
  panel.window = null;
}
