// The fields of a guess: a number to type, or choices to press. They never keep the keyboard: with a guess made, the focus
// is on the next cell of the notebook, where Shift+Enter and Esc work as everywhere.

/** Create an element with these properties; texts are set as text, never as markup. */
export function make(tag, props, ...children) {
  const el = Object.assign(document.createElement(tag), props);
  el.append(...children);
  return el;
}

/** Put the focus on the notebook's next cell, or on the box's own where it is the last; elsewhere only let go. */
function leave(el) {
  const cell = el.closest(".jp-Cell");
  const next = cell?.nextElementSibling?.matches(".jp-Cell") ? cell.nextElementSibling : cell;
  document.activeElement?.blur();
  next?.focus();
  return next;
}

/** Hand a key on to the cell that has the focus now, as if it had been pressed there. */
function passOn(event, cell) {
  const { key, code, keyCode, shiftKey, ctrlKey, altKey, metaKey } = event;
  const same = { key, code, keyCode, shiftKey, ctrlKey, altKey, metaKey, bubbles: true, cancelable: true };
  cell?.dispatchEvent(new KeyboardEvent("keydown", same));
}

export function numberField(model, say) {
  const field = make("input", { type: "text", className: "rx-guess-field", placeholder: model.get("hint") });
  field.setAttribute("aria-label", model.get("question"));
  field.autocomplete = "off";
  field.addEventListener("change", () => say(field.value));
  field.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    if (event.key === "Enter") say(field.value);
    const cell = leave(field);
    if (event.key === "Enter" && (event.shiftKey || event.ctrlKey || event.altKey)) passOn(event, cell);
  });
  const paint = () => {
    if (document.activeElement !== field) field.value = model.get("value");
  };
  return { el: field, paint };
}

export function choiceButtons(model, say) {
  const buttons = model.get("choices").map((text) => {
    const button = make("button", { type: "button", className: "rx-guess-choice", textContent: text });
    button.addEventListener("click", (event) => {
      say(text);
      if (event.detail > 0) leave(button); // pressed with the mouse; a keyboard goes on from here
    });
    return button;
  });
  const el = make("div", { className: "rx-guess-choices" }, ...buttons);
  el.setAttribute("role", "group");
  el.setAttribute("aria-label", model.get("question"));
  const paint = () => {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.textContent === model.get("value")));
  };
  return { el, paint };
}

const PATIENCE_MS = 3000;
const NO_ANSWER = "The kernel has not answered, so this guess is not kept yet. If the kernel was restarted, run the cell again.";

/** The line under a field: what the kernel says, or that it does not answer. */
export function statusLine(model) {
  const el = make("div", { className: "rx-guess-status" });
  el.setAttribute("role", "status");
  let waiting = null; // for the kernel to have taken the last guess
  const stop = () => {
    clearTimeout(waiting);
    waiting = null;
  };
  const wait = () => {
    stop();
    waiting = setTimeout(() => (el.textContent = NO_ANSWER), PATIENCE_MS);
  };
  const paint = () => (el.textContent = waiting === null ? model.get("status") : "…");
  return { el, paint, wait, stop };
}
