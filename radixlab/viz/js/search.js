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

/** Pin what was found in a run, and bring it into sight; null lets go. */
export function pinFound({ links, tree, sequences }, focus) {
  if (focus || links.pinned) links.pin(null);
  if (!focus) return;
  links.pin(focus);
  const { facts } = links.frame;
  const node = { node: focus.id, block: facts.owner[focus.id], hostBlock: facts.host.owner[focus.id] }[focus.kind];
  if (node !== undefined && node !== null) tree.seek(node);
  if (focus.kind === "sequence") sequences.bringUp(focus.id);
}

/**
 * The field: `{el, open()}`. `find(query)` returns what is found, `show(one)` shows one of it, or nothing with null,
 * `leave()` is called by Escape. `nameOf(one)` says where it was found.
 */
export function searchField(find, show, leave, nameOf = () => "") {
  const input = h("input", { type: "search", className: "rx-search", placeholder: "search: token text, block id  ( / )" });
  input.setAttribute("aria-label", "Search for token text, a block, a node or a sequence");
  const count = h("span", { className: "rx-found", aria: { live: "polite" } });
  const search = { query: "", at: -1 };
  const next = (direction) => {
    const found = find(input.value);
    search.at = input.value === search.query ? search.at + direction : 0;
    search.query = input.value;
    search.at = found.length ? (search.at + found.length) % found.length : -1;
    const said = found.length ? `${search.at + 1} of ${found.length}${nameOf(found[search.at])}` : "not found";
    count.textContent = input.value ? said : "";
    show(found[search.at] ?? null);
  };
  input.addEventListener("input", () => next(0));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") next(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") leave();
    else return;
    event.preventDefault();
  });
  return { el: h("span", { className: "rx-tools", aria: { role: "group" } }, input, count), open: () => input.focus() };
}

/** The field of one run: it searches the frame that was painted last. */
export function searchPanel(show, leave) {
  let last = null;
  const field = searchField((query) => findAll(last.state, last.text, query), show, leave);
  return { ...field, paint: (frame) => (last = frame) };
}

/** The field of several runs, side by side: it searches them all, one after the other. */
export function searchSides(sides, leave) {
  const find = (query) =>
    sides.flatMap((side) => findAll(side.moment.state, side.frame.text, query).map((focus) => ({ side, focus })));
  const show = (hit) => {
    for (const side of sides) if (side.links.pinned) side.links.pin(null);
    if (hit) pinFound(hit.side, hit.focus);
  };
  return searchField(find, show, leave, ({ side }) => ` in ${side.name}`);
}
