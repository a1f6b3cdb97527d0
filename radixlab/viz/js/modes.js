// What the block map shows: the state of each block, the node that owns it, its references, or its age.
// Pure. A reading gives each block a kind (an index into `looks`) and a text; the text says what the colour says.

import { FREE, SHARED } from "./facts.js";
import { STANDINGS } from "./palette.js";

/** The readings of the map, by name, with what a person calls them. */
export const MODES = [
  ["standing", "state"],
  ["owner", "node that owns the block"],
  ["references", "block tables the block is in"],
  ["age", "ticks since the last use"],
];

// From pale to dark, so that more is darker; the number in the block says it too.
const RAMP = ["#deebf7", "#b3d1ea", "#7fb1dc", "#4a8fc7", "#1f6cad", "#0b4a86"];
const PALE = new Set(RAMP.slice(0, 4)); // dark text stands on these, white text on the others
const OWNERS = ["#8fd0f5", "#f2c45c", "#7fd1b9", "#e5a6c8", "#f0a37a", "#c9c27a", "#b7b5e8", "#b9c4cc"];
const NONE = { name: "none", color: null };

function look(name, color) {
  return { name, color, dark: color !== null && !PALE.has(color) && RAMP.includes(color) };
}

/** Steps that double: 0, 1, 2, 3–4, 5–8, more. */
const STEPS_UP = [[0, "0"], [1, "1"], [2, "2"], [4, "3–4"], [8, "5–8"], [Infinity, "9 or more"]];

function stepOf(number) {
  return STEPS_UP.findIndex(([most]) => number <= most);
}

const READINGS = {
  standing: ({ facts }) => ({ kinds: facts.standing, looks: STANDINGS, text: (block) => `${block}` }),

  owner({ facts }) {
    const of = (block) => facts.owner[block] ?? null;
    const looks = [NONE, ...OWNERS.map((color) => look("a node's, by its number", color))];
    const kinds = kindsOf(facts, (block) => (of(block) === null ? 0 : 1 + (of(block) % OWNERS.length)));
    return { kinds, looks, text: (block) => (of(block) === null ? "" : `${of(block)}`) };
  },

  references({ facts }) {
    const looks = STEPS_UP.map(([, name], k) => (k ? look(name, RAMP[k]) : { ...NONE, name }));
    const kinds = kindsOf(facts, (block) => stepOf(facts.readers[block]));
    return { kinds, looks, text: (block) => (facts.readers[block] ? `${facts.readers[block]}` : "") };
  },

  age({ facts, state }) {
    const age = (block) => {
      const node = state.nodes.get(facts.owner[block] ?? null);
      return node ? Math.max(0, (state.tick ?? node.tick) - node.tick) : null;
    };
    const looks = [{ ...NONE, name: "in no node" }, ...STEPS_UP.map(([, name], k) => look(name, RAMP[k]))];
    const kinds = kindsOf(facts, (block) => (age(block) === null ? 0 : 1 + stepOf(age(block))));
    return { kinds, looks, text: (block) => (age(block) === null ? "" : `${age(block)}`) };
  },
};

function kindsOf(facts, kindOf) {
  const kinds = new Uint8Array(facts.standing.length);
  for (let block = 0; block < kinds.length; block += 1) kinds[block] = kindOf(block);
  return kinds;
}

/** Read a frame in a mode: `{mode, kinds, looks, text(block)}`; kind 0 is drawn as empty. */
export function readMap(mode, frame) {
  return { mode, ...READINGS[mode](frame) };
}

/** The parts of a cell from bottom to top: what is used most stands lowest, what is free highest. */
export function stackOrder(reading) {
  const kinds = reading.looks.map((_, kind) => kind);
  return reading.mode === "standing" ? [5, SHARED, 2, 3, 1, 6, FREE] : [...kinds.slice(1).reverse(), 0];
}

/** What one cell holds, in words: "12 free, 8 cached". */
export function sharesText(reading, first, last) {
  const counts = new Map();
  for (let block = first; block <= last; block += 1) {
    const { name } = reading.looks[reading.kinds[block]];
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => `${count.toLocaleString("en")} ${name}`).join(", ");
}
