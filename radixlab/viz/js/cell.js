// Which cell of the notebook a copy of a view is an output of. Nobody tells a widget; the prompt beside it says so.

/** The number in the prompt of the cell around `el`; null outside of a notebook, and while the cell runs. */
export function cellNumber(el) {
  const number = /\[(\d+)\]/.exec(promptOf(el)?.textContent ?? "");
  return number && Number(number[1]);
}

function promptOf(el) {
  return el.closest(".jp-Cell")?.querySelector(".jp-InputPrompt") ?? null;
}

/**
 * Call `changed` when the prompt of the cell around `el` changes: a busy page may write a cell's number after all that
 * the cell has sent. `{look(), stop()}`: `look` finds the prompt, for a notebook takes cells out of the page and puts
 * them back.
 */
export function promptWatch(el, changed) {
  const observer = new MutationObserver(changed);
  let watched = null;
  return {
    look() {
      const prompt = promptOf(el);
      if (prompt === watched) return;
      watched = prompt;
      observer.disconnect();
      if (prompt) observer.observe(prompt, { childList: true, characterData: true, subtree: true });
    },
    stop: () => observer.disconnect(),
  };
}
