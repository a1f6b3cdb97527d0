// Which cell of the notebook a copy of a view is an output of. Nobody tells a widget; the prompt beside it says so.

/** The number in the prompt of the cell around `el`; null outside of a notebook, and while the cell runs. */
export function cellNumber(el) {
  const prompt = el.closest(".jp-Cell")?.querySelector(".jp-InputPrompt");
  const number = /\[(\d+)\]/.exec(prompt?.textContent ?? "");
  return number && Number(number[1]);
}
