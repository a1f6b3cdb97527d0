// Which events belong to one call of the cache, by the log alone: an admission, an append, a commit, a release.
// No event says where a call begins. But each call emits its events in a fixed order, so the types tell.

const TAKING = ["TokensAppended", "BlocksAllocated", "BlockCopied"];
const GIVING_UP = ["BlockRemoved", "WrittenBack"];
const LOCKING = ["NodeLocked", "NodeUnlocked"];

/** What may follow in a call that begins with this event; a type that is not here is a call of its own. */
const CALL_OF = {
  SequenceStarted: ["NodeSplit", ...LOCKING, ...GIVING_UP, "LoadedBack", "PrefixMatched", "BlocksAllocated", "BlockCopied"],
  SequenceForked: ["NodeLocked"],
  TokensAppended: ["BlocksAllocated", "BlockCopied"],
  BlockCopied: ["BlockCopied"],
  BlockRemoved: [...GIVING_UP, ...TAKING],
  WrittenBack: [...GIVING_UP, ...TAKING],
  BlocksQuarantined: ["BlockRemoved"],
  RequestPreempted: ["RequestFinished", "NodeUnlocked", "BlocksFreed"],
  RequestFinished: ["NodeUnlocked", "BlocksFreed"],
  NodeSplit: [...LOCKING, "BlockStored", "BlocksDeduplicated"],
  NodeLocked: ["NodeUnlocked", "BlockStored", "BlocksDeduplicated"],
  BlockStored: [...LOCKING, "BlocksDeduplicated"],
  BlocksDeduplicated: [...LOCKING, "BlocksDeduplicated"],
};

/** After one of these, a call does only this. */
const THEN_ONLY = { TokensAppended: TAKING, BlocksAllocated: ["BlockCopied"], BlockCopied: ["BlockCopied"] };

/** Tells for each event of a log, in order, where its call began. */
export class Calls {
  constructor() {
    this.starts = []; // for each event: the index of the first event of its call
    this.sequence = null; // of whom the open call speaks
    this.head = null;
    this.last = null;
  }

  push(event) {
    const goesOn = this.goesOn(event);
    if (!goesOn) this.head = event;
    if (!goesOn) this.sequence = null;
    this.starts.push(goesOn ? this.starts.at(-1) : this.starts.length);
    this.sequence ??= event.sequence_id ?? null;
    this.last = event;
  }

  /** A call speaks of one sequence, within one step. */
  goesOn(event) {
    if (!this.head || !CALL_OF[this.head.type]?.includes(event.type)) return false;
    if (THEN_ONLY[this.last.type]?.includes(event.type) === false) return false;
    const sequence = event.sequence_id ?? this.sequence;
    return event.step === this.head.step && (this.sequence === null || sequence === this.sequence);
  }
}
