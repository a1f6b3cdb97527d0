// Rules about an event, given the state before it: what it may not do.
// The same as radixlab/observe/event_rules.py. A claim is {rule, says}: `says()` is what is wrong if it still is, or null.

import { expand } from "./cachestate.js";
import { LOST } from "./changes.js";
import { firstHolder } from "./holders.js";
import { claimReplaced } from "./replaced.js";
import { isBare, numberOf } from "./standing.js";

const LOST_IN = { match_prefix: "M5", peek: "M4", insert: "M9" };

/** What an event seems to break; call it before the event is folded. `operation` is {changed, owed}. */
export function claimsOf(holders, operation, event) {
  const claims = [];
  const claim = (rule, what, holds = () => true) => claims.push({ rule, says: () => (holds() ? what : null) });
  if (Object.hasOwn(CLAIM_RULES, event.type)) CLAIM_RULES[event.type](holders, operation, event, claim);
  return claims;
}

/** The kind of the pending transfer that has this device block as an end. */
function underWay(holders, block) {
  const ends = ([src, dst, kind]) => ({ write_back: [src], load_back: [dst] })[kind] ?? [src, dst];
  return holders.state.transfers.find((transfer) => ends(transfer).includes(block))?.[2] ?? null;
}

/** Only unlocked leaves that nobody reads are evicted. */
function claimEviction(holders, operation, e, claim) {
  const { state, onDevice } = holders;
  const node = state.nodes.get(e.node_id);
  if (!node) return;
  const gone = expand(e.block_runs);
  const bare = isBare(state);
  operation.changed = true;
  const isLost = () => !bare || gone.some((block) => !onDevice.has(block));
  if (node.lock_ref > 0) claim("L4", `node ${node.id} was evicted, but it had ${numberOf(node.lock_ref, "lock")}`, isLost);
  const read = node.resident === false ? undefined : gone.find((block) => holders.tables.has(block));
  if (read !== undefined) {
    claim("L4", `block ${read} was evicted, but sequence ${firstHolder(holders.tables.get(read))} reads it`);
  }
  const below = (holders.children.get(node.id) ?? []).filter((id) => e.type !== "WrittenBack" || state.nodes.get(id).resident !== false);
  const left = firstHolder(below);
  if (left !== null) {
    claim("E1", `node ${node.id} was evicted, but node ${left} is below it`, () => isLost() && state.nodes.has(left));
  }
  if (!e.reason.startsWith(LOST)) return;
  const call = e.reason.slice(LOST.length);
  const rule = Object.hasOwn(LOST_IN, call) ? LOST_IN[call] : "E1";
  claim(rule, `node ${node.id} lost blocks in a call of ${call}, which does not evict`, isLost);
}

const CLAIM_RULES = {
  BlocksAllocated(holders, _operation, e, claim) {
    for (const block of expand(e.block_runs)) {
      const given = `block ${block} was given to sequence ${e.sequence_id}`;
      const node = firstHolder(holders.onDevice.get(block));
      const other = firstHolder(holders.tables.get(block));
      if (node !== null) claim("E6", `${given}, but node ${node} still has it`);
      else if (other !== null) claim("L10", `${given}, but sequence ${other} still has it`);
    }
  },

  BlocksFreed(holders, operation, e, claim) {
    const freed = expand(e.block_runs);
    for (const block of freed) {
      const said = `block ${block} of sequence ${e.sequence_id} was freed`;
      const node = firstHolder(holders.onDevice.get(block));
      const other = firstHolder(holders.tables.get(block));
      const kind = underWay(holders, block);
      if (node !== null) claim("L8", `${said}, but node ${node} still has it`);
      else if (other !== null) claim("C6", `${said}, but sequence ${other} still has it`);
      else if (kind !== null) claim(kind === "copy" ? "C7" : "H2", `${said} before its ${kind.replace("_", "-")} was done`);
    }
    const gone = new Set(freed);
    operation.owed = operation.owed.filter((block) => !gone.has(block));
  },

  /** A block that only this sequence had must be freed now, or nobody ever will. */
  RequestFinished(holders, operation, e, claim) {
    const mine = (block) =>
      !holders.onDevice.has(block) &&
      firstHolder(holders.tables.get(block), e.sequence_id) === null &&
      underWay(holders, block) === null;
    const owed = (holders.state.sequences.get(e.sequence_id)?.block_table ?? []).filter(mine);
    operation.owed = owed;
    for (const block of owed) {
      const what = `block ${block} has leaked: sequence ${e.sequence_id} finished without freeing it`;
      claim("L9", what, () => operation.owed.includes(block));
    }
  },

  /** What is written to a block that others have is written to a copy, which follows at once. */
  TokensAppended(holders, _operation, e, claim) {
    const { state } = holders;
    const table = state.sequences.get(e.sequence_id)?.block_table;
    if (!table || !e.token_ids.length) return;
    const last = Math.floor((e.start + e.token_ids.length - 1) / state.block_size);
    for (let index = Math.floor(e.start / state.block_size); index < Math.min(last + 1, table.length); index += 1) {
      const block = table[index];
      const node = firstHolder(holders.onDevice.get(block));
      const other = firstHolder(holders.tables.get(block), e.sequence_id);
      const wrote = `sequence ${e.sequence_id} wrote to block ${block}`;
      const holds = () => state.sequences.get(e.sequence_id)?.block_table[index] === block;
      if (node !== null) claim("C4", `${wrote}, which node ${node} has`, holds);
      else if (other !== null) claim("C2", `${wrote}, which sequence ${other} reads`, holds);
    }
  },

  PrefixMatched(_holders, _operation, e, claim) {
    if (e.hit_tokens < e.num_tokens) return;
    claim("M1", `all ${numberOf(e.num_tokens, "token")} of sequence ${e.sequence_id} were found: none is left to compute`);
  },

  BlockRemoved: claimEviction,
  WrittenBack: (holders, operation, e, claim) => claimEviction(holders, operation, e, claim),

  BlockStored(_holders, operation) {
    operation.changed = true;
  },

  BlocksDeduplicated(holders, _operation, e, claim) {
    const block = expand(e.kept_runs).find((each) => !holders.onDevice.has(each));
    if (block === undefined) return;
    const what = `sequence ${e.sequence_id} was re-pointed to block ${block}, which no node has`;
    claim("M10", what, () => !holders.onDevice.has(block));
  },

  AllBlocksCleared({ state }, _operation, _e, claim) {
    if (state.sequences.size) claim("L11", `the cache was reset while ${numberOf(state.sequences.size, "sequence")} ran`);
  },

  /** Whoever asked the part has compared its answer with the ledger. */
  PartBroke(_holders, _operation, e, claim) {
    claim(e.rule, `${e.call}: ${e.what}`);
  },

  TreeResynced: claimReplaced,
};
