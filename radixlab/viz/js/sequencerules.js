// What events do to sequences and their block tables: the half of the fold that knows sequences.

import { expand, need, order, pathOf } from "./cachestate.js";

function newSequence(id, namespace, tokens, blockTable) {
  return { id, namespace, tokens, block_table: blockTable, hit_tokens: 0, node_id: null };
}

/** By event type: what happens to the sequences. */
export const SEQUENCE_RULES = {
  SequenceStarted(state, e) {
    state.sequences.set(e.sequence_id, newSequence(e.sequence_id, e.namespace, [...e.token_ids], []));
  },

  TokensAppended(state, e) {
    const sequence = need(state.sequences, "sequence", e.sequence_id);
    sequence.tokens = sequence.tokens.slice(0, e.start).concat(e.token_ids);
  },

  PrefixMatched(state, e) {
    const sequence = need(state.sequences, "sequence", e.sequence_id);
    const path = pathOf(state, e.node_id);
    for (const node of path) {
      node.num_hits += 1;
      node.tick = e.tick;
    }
    sequence.block_table = path.reverse().flatMap((node) => node.block_ids);
    sequence.hit_tokens = e.hit_tokens;
    state.tick = e.tick;
    state.num_requests += 1;
    state.prompt_tokens += e.num_tokens;
    state.hit_tokens += e.hit_tokens;
    state.host_hit_tokens += e.host_hit_tokens ?? 0;
    if (e.resumed) {
      state.resumed_prompt_tokens = (state.resumed_prompt_tokens ?? 0) + e.num_tokens;
      state.resumed_hit_tokens = (state.resumed_hit_tokens ?? 0) + e.hit_tokens;
    }
  },

  BlocksAllocated(state, e) {
    const sequence = need(state.sequences, "sequence", e.sequence_id);
    sequence.block_table = sequence.block_table.concat(expand(e.block_runs));
  },

  BlocksDeduplicated(state, e) {
    const sequence = need(state.sequences, "sequence", e.sequence_id);
    const kept = expand(e.kept_runs);
    sequence.block_table = sequence.block_table.toSpliced(e.start_block, kept.length, ...kept);
  },

  BlockCopied(state, e) {
    const sequence = need(state.sequences, "sequence", e.sequence_id);
    sequence.block_table = sequence.block_table.with(e.table_index, e.dst);
    order(state, [e.src], [e.dst], "copy");
    state.copied_blocks += 1;
  },

  SequenceForked(state, e) {
    const parent = need(state.sequences, "sequence", e.parent_id);
    const table = parent.block_table.slice(0, Math.ceil(e.num_tokens / state.block_size));
    const tokens = parent.tokens.slice(0, e.num_tokens);
    state.sequences.set(e.sequence_id, newSequence(e.sequence_id, parent.namespace, tokens, table));
  },

  RequestFinished(state, e) {
    const sequence = need(state.sequences, "sequence", e.sequence_id);
    state.sequences.delete(e.sequence_id);
    for (const node of pathOf(state, sequence.node_id)) node.tick = e.tick;
    state.tick = e.tick;
  },
};
