// The state in words: the same text as radixlab/viz/text.py, for screen readers. A golden test compares them.

import { doubtLine } from "./doubt.js";
import { countFacts } from "./facts.js";
import { childrenOf } from "./layout.js";
import { plain } from "./shown.js";

const MOST_NODES = 200;

/** Sort ids of siblings by their first block, which a split does not change; those on the host come last, then ghosts. */
export function inOrder(ids, nodes) {
  const first = (id) => nodes.get(id).block_ids[0] ?? -1;
  const rank = (id) => (nodes.get(id).ghost ? 2 : Number(nodes.get(id).resident === false));
  return [...ids].sort((a, b) => rank(a) - rank(b) || first(a) - first(b) || a - b);
}

/** A tree of nodes as `childrenOf`, siblings in order. */
export function orderedChildren(nodes) {
  const children = childrenOf(nodes);
  for (const [id, kids] of children) children.set(id, inOrder(kids, nodes));
  return children;
}

/** Block ids as runs: "0–9, 12"; "none" for none. */
export function idsText(ids) {
  const runs = [];
  for (const id of ids) {
    const last = runs.at(-1);
    if (last && last[1] + 1 === id) last[1] = id;
    else runs.push([id, id]);
  }
  return runs.map(([a, b]) => (a === b ? `${a}` : `${a}–${b}`)).join(", ") || "none";
}

/** Shorten long text in its middle. */
export function clip(text, head = 40, tail = 16) {
  const points = Array.from(text);
  if (points.length <= head + tail + 3) return text;
  return `${points.slice(0, head).join("")} … ${points.slice(-tail).join("")}`;
}

/** Tokens as text, quoted, where `vocab` knows them; else their ids. */
export function tokensText(tokens, vocab) {
  if (!vocab) return `[${clip(tokens.join(" "))}]`;
  return plain(JSON.stringify(clip(tokens.map((id) => vocab.get(id) ?? `<${id}>`).join(""))));
}

function count(number, word) {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}

/** The first line of the summary. */
export function headline(state, counts = countFacts(state)) {
  const rate = counts.hit_rate === null ? "no requests yet" : `hit rate ${(100 * counts.hit_rate).toFixed(1)} %`;
  const used = `${counts.in_use} of ${state.num_blocks} blocks in use`;
  const host = state.num_host_blocks ? `, ${counts.on_host} of ${state.num_host_blocks} on host` : "";
  return `CacheView: ${count(state.nodes.size, "node")}, ${used}, ${counts.evictable} evictable${host}, ${rate}`;
}

/** The whole summary: headline, tree, sequences. */
export function summary(state, vocab = null) {
  const doubt = doubtLine(state);
  return [headline(state), ...(doubt ? [doubt] : []), ...treeLines(state, vocab), ...sequenceLines(state)].join("\n");
}

function treeLines(state, vocab) {
  const children = orderedChildren(state.nodes);
  const stack = children.get(null).map((id) => [id, 1]).reverse();
  const lines = [];
  while (stack.length && lines.length < MOST_NODES) {
    const [id, depth] = stack.pop();
    lines.push("  ".repeat(depth) + nodeLine(state.nodes.get(id), vocab));
    for (const child of [...children.get(id)].reverse()) stack.push([child, depth + 1]);
  }
  if (state.nodes.size > MOST_NODES) lines.push(`  … and ${count(state.nodes.size - MOST_NODES, "more node")}`);
  return lines;
}

function nodeLine(node, vocab) {
  const tenant = node.namespace && node.parent_id === null ? `[${plain(clip(node.namespace.join(" ")))}] ` : "";
  const locks = node.lock_ref ? `, ${count(node.lock_ref, "lock")}` : "";
  const blocks = `${node.resident === false ? "on host, " : ""}blocks ${idsText(node.block_ids)}`;
  return `${tenant}node ${node.id} ${tokensText(node.tokens, vocab)}: ${blocks}${locks}`;
}

function sequenceLines(state) {
  return [...state.sequences.values()]
    .sort((a, b) => a.id - b.id)
    .map((s) => {
      const tokens = `${count(s.tokens.length, "token")}, ${s.hit_tokens} found`;
      return `  sequence ${s.id}: ${tokens}, block table ${idsText(s.block_table)}`;
    });
}
