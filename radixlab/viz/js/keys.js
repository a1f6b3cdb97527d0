// Keys of the view, and the guard that keeps a notebook's own shortcuts from firing inside it.

const KEYS = {
  ArrowLeft: "back",
  ArrowRight: "step",
  "shift+ArrowLeft": "previousMark",
  "shift+ArrowRight": "nextMark",
  Home: "first",
  End: "last",
  " ": "play",
  Escape: "unpin",
  "+": "faster",
  "=": "faster",
  "-": "slower",
  "/": "search",
  "[": "rangeFrom",
  "]": "rangeTo",
  g: "ghosts",
};

/** Call the action of a key; every key stays inside, the browser's own combinations (ctrl, alt, meta) pass. */
export function bindKeys(el, actions) {
  el.dataset.lmSuppressShortcuts = "true"; // JupyterLab's guard: it listens before we could stop the event
  el.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.matches("select, textarea, input:not([type=range])")) return; // a field's own
    const onButton = event.target.tagName === "BUTTON";
    if (onButton && (event.key === " " || event.key === "Enter")) return; // the button's own
    const arrow = event.key.startsWith("Arrow");
    const action = KEYS[event.shiftKey && arrow ? `shift+${event.key}` : event.key];
    if (!action || !actions[action]) return; // two runs have no range, one run has no ghosts
    event.preventDefault();
    actions[action]();
  });
}
