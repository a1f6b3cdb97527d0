// Keeps a view in sight while a cell animates it: by then the notebook has scrolled on to the next cell.

/** Follow the model's `in_sight` until the reader scrolls away; return the function that ends it. */
export function keepInSight(model, root) {
  let wanted = false;
  const look = () => wanted && root.scrollIntoView({ block: "start" });
  const letGo = () => (wanted = false);
  const follow = () => {
    wanted = Boolean(model.get("in_sight"));
    look();
  };
  const growth = new ResizeObserver(look); // the page keeps what is below in its place, and the view grows upward
  growth.observe(root);
  requestAnimationFrame(follow); // once it is in the page
  model.on("change:in_sight", follow);
  for (const type of ["wheel", "touchmove", "keydown", "pointerdown"]) window.addEventListener(type, letGo, { passive: true });
  return () => {
    growth.disconnect();
    model.off("change:in_sight", follow);
    for (const type of ["wheel", "touchmove", "keydown", "pointerdown"]) window.removeEventListener(type, letGo);
  };
}
