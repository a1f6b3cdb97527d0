// The running requests: a strip of tokens, block by block, with the block table under it.

import { h } from "./dom.js";
import { styleCell } from "./palette.js";

const MOST_CHIPS = 48; // of a long sequence the first and the last blocks are drawn
const TAIL_CHIPS = 16;
const MOST_ROWS = 64;

/** The panel of sequences: `{el, paint(frame)}`. */
export function sequencesPanel() {
  const rows = h("div", { className: "rx-sequences" });
  return {
    el: rows,
    paint(frame) {
      const sequences = [...frame.state.sequences.values()].sort((a, b) => a.id - b.id);
      const drawn = sequences.slice(0, MOST_ROWS).map((sequence) => sequenceRow(sequence, frame));
      if (!drawn.length) drawn.push(h("div", { className: "rx-empty" }, "no request is running"));
      const left = sequences.length - MOST_ROWS;
      if (left > 0) drawn.push(h("div", { className: "rx-empty" }, `and ${left} more`));
      rows.replaceChildren(...drawn);
    },
  };
}

function sequenceRow(sequence, frame) {
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
  const row = h("div", { className: "rx-seq", data: { sequence: sequence.id } }, head, strip);
  if (frame.changes.new.sequences.has(sequence.id)) row.classList.add("rx-m-new");
  return row;
}

function chips(sequence, frame) {
  const size = frame.state.block_size;
  const total = Math.max(sequence.block_table.length, Math.ceil(sequence.tokens.length / size));
  const all = (first, last) => Array.from({ length: last - first }, (_, k) => chip(sequence, first + k, frame));
  if (total <= MOST_CHIPS) return all(0, total);
  const left = total - MOST_CHIPS;
  const gap = h("span", { className: "rx-more" }, `… ${left} more …`);
  return [...all(0, MOST_CHIPS - TAIL_CHIPS), gap, ...all(total - TAIL_CHIPS, total)];
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
