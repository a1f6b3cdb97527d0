// The running requests: a strip of tokens, block by block, with the block table under it.

import { h, setChildren } from "./dom.js";
import { cellKey, styleCell } from "./palette.js";
import { walkList } from "./rove.js";

const MOST_CHIPS = 48; // of a long sequence the first and the last blocks are drawn
const TAIL_CHIPS = 16;
const MOST_ROWS = 64;

/** The panel of sequences: `{el, paint(frame), ...}`. */
export function sequencesPanel() {
  const rows = h("div", { className: "rx-sequences", aria: { role: "listbox", label: "Sequences" } });
  const panel = { rows, ids: [], known: new Map(), prefix: `rx-seq-${Math.random().toString(36).slice(2)}-` };
  return {
    el: rows,
    focusEl: rows,
    paint(frame) {
      const sequences = [...frame.state.sequences.values()].sort((a, b) => a.id - b.id).slice(0, MOST_ROWS);
      panel.ids = sequences.map(({ id }) => id);
      const drawn = sequences.map((sequence) => rowOf(sequence, frame, panel));
      panel.known = new Map(drawn.map((row, k) => [panel.ids[k], row]));
      if (!drawn.length) drawn.push(h("div", { className: "rx-empty" }, "no request is running"));
      const left = frame.state.sequences.size - MOST_ROWS;
      if (left > 0) drawn.push(h("div", { className: "rx-empty" }, `and ${left} more`));
      setChildren(rows, drawn);
    },
    walk(key, focus) {
      const id = walkList(panel.ids, focus?.id, key);
      return id === null ? null : { kind: "sequence", id };
    },
    setCursor: (focus) => setRowCursor(panel, focus),
    bringUp(id) {
      const row = rows.querySelector(`[data-sequence="${id}"]`);
      if (row) rows.scrollTop = row.offsetTop;
    },
  };
}

/** Mark the row that the keyboard is on; null for none. */
function setRowCursor(panel, focus) {
  const { rows, prefix } = panel;
  for (const row of rows.children) row.classList.toggle("rx-cursor", focus && row.id === `${prefix}${focus.id}`);
  const row = rows.querySelector(".rx-cursor");
  if (!row) return rows.removeAttribute("aria-activedescendant");
  rows.setAttribute("aria-activedescendant", row.id);
  if (row.offsetTop < rows.scrollTop) rows.scrollTop = row.offsetTop;
  const below = row.offsetTop + row.offsetHeight - rows.clientHeight;
  if (below > rows.scrollTop) rows.scrollTop = below;
}

/** The row of a sequence: the one that is there, where nothing that it shows has changed. */
function rowOf(sequence, frame, panel) {
  const { id, tokens, block_table: table, hit_tokens: hits } = sequence;
  const cells = shownIndices(sequence, frame).map((k) => cellKey(table[k], frame));
  const isNew = frame.changes.new.sequences.has(id);
  const key = [frame.forks.get(id), hits, isNew, frame.text(tokens), cells].join("|");
  const known = panel.known.get(id);
  if (known?.shownKey === key) return known;
  return Object.assign(sequenceRow(sequence, frame, panel), { shownKey: key });
}

function sequenceRow(sequence, frame, panel) {
  const { tokens, hit_tokens: hits } = sequence;
  const parent = frame.forks.get(sequence.id);
  const origin = parent === undefined ? `${hits} of ${tokens.length} found` : `forked from sequence ${parent}`;
  const head = h(
    "div",
    { className: "rx-seq-head" },
    h("b", {}, `sequence ${sequence.id}`),
    h("span", {}, origin),
  );
  const strip = h("div", { className: "rx-strip" }, ...chips(sequence, frame));
  const row = h("div", { className: "rx-seq", data: { sequence: sequence.id }, aria: { role: "option" } }, head, strip);
  row.id = `${panel.prefix}${sequence.id}`;
  row.setAttribute("aria-label", `sequence ${sequence.id}: ${origin}, ${sequence.block_table.length} blocks`);
  if (frame.changes.new.sequences.has(sequence.id)) row.classList.add("rx-m-new");
  return row;
}

/** The blocks of a sequence that are drawn, by their index: of a long one the first and the last; null is the gap. */
function shownIndices(sequence, { state }) {
  const total = Math.max(sequence.block_table.length, Math.ceil(sequence.tokens.length / state.block_size));
  const all = (first, last) => Array.from({ length: last - first }, (_, k) => first + k);
  if (total <= MOST_CHIPS) return all(0, total);
  return [...all(0, MOST_CHIPS - TAIL_CHIPS), null, ...all(total - TAIL_CHIPS, total)];
}

function chips(sequence, frame) {
  const indices = shownIndices(sequence, frame);
  const left = (indices.at(-1) ?? 0) + 1 - MOST_CHIPS;
  return indices.map((k) => (k === null ? h("span", { className: "rx-more" }, `… ${left} more …`) : chip(sequence, k, frame)));
}

function chip(sequence, index, frame) {
  const size = frame.state.block_size;
  const tokens = sequence.tokens.slice(index * size, (index + 1) * size);
  const block = sequence.block_table[index];
  const full = frame.text(tokens);
  const text = h("span", { className: "rx-text", title: full }, full || "\u00a0");
  const cell = h("span", { className: "rx-cell rx-none" }, block ?? "–");
  const el = h("span", { className: "rx-chip" }, text, cell);
  if (index * size < sequence.hit_tokens) el.classList.add("rx-cached");
  if (block !== undefined) {
    el.dataset.block = block;
    styleCell(cell, block, frame);
  }
  return el;
}
