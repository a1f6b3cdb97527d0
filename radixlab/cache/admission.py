"""Admission: how a prompt becomes a running sequence. All or nothing.

    find the cached prefix ─► require blocks for the rest ─► lock the prefix ─► take the blocks
    ─► admit

The order is the point. Whoever cannot have all blocks is refused before anything has changed. The
lock comes before any block is taken, for taking may evict, and a prompt must not evict its own hit.

A plain cache takes these steps and no others. A host tier and the reuse of parts of blocks are
further ways to reuse KV, each with steps of its own: a cache that has them is composed with them,
and another knows nothing of them. A cache with pins has another `require`.
"""

from collections.abc import Callable
from typing import Protocol

from radixlab.cache.errors import PolicyError
from radixlab.cache.explain import EvictionMemory, miss_reason
from radixlab.cache.found import Found
from radixlab.cache.host.transfers import PendingTransfers
from radixlab.cache.node import Node
from radixlab.cache.runs import to_runs
from radixlab.cache.sequence import Sequence
from radixlab.cache.stats import Counts
from radixlab.cache.supply import BlockSupply
from radixlab.cache.tokens import Tokens
from radixlab.cache.tree import RadixTree
from radixlab.events import (
    BlocksAllocated,
    Namespace,
    PrefixMatched,
    RequestFinished,
    SequenceStarted,
)

Require = Callable[[int, Found], None]
"""Raises `OutOfBlocksError` unless so many blocks are available beside what was found."""


class FurtherReuse(Protocol):
    """A way to reuse KV that is not a whole block of the device."""

    def hold(self, sequence: Sequence, match: Found, here: Found, num_new: int) -> bool:
        """Protect what is to be reused, before room is made; return whether there is anything."""

    def let_go(self) -> None:
        """Undo `hold`: there was no room."""

    def load(self, sequence: Sequence) -> None:
        """Make it part of the locked prefix, if it is one; the sequence has its block table."""

    def copy(self, sequence: Sequence) -> None:
        """Order what is still to be copied; the sequence is admitted."""


class Admission:
    """The steps from a prompt to a sequence."""

    def __init__(
        self,
        tree: RadixTree,
        supply: BlockSupply,
        transfers: PendingTransfers,
        counts: Counts,
        sequences: dict[int, Sequence],
        memory: EvictionMemory | None,
        require: Require,
        further: tuple[FurtherReuse, ...] = (),
    ) -> None:
        self._tree = tree
        self._supply = supply
        self._transfers = transfers
        self._counts = counts
        self._sequences = sequences
        self._memory = memory
        self._require = require
        self._further = further
        self.next_id = 0
        """The next sequence's."""

    def admit(
        self,
        prompt: Tokens,
        namespace: Namespace | None,
        reserve_tokens: int,
        priority: int,
        keep_blocks: int,
        resumed: bool,
        match: Found | None = None,
    ) -> Sequence:
        """Admit a prompt whose arguments were checked; `KVCacheManager.allocate` says the rest."""
        tree, counts, num_tokens = self._tree, self._counts, prompt.num_tokens
        block_size, further = tree.block_size, self._further
        # Find: at least one token is left to compute, or there would be no logits (M1).
        if match is None:
            match = tree.find(prompt, (num_tokens - 1) // block_size, namespace)
        here = match.on_device() if further else match
        # Require: whoever is refused has changed nothing (L7).
        num_new = -(-(num_tokens + reserve_tokens) // block_size) - here.num_blocks
        self._require(num_new + keep_blocks, here)
        # Start.
        sequence = Sequence(self.next_id, prompt, namespace)
        self.next_id += 1
        sequence.hit_tokens = match.num_blocks * block_size
        sequence.priority = priority
        sequence.resumed = resumed
        sequence.miss_reason, sequence.evicted_tick = miss_reason(
            tree, prompt, match, namespace, self._memory
        )
        if tree.log.emit:
            self._tell_started(sequence)
        # Lock: before anything is evicted, or a prompt might evict its own hit (L5).
        end = here.node if here.child is None else tree.cut(here)
        sequence.receipt = tree.locks.lock(end, sequence.id)
        reuse = None
        if further:
            num_pending = len(self._transfers.pending)
            reuse = self._hold(sequence, match, here, num_new)
        # Take.
        try:
            sequence.block_table = self._supply.take(num_new, here.runs)
        except PolicyError:
            self._give_up(sequence, reuse)
            raise
        if reuse:
            reuse.load(sequence)
        # Admit: its path is stamped, and counts a hit on each node (E3, M4).
        self._sequences[sequence.id] = sequence
        sequence.running = self._sequences
        prompt.taken = True
        counts.tick += 1
        tree.hit(sequence.receipt.node, counts.tick)
        counts.num_requests += 1
        counts.prompt_tokens += num_tokens
        counts.hit_tokens += sequence.hit_tokens
        if resumed:  # to find its own blocks again does not count as a hit (S6)
            counts.resumed_prompt_tokens += num_tokens
            counts.resumed_hit_tokens += sequence.hit_tokens
        if tree.log.emit:
            self._tell_admitted(sequence)
        if further:
            counts.host_hit_tokens += sequence.host_hit_tokens
            counts.partial_hit_tokens += sequence.hit_tokens % block_size
            if reuse:
                reuse.copy(sequence)
            sequence.copies = self._transfers.since(num_pending)
        return sequence

    def _tell_started(self, sequence: Sequence) -> None:
        """Tell the listener of a new sequence."""
        if emit := self._tree.log.emit:
            emit(
                SequenceStarted(
                    *self._tree.log.stamp(),
                    site="admission.start",
                    sequence_id=sequence.id,
                    namespace=sequence.namespace,
                    token_ids=tuple(sequence.token_ids.tolist()),
                )
            )

    def _hold(
        self, sequence: Sequence, match: Found, here: Found, num_new: int
    ) -> FurtherReuse | None:
        """Return the first way that has something to reuse; it is protected from now on."""
        for way in self._further:
            if way.hold(sequence, match, here, num_new):
                return way
        return None

    def _give_up(self, sequence: Sequence, reuse: FurtherReuse | None) -> None:
        """Undo the locks of an admission that the policy broke off: nothing of it remains (L7)."""
        self._tree.locks.unlock(sequence.receipt, sequence.id)
        if reuse:
            reuse.let_go()
        if emit := self._tree.log.emit:
            emit(
                RequestFinished(
                    *self._tree.log.stamp(),
                    site="admission.give_up",
                    sequence_id=sequence.id,
                    reason="aborted",
                    tick=self._counts.tick,
                )
            )

    def _tell_admitted(self, sequence: Sequence) -> None:
        """Tell the listener what the sequence found, and which blocks it got."""
        node: Node = sequence.receipt.node
        if emit := self._tree.log.emit:
            emit(
                PrefixMatched(
                    *self._tree.log.stamp(),
                    site="admission.count_in",
                    sequence_id=sequence.id,
                    node_id=node.id if node.parent else None,
                    hit_tokens=sequence.hit_tokens,
                    num_tokens=sequence.num_tokens,
                    miss_reason=sequence.miss_reason,
                    evicted_tick=sequence.evicted_tick,
                    tick=self._counts.tick,
                    host_hit_tokens=sequence.host_hit_tokens,
                    resumed=sequence.resumed,
                )
            )
            emit(
                BlocksAllocated(
                    *self._tree.log.stamp(),
                    site="admission.blocks",
                    sequence_id=sequence.id,
                    block_runs=to_runs(sequence.block_table[node.end :]),
                )
            )
