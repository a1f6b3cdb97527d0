"""The events of the cache: one frozen type per kind of change.

This file imports nothing of ours. It does not know who emits events (`log.py`), nor who listens:
the recorder and the view both fold the same stream (`radixlab.observe`). `BlockStored`,
`BlockRemoved` and `AllBlocksCleared` have the names that vLLM and SGLang publish to routers; the
other events explain to a person what happened and why.

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
"""Why the rest of a prompt was not cached; `not_cached` unless explanations are on."""


FinishReason = Literal["released", "aborted", "preempted"]

StreamCause = Literal["missing", "fewer", "whole", "lost", "restarted", "refused", "left_out"]
"""What a `StreamReported` reports."""


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

    `miss_reason` explains the first missing full block, and is None if no full block is missing.
    `evicted_tick` is the time of its eviction. The path is stamped with `tick`, and each of its
    nodes counts a hit.
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
    """Whether a preempted request returns; then its hits do not count in the hit rate."""


@dataclass(frozen=True, slots=True)
class BlocksAllocated(Event):
    """Blocks appended to this sequence's block table; they were free, or were just evicted."""

    sequence_id: int
    block_runs: Runs


@dataclass(frozen=True, slots=True)
class BlocksFreed(Event):
    """Private blocks of this sequence became free."""

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
    """A receipt on the node was released."""

    node_id: int
    sequence_id: int | None


@dataclass(frozen=True, slots=True)
class BlockStored(Event):
    """Written blocks entered the tree.

    They form a new node or the tail of an existing one, or replace all blocks of a host node. Their
    tokens are those of `sequence_id` from position `start_token` on, or `token_ids` if there is no
    sequence.
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
    """The tail of an unlocked leaf, on the device or the host, was dropped.

    A node without blocks is removed. `reason` is the policy's reason, such as "least recent", with
    "host full" if the host had no room for it. `tick` is the node's last use.
    """

    node_id: int
    block_runs: Runs
    reason: str
    tick: int


@dataclass(frozen=True, slots=True)
class WrittenBack(Event):
    """The tail of an unlocked leaf was evicted to the host.

    If this is the whole leaf, `host_node_id` is the leaf itself. Otherwise it is a new node between
    the leaf and its children, or its only child on the host, which grows at its front.
    """

    node_id: int
    host_node_id: int
    block_runs: Runs
    host_runs: Runs
    reason: str
    tick: int


@dataclass(frozen=True, slots=True)
class LoadedBack(Event):
    """A host node moved back to these device blocks; its bytes have not arrived yet."""

    node_id: int
    host_runs: Runs
    block_runs: Runs


@dataclass(frozen=True, slots=True)
class BlocksDeduplicated(Event):
    """The tree had these blocks already.

    The sequence's duplicates were freed, and the tree's blocks replace them in its table from index
    `start_block` on.
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
    """The bytes of these transfers `(src, dst, kind)` have arrived; both ends were released."""

    transfers: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True, slots=True)
class SequenceForked(Event):
    """A new sequence shares the first `num_tokens` tokens, and their blocks, with `parent_id`."""

    sequence_id: int
    parent_id: int
    num_tokens: int


@dataclass(frozen=True, slots=True)
class RequestFinished(Event):
    """The sequence ended; the nodes on its path are stamped with `tick`."""

    sequence_id: int
    reason: FinishReason
    tick: int


@dataclass(frozen=True, slots=True)
class RequestPreempted(Event):
    """The sequence was preempted to make room, and will return with all its tokens."""

    sequence_id: int


@dataclass(frozen=True, slots=True)
class OutOfBlocks(Event):
    """A call failed because blocks were missing; it changed nothing."""

    num_needed: int
    num_free: int
    num_evictable: int


@dataclass(frozen=True, slots=True)
class BlocksQuarantined(Event):
    """These cached blocks hold non-finite KV.

    They are removed from the cache with everything below them: `BlockRemoved` events follow, one
    per node. No sequence uses any of them.
    """

    block_runs: Runs


@dataclass(frozen=True, slots=True)
class CacheRestarted(Event):
    """A call failed half-way, and the whole cache was cleared.

    Every block of both tiers is free, no sequence runs, and no transfer is pending. The counters
    continue from these values. Events of the failed call may be missing; then their numbers are
    lost.
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

    Sent if a watched tree changed in a way that no other event describes, such as a learner's bug.
    """

    nodes: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class PartBroke(Event):
    """A part of somebody's own, such as a learner's tree, gave an answer that breaks a rule.

    From here on the cache does without the part, so no later event follows from that answer.
    """

    rule: str
    """An id of the rulebook: E6."""
    call: str
    """What was asked, as a reader would write it: `match_prefix(9 tokens)`."""
    what: str
    """What is wrong, with the names and numbers."""


@dataclass(frozen=True, slots=True)
class StreamReported(Event):
    """How far the picture of another engine's cache can be trusted from here on.

    `radixlab watch` reports what it learns of the stream that it follows: payloads `first` to
    `last` of a publisher are missing, some are lost for good, nothing is missing any more, the
    publisher began again, messages were refused, or blocks were left out because the pool to draw
    is full. The other numbers are totals; what a reset of the cache has made void does not count.
    """

    publisher: str
    """The name of the rank or the endpoint; "" if there is only one."""
    cause: StreamCause
    first: int | None
    last: int | None
    missing_payloads: int
    lost_payloads: int
    refused_messages: int
    left_out_blocks: int
    publisher_restarts: int


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
        PartBroke,
        StreamReported,
    )
}
"""All event types by name, for readers of recordings."""

Emit = Callable[[Any], None]
"""A listener: a function of one event."""


def field_names(event_type: type[Event]) -> tuple[str, ...]:
    """List the fields of a type of events, in order, the site last."""
    return (*event_type.__match_args__, "site")
