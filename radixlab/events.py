"""What the cache says about itself: one frozen type per fact.

This file knows the facts and imports nothing of ours. It does not know who listens: a recorder, a
view and a metrics endpoint all fold the same stream (`radixlab.observe`). The names follow the
field: `BlockStored`, `BlockRemoved` and `AllBlocksCleared` are what vLLM and SGLang publish to
routers; the rest is what a person needs to see why.

Every event starts with `seq`, a number without gaps, and `step`, a label the caller sets. The other
fields are plain ids, ints and strings. Block ids travel as runs `(first_id, count)`; a node's
tokens travel by reference into the sequence that inserted them, so a long prompt is sent once.
"""

from collections.abc import Callable
from dataclasses import dataclass
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
class SequenceStarted:
    """A request was admitted with these prompt tokens."""

    seq: int
    step: int
    sequence_id: int
    namespace: Namespace | None
    token_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TokensAppended:
    """A sequence grew: the tokens from position `start` on."""

    seq: int
    step: int
    sequence_id: int
    start: int
    token_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PrefixMatched:
    """The sequence's block table begins with the path to `node_id` (None: nothing matched).

    `miss_reason` explains the first missing full block, None when there is none; `evicted_tick`
    says when it went. The path is stamped with `tick` and each of its nodes counts a hit.
    """

    seq: int
    step: int
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
class BlocksAllocated:
    """The tail of this sequence's block table: blocks that were free, or just evicted."""

    seq: int
    step: int
    sequence_id: int
    block_runs: Runs


@dataclass(frozen=True, slots=True)
class BlocksFreed:
    """Private blocks of this sequence went back to the free list."""

    seq: int
    step: int
    sequence_id: int
    block_runs: Runs


@dataclass(frozen=True, slots=True)
class NodeSplit:
    """`node_id` gave its first `num_blocks` blocks to a new parent, `upper_id`.

    Locks, ticks and hits are on both.
    """

    seq: int
    step: int
    node_id: int
    upper_id: int
    num_blocks: int


@dataclass(frozen=True, slots=True)
class NodeLocked:
    """A receipt was taken on the node: it and all its ancestors are protected from eviction."""

    seq: int
    step: int
    node_id: int
    sequence_id: int | None


@dataclass(frozen=True, slots=True)
class NodeUnlocked:
    """A receipt on the node was given back."""

    seq: int
    step: int
    node_id: int
    sequence_id: int | None


@dataclass(frozen=True, slots=True)
class BlockStored:
    """Written blocks entered the tree.

    They are a new node, the tail of one that exists, or all of one on the host, whose copy of them
    is given up. Their tokens are those of `sequence_id` from position `start_token` on, or
    `token_ids` where no sequence is known.
    """

    seq: int
    step: int
    node_id: int
    parent_id: int | None
    namespace: Namespace | None
    sequence_id: int | None
    start_token: int
    block_runs: Runs
    tick: int
    token_ids: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class BlockRemoved:
    """The tail of an unlocked leaf, of the device or the host, is cached no more.

    A node without blocks is gone.

    `reason` is the policy's own ("least recent"), with "host full" where the host would have taken
    it; `tick` is the node's last use, which is why it was chosen.
    """

    seq: int
    step: int
    node_id: int
    block_runs: Runs
    reason: str
    tick: int


@dataclass(frozen=True, slots=True)
class WrittenBack:
    """The tail of an unlocked leaf was evicted, and goes to the host.

    If it is all of the leaf, `host_node_id` is the leaf itself. Else it is a node between the leaf
    and what was below it, or the one node below it on the host, which grows at its front.
    """

    seq: int
    step: int
    node_id: int
    host_node_id: int
    block_runs: Runs
    host_runs: Runs
    reason: str
    tick: int


@dataclass(frozen=True, slots=True)
class LoadedBack:
    """A node of the host is on the device again, in these blocks; its bytes are on their way."""

    seq: int
    step: int
    node_id: int
    host_runs: Runs
    block_runs: Runs


@dataclass(frozen=True, slots=True)
class BlocksDeduplicated:
    """The tree had these blocks already.

    The sequence's own are free, and its table is re-pointed from index `start_block` on.
    """

    seq: int
    step: int
    sequence_id: int
    start_block: int
    freed_runs: Runs
    kept_runs: Runs


@dataclass(frozen=True, slots=True)
class BlockCopied:
    """Copy-on-write: `table[table_index]` was `src`, which others still read, and is now `dst`."""

    seq: int
    step: int
    sequence_id: int
    table_index: int
    src: int
    dst: int


@dataclass(frozen=True, slots=True)
class TransfersCompleted:
    """The bytes of these transfers `(src, dst, kind)` have arrived; both ends are let go."""

    seq: int
    step: int
    transfers: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True, slots=True)
class SequenceForked:
    """A new sequence shares the first `num_tokens` tokens, and their blocks, with `parent_id`."""

    seq: int
    step: int
    sequence_id: int
    parent_id: int
    num_tokens: int


@dataclass(frozen=True, slots=True)
class RequestFinished:
    """The sequence gave up its block table; the nodes on its path are stamped with `tick`."""

    seq: int
    step: int
    sequence_id: int
    reason: FinishReason
    tick: int


@dataclass(frozen=True, slots=True)
class RequestPreempted:
    """The sequence is taken off to make room and will come back with all its tokens."""

    seq: int
    step: int
    sequence_id: int


@dataclass(frozen=True, slots=True)
class OutOfBlocks:
    """A call failed for want of blocks and changed nothing."""

    seq: int
    step: int
    num_needed: int
    num_free: int
    num_evictable: int


@dataclass(frozen=True, slots=True)
class BlocksQuarantined:
    """These cached blocks hold KV that is not finite.

    They are taken out of the cache with all that is cached below them: `BlockRemoved` events
    follow, one a node. No sequence runs over any of them.
    """

    seq: int
    step: int
    block_runs: Runs


@dataclass(frozen=True, slots=True)
class CacheRestarted:
    """A fault broke a call off half-way, and the whole cache was forgotten.

    Every block of both tiers is free, no sequence runs, no transfer is pending. The counters go on
    from these values. Events of the broken call may be missing: their numbers are then lost.
    """

    seq: int
    step: int
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
class AllBlocksCleared:
    """The cache was reset: every block is free."""

    seq: int
    step: int


@dataclass(frozen=True, slots=True)
class TreeResynced:
    """The tree as it is now, node by node.

    A node is `(id, parent_id, namespace, token_ids, block_ids, lock_ref, num_hits, tick)`.

    Sent where a watched tree changed in a way no other event can tell: a learner's bug is drawn as
    it is.
    """

    seq: int
    step: int
    nodes: tuple[tuple[Any, ...], ...]


EVENT_TYPES: dict[str, type] = {
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

Event = Any
"""One of `EVENT_TYPES`. (A union of twenty-three types would say no more and read worse.)"""

Emit = Callable[[Event], None]
"""A listener. Engine code calls it as `if emit: emit(NodeSplit(*stamp(), ...))`: without one,
nothing is built."""


class Stamp:
    """The two numbers every event begins with: the next `seq` and the current `step`."""

    __slots__ = ("seq", "step")

    def __init__(self) -> None:
        self.seq = 0
        self.step = 0

    def __call__(self) -> tuple[int, int]:
        """Return `(seq, step)` and advance `seq`."""
        seq = self.seq
        self.seq = seq + 1
        return seq, self.step
