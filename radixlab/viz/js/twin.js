// The link across two runs: what is pointed at in one run, looked for in the other by its tokens and its namespace.
// Pure. A moment is `{name, state, facts, contents}` of one run at one position; ids of the two runs are never compared.

import { linkOf } from "./facts.js";
import { idsText } from "./summary.js";
import { plural } from "./wording.js";

const MOST_TWINS = 8;

/**
 * What in the `other` run holds the tokens of a focus in `mine`: `{link, line}`. The link has sets of ids, as `linkOf`
 * gives them; it is empty, and the line says so, where the other run does not have these tokens.
 */
export function twinOf(focus, mine, other) {
  if (focus.kind === "node" && focus.twin !== undefined) {
    const link = linkOf(other.state, { kind: "node", id: focus.twin });
    return { link, line: `${mine.name} does not have it; here: ${namesOf(link)}` };
  }
  const wanted = new Set(numbersAlong(focus, mine));
  const link = holdersOf(wanted, other);
  if (focus.kind === "sequence") link.sequences = sameSequences(focus.id, mine, other);
  return { link, line: lineOf(focus, wanted, link, mine, other) };
}

/** The numbers along the tokens of what is in focus. */
function numbersAlong({ kind, id, last, pool }, { state, contents }) {
  const { nodes, sequences } = contents;
  if (kind === "node") return nodes.get(id) ?? [];
  if (kind === "sequence") return sequences.get(id) ?? [];
  const onHost = kind === "hostBlock" || pool === "hostBlock";
  return numbersIn(state, contents, id, last ?? id, onHost);
}

/** The numbers in a range of blocks, whether a node or a sequence holds them. */
function numbersIn({ nodes, sequences }, contents, first, last, onHost) {
  const found = [];
  const gather = (numbers, block, k) => {
    if (block >= first && block <= last) found.push(...stepsOf(numbers, k, contents.perBlock));
  };
  for (const { id, block_ids: ids, resident } of nodes.values()) {
    if ((resident === false) === onHost) ids.forEach((block, k) => gather(contents.nodes.get(id) ?? [], block, k));
  }
  if (onHost) return found;
  for (const { id, block_table: table } of sequences.values()) table.forEach((block, k) => gather(contents.sequences.get(id), block, k));
  return found;
}

function stepsOf(numbers, k, perBlock) {
  return numbers.slice(k * perBlock, (k + 1) * perBlock);
}

/** All that holds one of these numbers: `{blocks, hostBlocks, nodes, sequences}`, and the numbers that were `found`. */
function holdersOf(wanted, { state, contents }) {
  const link = { blocks: new Set(), hostBlocks: new Set(), nodes: new Set(), sequences: new Set(), found: new Set() };
  if (!wanted.size) return link;
  const gather = (numbers, ids, blocks, owners, owner) => {
    numbers.forEach((number, step) => {
      const k = Math.floor(step / contents.perBlock);
      if (k >= ids.length || !wanted.has(number)) return;
      link.found.add(number);
      blocks.add(ids[k]);
      owners.add(owner);
    });
  };
  for (const [id, numbers] of contents.nodes) {
    const { block_ids: ids, resident } = state.nodes.get(id);
    gather(numbers, ids, resident === false ? link.hostBlocks : link.blocks, link.nodes, id);
  }
  for (const [id, numbers] of contents.sequences) gather(numbers, state.sequences.get(id).block_table, link.blocks, link.sequences, id);
  return link;
}

/** The sequences of the other run with the same tokens; without any, those of which one is the beginning of the other. */
function sameSequences(id, mine, other) {
  const { namespace, tokens } = mine.state.sequences.get(id) ?? {};
  if (!tokens) return new Set();
  const alike = [...other.state.sequences.values()].filter((one) => isSame(one.namespace, namespace) && goOn(one.tokens, tokens));
  const equal = alike.filter((one) => one.tokens.length === tokens.length);
  return new Set((equal.length ? equal : alike).map((one) => one.id));
}

function isSame(one, two) {
  return JSON.stringify(one ?? null) === JSON.stringify(two ?? null);
}

/** Whether the shorter of two lists is the beginning of the longer one. */
function goOn(one, two) {
  const both = Math.min(one.length, two.length);
  for (let k = 0; k < both; k += 1) if (one[k] !== two[k]) return false;
  return true;
}

/** In words: what the other run has of it, under which names, or that it has nothing. */
function lineOf(focus, wanted, link, mine, other) {
  if (!wanted.size) return focus.last === undefined ? "it holds no tokens" : "they hold no tokens";
  const runs = focus.kind === "sequence" ? runningLine(link) : "";
  if (!link.found.size) return runs ? `${runs}; it holds none of these tokens` : `${other.name} does not have it`;
  const isWhole = link.found.size === wanted.size;
  return `${runs ? runs + "; " : ""}${isWhole ? "the same tokens" : howMuch(wanted, link, mine)}: ${namesOf(link, focus.kind === "sequence")}`;
}

function runningLine({ sequences }) {
  return sequences.size ? `${sequences.size > 1 ? "sequences" : "sequence"} ${listOf(sequences)}` : "no such request is running";
}

/** How much of it the other run has: counted where a step is a block. */
function howMuch(wanted, { found }, { contents }) {
  return contents.perBlock === 1 ? `${found.size} of these ${plural(wanted.size, "block")}` : "a part of it";
}

function namesOf({ nodes, blocks, hostBlocks, sequences }, withoutSequences = false) {
  const parts = [];
  if (nodes.size) parts.push(`${nodes.size > 1 ? "nodes" : "node"} ${listOf(nodes)}`);
  if (blocks.size) parts.push(blocksText(blocks, "block"));
  if (hostBlocks.size) parts.push(blocksText(hostBlocks, "host block"));
  if (sequences.size && !withoutSequences) parts.push(`${sequences.size > 1 ? "sequences" : "sequence"} ${listOf(sequences)}`);
  return parts.join(", ");
}

function listOf(ids) {
  const shown = [...ids].sort((a, b) => a - b).slice(0, MOST_TWINS).join(", ");
  return ids.size > MOST_TWINS ? `${shown} and ${ids.size - MOST_TWINS} more` : shown;
}

function blocksText(blocks, word) {
  const ids = [...blocks].sort((a, b) => a - b);
  const shown = idsText(ids).split(", ");
  const text = shown.slice(0, MOST_TWINS).join(", ") + (shown.length > MOST_TWINS ? " …" : "");
  return `${ids.length > 1 ? word + "s" : word} ${text}`;
}
