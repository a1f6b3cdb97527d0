// Search in the picture: a block, a node or a sequence by its number, a node or a sequence by the text of its tokens.

import { h } from "./dom.js";

const KINDS = { block: "block", "host block": "hostBlock", node: "node", sequence: "sequence" };

/** All that a query finds, as focuses, in the order in which they are visited. Case does not matter. */
export function findAll(state, text, query) {
  const wanted = query.trim().toLowerCase();
  if (!wanted) return [];
  const named = /^(?:(host block|block|node|sequence)\s*)?#?(\d+)$/.exec(wanted);
  const found = named ? byNumber(state, named[1], Number(named[2])) : [];
  const holds = ({ tokens }) => text(tokens).toLowerCase().includes(wanted);
  if (named?.[1]) return found;
  for (const node of state.nodes.values()) if (holds(node)) found.push({ kind: "node", id: node.id });
  for (const sequence of state.sequences.values()) if (holds(sequence)) found.push({ kind: "sequence", id: sequence.id });
  return unique(found);
}

function byNumber(state, word, id) {
  const exists = {
    block: id < state.num_blocks,
    node: state.nodes.has(id),
    sequence: state.sequences.has(id),
    "host block": id < (state.num_host_blocks ?? 0),
  };
  return Object.keys(exists)
    .filter((name) => exists[name] && (word ? word === name : name !== "host block"))
    .map((name) => ({ kind: KINDS[name], id }));
}

function unique(focuses) {
  const seen = new Set();
  return focuses.filter(({ kind, id }) => !seen.has(`${kind} ${id}`) && seen.add(`${kind} ${id}`));
}

/** The field: `{el, paint(frame), open()}`; `show(focus)` pins what was found, or lets go with null. */
export function searchPanel(show, leave) {
  const input = h("input", { type: "search", className: "rx-search", placeholder: "search: token text, block id  ( / )" });
  input.setAttribute("aria-label", "Search for token text, a block, a node or a sequence");
  const count = h("span", { className: "rx-found", aria: { live: "polite" } });
  const search = { frame: null, query: "", at: -1 };
  const next = (direction) => {
    const found = findAll(search.frame.state, search.frame.text, input.value);
    search.at = input.value === search.query ? search.at + direction : 0;
    search.query = input.value;
    search.at = found.length ? (search.at + found.length) % found.length : -1;
    count.textContent = input.value ? (found.length ? `${search.at + 1} of ${found.length}` : "not found") : "";
    show(found[search.at] ?? null);
  };
  input.addEventListener("input", () => next(0));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") next(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") leave();
    else return;
    event.preventDefault();
  });
  const el = h("span", { className: "rx-tools", aria: { role: "group" } }, input, count);
  return { el, paint: (frame) => (search.frame = frame), open: () => input.focus() };
}
