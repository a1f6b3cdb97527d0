"""What the cache says about itself: one frozen type per fact.

This file knows the facts and imports nothing of ours. It does not know who listens: a recorder, a
view and a metrics endpoint all fold the same stream (`radixlab.observe`). The names follow the
field: `BlockStored`, `BlockRemoved` and `AllBlocksCleared` are what vLLM and SGLang publish to
routers; the rest is what a person needs to see why.

Every event starts with `seq`, a number without gaps, and `step`, a label the caller sets, and
carries the `site` that told it. The other fields are plain ids, ints and strings. Block ids travel
as runs `(first_id, count)`; a node's tokens travel by reference into the sequence that inserted
them, so a long prompt is sent once.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Namespace = tuple[str, str]
"""A tagged tenant, `("salt", "x")` or `("adapter", "x")`: equal names of different kinds never
meet."""

Runs = tuple[tuple[int, int], ...]
"""Block ids as runs: `((4, 3), (9, 1))` is blocks 4, 5, 6 and 9."""

MissReason = Literal[
    "never_seen", "evicted", "below_block", "namespace", "last_token_rule", "not_cached"
]
"""Why the rest of a prompt was not found; `not_cached` where nobody asked to explain."""


FinishReason = Literal["released", "aborted", "preempted"]


@dataclass(frozen=True, slots=True)
class Event:
    """What every event has: its number, the caller's step, and the site that emitted it."""

    seq: int
    step: int
    site: str = field(default="", kw_only=True, compare=False, repr=False)
    """The name of the emitting statement, unique in the source: `tree.split`. It says where the
    fact was told, not what it is: two events are equal whatever their sites."""


@dataclass(frozen=True, slots=True)
class SequenceStarted(Event):
    """A request was admitted with these prompt tokens."""

    sequence_id: int
    namespace: Namespace | None
    token_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TokensAppended(Event):
    """A sequence grew: the tokens from position `start` on."""

    sequence_id: int
    start: int
    token_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PrefixMatched(Event):
    """The sequence's block table begins with the path to `node_id` (None: nothing matched).

    `miss_reason` explains the first missing full block, None when there is none; `evicted_tick`
    says when it went. The path is stamped with `tick` and each of its nodes counts a hit.
    """

    sequence_id: int
    node_id: int | None
    hit_tokens: int
    num_tokens: int
    miss_reason: MissReason | None
    evicted_tick: int | None
    tick: int
    host_hit_tokens: int = 0
    """Hit tokens that had to be loaded back."""
    resumed: bool = False
    """Whether a preempted request comes back: then this does not count in the hit rate."""


@dataclass(frozen=True, slots=True)
class BlocksAllocated(Event):
    """The tail of this sequence's block table: blocks that were free, or just evicted."""

    sequence_id: int
    block_runs: Runs


@dataclass(frozen=True, slots=True)
class BlocksFreed(Event):
    """Private blocks of this sequence went back to the free list."""

    sequence_id: int
    block_runs: Runs


@dataclass(frozen=True, slots=True)
class NodeSplit(Event):
    """`node_id` gave its first `num_blocks` blocks to a new parent, `upper_id`.

    Locks, ticks and hits are on both.
    """

    node_id: int
    upper_id: int
    num_blocks: int


@dataclass(frozen=True, slots=True)
class NodeLocked(Event):
    """A receipt was taken on the node: it and all its ancestors are protected from eviction."""

    node_id: int
    sequence_id: int | None


@dataclass(frozen=True, slots=True)
class NodeUnlocked(Event):
    """A receipt on the node was given back."""

    node_id: int
    sequence_id: int | None


@dataclass(frozen=True, slots=True)
class BlockStored(Event):
    """Written blocks entered the tree.

    They are a new node, the tail of one that exists, or all of one on the host, whose copy of them
    is given up. Their tokens are those of `sequence_id` from position `start_token` on, or
    `token_ids` where no sequence is known.
    """

    node_id: int
    parent_id: int | None
    namespace: Namespace | None
    sequence_id: int | None
    start_token: int
    block_runs: Runs
    tick: int
    token_ids: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class BlockRemoved(Event):
    """The tail of an unlocked leaf, of the device or the host, is cached no more.

    A node without blocks is gone.

    `reason` is the policy's own ("least recent"), with "host full" where the host would have taken
    it; `tick` is the node's last use, which is why it was chosen.
    """

    node_id: int
    block_runs: Runs
    reason: str
    tick: int


@dataclass(frozen=True, slots=True)
class WrittenBack(Event):
    """The tail of an unlocked leaf was evicted, and goes to the host.

    If it is all of the leaf, `host_node_id` is the leaf itself. Else it is a node between the leaf
    and what was below it, or the one node below it on the host, which grows at its front.
    """

    node_id: int
    host_node_id: int
    block_runs: Runs
    host_runs: Runs
    reason: str
    tick: int


@dataclass(frozen=True, slots=True)
class LoadedBack(Event):
    """A node of the host is on the device again, in these blocks; its bytes are on their way."""

    node_id: int
    host_runs: Runs
    block_runs: Runs


@dataclass(frozen=True, slots=True)
class BlocksDeduplicated(Event):
    """The tree had these blocks already.

    The sequence's own are free, and its table is re-pointed from index `start_block` on.
    """

    sequence_id: int
    start_block: int
    freed_runs: Runs
    kept_runs: Runs


@dataclass(frozen=True, slots=True)
class BlockCopied(Event):
    """Copy-on-write: `table[table_index]` was `src`, which others still read, and is now `dst`."""

    sequence_id: int
    table_index: int
    src: int
    dst: int


@dataclass(frozen=True, slots=True)
class TransfersCompleted(Event):
    """The bytes of these transfers `(src, dst, kind)` have arrived; both ends are let go."""

    transfers: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True, slots=True)
class SequenceForked(Event):
    """A new sequence shares the first `num_tokens` tokens, and their blocks, with `parent_id`."""

    sequence_id: int
    parent_id: int
    num_tokens: int


@dataclass(frozen=True, slots=True)
class RequestFinished(Event):
    """The sequence gave up its block table; the nodes on its path are stamped with `tick`."""

    sequence_id: int
    reason: FinishReason
    tick: int


@dataclass(frozen=True, slots=True)
class RequestPreempted(Event):
    """The sequence is taken off to make room and will come back with all its tokens."""

    sequence_id: int


@dataclass(frozen=True, slots=True)
class OutOfBlocks(Event):
    """A call failed for want of blocks and changed nothing."""

    num_needed: int
    num_free: int
    num_evictable: int


@dataclass(frozen=True, slots=True)
class BlocksQuarantined(Event):
    """These cached blocks hold KV that is not finite.

    They are taken out of the cache with all that is cached below them: `BlockRemoved` events
    follow, one a node. No sequence runs over any of them.
    """

    block_runs: Runs


@dataclass(frozen=True, slots=True)
class CacheRestarted(Event):
    """A fault broke a call off half-way, and the whole cache was forgotten.

    Every block of both tiers is free, no sequence runs, no transfer is pending. The counters go on
    from these values. Events of the broken call may be missing: their numbers are then lost.
    """

    tick: int
    num_requests: int
    prompt_tokens: int
    hit_tokens: int
    host_hit_tokens: int = 0
    evicted_blocks: int = 0
    copied_blocks: int = 0
    written_back_blocks: int = 0
    loaded_back_blocks: int = 0
    dropped_blocks: int = 0
    resumed_prompt_tokens: int = 0
    resumed_hit_tokens: int = 0
    quarantined_blocks: int = 0


@dataclass(frozen=True, slots=True)
class AllBlocksCleared(Event):
    """The cache was reset: every block is free."""


@dataclass(frozen=True, slots=True)
class TreeResynced(Event):
    """The tree as it is now, node by node.

    A node is `(id, parent_id, namespace, token_ids, block_ids, lock_ref, num_hits, tick)`.

    Sent where a watched tree changed in a way no other event can tell: a learner's bug is drawn as
    it is.
    """

    nodes: tuple[tuple[Any, ...], ...]


EVENT_TYPES: dict[str, type[Event]] = {
    cls.__name__: cls
    for cls in (
        SequenceStarted,
        TokensAppended,
        PrefixMatched,
        BlocksAllocated,
        BlocksFreed,
        NodeSplit,
        NodeLocked,
        NodeUnlocked,
        BlockStored,
        BlockRemoved,
        WrittenBack,
        LoadedBack,
        BlocksDeduplicated,
        BlockCopied,
        TransfersCompleted,
        SequenceForked,
        RequestFinished,
        RequestPreempted,
        OutOfBlocks,
        BlocksQuarantined,
        CacheRestarted,
        AllBlocksCleared,
        TreeResynced,
    )
}
"""Every event by name, for readers of recordings."""

Emit = Callable[[Any], None]
"""A listener: a function of one event."""


def field_names(event_type: type[Event]) -> tuple[str, ...]:
    """List the fields of a type of events, in order, the site last."""
    return (*event_type.__match_args__, "site")


class Log:
    """The voice of a cache: it numbers the events and knows who listens, if anybody does.

    Whoever has something to tell does so in one statement, at the line where it happens::

        if emit := log.emit:
            emit(NodeSplit(*log.stamp(), site="tree.split", node_id=4, upper_id=9, num_blocks=2))

    Without a listener nothing is built. The site is found again in the source by its name, so the
    view can show the line of every event, of a compiled build too.
    """

    __slots__ = ("emit", "seq", "step")

    def __init__(self, emit: Emit | None = None) -> None:
        self.emit = emit
        """The listener; None for silence."""
        self.seq = 0
        """The number of the next event."""
        self.step = 0
        """The label that the caller gives to the events to come."""

    def stamp(self) -> tuple[int, int]:
        """Return the `seq` and `step` of the next event, and advance `seq`."""
        seq = self.seq
        self.seq = seq + 1
        return seq, self.step
