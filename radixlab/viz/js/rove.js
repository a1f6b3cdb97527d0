// The keyboard inside the tree, the maps and the sequences. Each is one tab stop; arrows move a cursor within it, which
// lights up what belongs together as the mouse does; Enter pins. The element that has the focus never changes, so it
// survives every repaint, and a screen reader hears of the cursor by `aria-activedescendant` or `aria-valuetext`.

/**
 * Make one panel a tab stop: it has `focusEl`, `walk(key, focus)` and `setCursor(focus)`.
 * Returns `paint()`, to be called after the panel has been painted.
 */
export function rove(panel, links, root) {
  const el = panel.focusEl;
  const role = el.getAttribute("role");
  let at = null;
  const move = (focus) => {
    at = focus;
    panel.setCursor(focus);
    const text = links.point(focus);
    if (role === "slider") setValue(el, focus, text);
  };
  el.addEventListener("focus", () => {
    if (!el.matches(":focus-visible")) return root.focus({ preventScroll: true }); // by mouse: arrows go on stepping
    move(panel.walk("Here", at));
  });
  el.addEventListener("blur", () => {
    panel.setCursor(null);
    links.point(null);
  });
  el.addEventListener("keydown", (event) => {
    if (event.target !== el || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Enter" && at) links.pick(at);
    else {
      const next = panel.walk(event.key, at);
      if (!next) return; // the player's key
      move(next);
    }
    event.preventDefault();
  });
  return () => {
    const isEmpty = !panel.walk("Here", at);
    el.tabIndex = isEmpty ? -1 : 0;
    el.setAttribute("role", isEmpty ? "group" : role); // a tree or a list without items is none
    if (el.matches(":focus")) move(panel.walk("Here", at));
  };
}

function setValue(el, focus, text) {
  el.setAttribute("aria-valuenow", focus?.id ?? 0);
  el.setAttribute("aria-valuetext", text);
}

/** The item of a list that a key leads to; "Here" stays, or begins where `id` is not in the list. */
export function walkList(ids, id, key) {
  if (!ids.length) return null;
  const at = ids.indexOf(id);
  if (at < 0) return ids[0];
  const next = { Here: at, ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: ids.length - 1 }[key];
  return next === undefined ? null : ids[Math.min(Math.max(next, 0), ids.length - 1)];
}
