// What a block holds, as a number: the same tokens after the same tokens in the same namespace have the same number.
// Two runs share the numbers, so that what one has cached can be looked for in the other, whatever its ids are there.

import { childrenOf } from "./layout.js";

/** Gives numbers to prefixes, in steps of `unit` tokens. It only grows, and answers the same whatever was asked before. */
export class Prefixes {
  constructor(unit) {
    this.unit = unit;
    this.numbers = new Map();
    this.known = new WeakMap(); // by an array of tokens, which is never written to
  }

  /** The number before the first token of a namespace. */
  root(namespace) {
    return this.numberOf(JSON.stringify(namespace ?? null));
  }

  /** The numbers at the end of each step along `tokens`, which follow what has the number `above`. */
  along(above, tokens) {
    const known = this.known.get(tokens);
    if (known?.above === above) return known.numbers;
    const numbers = [];
    let number = above;
    for (let start = 0; start < tokens.length; start += this.unit) {
      number = this.numberOf(`${number} ${tokens.slice(start, start + this.unit)}`);
      numbers.push(number);
    }
    this.known.set(tokens, { above, numbers });
    return numbers;
  }

  numberOf(text) {
    const known = this.numbers.get(text);
    if (known) return known;
    this.numbers.set(text, this.numbers.size + 1);
    return this.numbers.size;
  }
}

/** Prefixes for two block sizes: the largest step that fits both. */
export function prefixesFor(a, b) {
  const divisor = (x, y) => (y ? divisor(y, x % y) : x);
  return new Prefixes(divisor(a, b));
}

/**
 * What a state holds: `{perBlock, nodes, sequences, blocks, hostBlocks}`. `nodes` and `sequences` map ids to the numbers
 * along their tokens, `perBlock` of them a block; `blocks` has the number at the end of each block, 0 for nothing.
 */
export function contentsByPrefix(state, prefixes) {
  const perBlock = state.block_size / prefixes.unit;
  const contents = { perBlock, nodes: new Map(), sequences: new Map() };
  contents.blocks = new Int32Array(state.num_blocks);
  contents.hostBlocks = new Int32Array(state.num_host_blocks ?? 0);
  enterNodes(contents, state, prefixes);
  for (const { id, namespace, tokens, block_table: table } of state.sequences.values()) {
    const numbers = prefixes.along(prefixes.root(namespace), tokens);
    contents.sequences.set(id, numbers);
    table.forEach((block, k) => (contents.blocks[block] ||= endOf(numbers, k, perBlock)));
  }
  return contents;
}

/** Parents first. What hangs on itself, as in a broken tree, is under no root, and is left out. */
function enterNodes(contents, state, prefixes) {
  const children = childrenOf(state.nodes);
  const queue = children.get(null).map((id) => [id, null]);
  for (let at = 0; at < queue.length; at += 1) {
    const [id, above] = queue[at];
    const { namespace, tokens, block_ids: ids, resident } = state.nodes.get(id);
    const root = above ?? prefixes.root(namespace);
    const numbers = prefixes.along(root, tokens);
    contents.nodes.set(id, numbers);
    const pool = resident === false ? contents.hostBlocks : contents.blocks;
    ids.forEach((block, k) => (pool[block] = endOf(numbers, k, contents.perBlock) || pool[block]));
    for (const child of children.get(id)) queue.push([child, numbers.at(-1) ?? root]);
  }
}

/** The number at the end of block `k`, which may be filled in part; 0 where no token of it is known. */
function endOf(numbers, k, perBlock) {
  return k * perBlock < numbers.length ? numbers[Math.min((k + 1) * perBlock, numbers.length) - 1] : 0;
}
