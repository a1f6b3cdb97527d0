// The invariant lamp: the checks of Python's `check(manager)`, recomputed from the events alone.
// The same as radixlab/observe/lamp.py; a test compares the two over sound logs and broken ones.
//
// The rules hold between operations, not within one. So a wrong standing is a doubt first: it is confirmed with the next
// operation if it still holds, and it keeps the position of the event that raised it.

import { copyState } from "./cachestate.js";
import { claimsOf } from "./claims.js";
import { fold } from "./fold.js";
import { Holders } from "./holders.js";
import { wrongWithNode, wrongWithSequence } from "./standing.js";

// An operation begins with one of these, or with the first event of another step.
const OPENERS = new Set([
  "SequenceStarted", "SequenceForked", "RequestPreempted", "RequestFinished",
  "TransfersCompleted", "OutOfBlocks", "BlocksQuarantined", "AllBlocksCleared",
]);
const WHOLE = new Set(["CacheRestarted", "AllBlocksCleared", "TreeResynced"]); // everything is looked at after these
const KEEPS_NODES = new Set(["NodeLocked", "NodeUnlocked", "PrefixMatched"]);
const MOVES_TABLES = new Set([
  "PrefixMatched", "BlocksAllocated", "NodeLocked", "NodeUnlocked",
  "BlocksDeduplicated", "BlockCopied", "SequenceForked", "RequestFinished",
]);
const NODE_FIELDS = ["node_id", "upper_id", "host_node_id", "parent_id"];

/** Follows a log; `fault` is its first broken rule {position, rule, what} once that is certain, and stays. */
export class InvariantLamp {
  constructor(state, start = 0) {
    this.state = copyState(state);
    this.holders = new Holders(this.state);
    this.operation = { changed: false, owed: [] };
    this.step = null;
    this.doubts = [];
    this.position = start; // of the log: how many events there are up to here
    this.fault = null;
    this.look(inOrderOfId(this.state.nodes.keys()), inOrderOfId(this.state.sequences.keys()));
  }

  /** Take the next event; after a fault do nothing more. */
  follow(event) {
    if (OPENERS.has(event.type) || (this.step !== null && event.step !== this.step)) this.confirm();
    if (this.fault) return;
    this.step = event.step;
    this.position += 1;
    if (event.type === "CacheRestarted") this.doubts = []; // what the broken call left open is forgotten with it
    try {
      for (const claim of claimsOf(this.holders, this.operation, event)) this.doubts.push({ position: this.position, ...claim });
      this.fold(event);
    } catch {
      this.fault = this.misfit(event);
    }
  }

  /** The first broken rule, as if the last operation were over; null if there is none. */
  verdict() {
    if (this.fault) return this.fault;
    for (const { position, rule, says } of this.doubts) {
      const what = says();
      if (what) return { position, rule, what };
    }
    return null;
  }

  confirm() {
    this.fault = this.verdict();
    this.doubts = [];
    Object.assign(this.operation, { changed: false, owed: [] });
  }

  fold(event) {
    const { holders, state } = this;
    const nodes = this.nodesNamedBy(event);
    const moves = MOVES_TABLES.has(event.type);
    const sequences = moves && Number.isInteger(event.sequence_id) ? [event.sequence_id] : [];
    if (WHOLE.has(event.type)) {
      fold(state, event);
      holders.rebuild();
      return this.look(inOrderOfId(state.nodes.keys()), inOrderOfId(state.sequences.keys()));
    }
    const moved = KEEPS_NODES.has(event.type) ? [] : nodes;
    holders.remove(moved, sequences);
    fold(state, event);
    holders.add(moved, sequences);
    this.look(nodes, sequences);
  }

  /** The nodes that an event names, and the nodes below that it moves. */
  nodesNamedBy(event) {
    const nodes = new Set(NODE_FIELDS.map((field) => event[field]).filter(Number.isInteger));
    if (event.type === "BlockRemoved" || event.type === "WrittenBack") {
      for (const id of [...nodes]) for (const child of this.holders.children.get(id) ?? []) nodes.add(child);
    }
    return inOrderOfId(nodes);
  }

  /** Doubt what is wrong with these nodes and sequences now. */
  look(nodes, sequences) {
    for (const [wrong, ids] of [[wrongWithNode, nodes], [wrongWithSequence, sequences]]) {
      for (const id of ids) {
        for (const [rule] of wrong(this.holders, id)) {
          const says = () => wrong(this.holders, id).find(([name]) => name === rule)?.[1] ?? null;
          this.doubts.push({ position: this.position, rule, says });
        }
      }
    }
  }

  /** Blame an event that cannot be folded: the events before it tell another story. */
  misfit({ type, node_id: nodeId }) {
    const { position, state } = this;
    if (["NodeLocked", "PrefixMatched"].includes(type) && !state.nodes.has(nodeId)) {
      return { position, rule: "E6", what: `node ${nodeId} was ${type === "NodeLocked" ? "locked" : "matched"}, but it is gone` };
    }
    return { position, rule: "T5", what: `${type} does not fit the events before it` };
  }
}

function inOrderOfId(ids) {
  return [...ids].sort((a, b) => a - b);
}
