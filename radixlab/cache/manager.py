"""The public methods of the cache, which an engine calls for every request.

    allocate ─► append ─► (forward) ─► commit ─► release
                  ▲                      │
                  └──────────────────────┘

`fork` starts a second sequence from a running one; `abort` and `preempt` end one early.

A manager combines the parts: the tree knows which blocks hold which prefix, the allocator knows
which blocks are free, and the policy chooses the next victim. The manager owns the lives of
sequences, the counter that serves as time, and the order of steps inside a call. A call that raises
has changed nothing. Listeners must not raise; `observe.attach` guards them.

It does not know KV bytes: calls that need copies of blocks return `Transfer`s. The owner of the KV
runs them, and then calls `complete`. It does not know its listener either: `emit` is its only call
to the outside.
"""

import threading
import warnings
from collections.abc import Iterable
from dataclasses import replace
from threading import get_ident
from typing import Any

import numpy as np

from radixlab.cache.admission import Admission, FurtherReuse
from radixlab.cache.allocator import BlockAllocator
from radixlab.cache.checks import (
    PLENTY,
    check_count,
    check_namespace,
    check_prompt,
    check_transfers,
)
from radixlab.cache.commit import Commit
from radixlab.cache.cow import CopyOnWrite
from radixlab.cache.errors import CacheError, CountError, ListenerError, SequenceError, ThreadError
from radixlab.cache.explain import EvictionMemory
from radixlab.cache.found import Found, still_good
from radixlab.cache.host.tier import HostTier
from radixlab.cache.host.transfers import PendingTransfers
from radixlab.cache.node import Node
from radixlab.cache.partial import PartialReuse
from radixlab.cache.pins import Pin, Pins
from radixlab.cache.protocols import EvictionPolicy
from radixlab.cache.results import BlockIds, Transfer
from radixlab.cache.runs import to_runs
from radixlab.cache.sequence import Sequence
from radixlab.cache.stats import CacheStats, Counts, cache_stats
from radixlab.cache.supply import BlockSupply, Evict
from radixlab.cache.tokens import TokenArray, TokensLike, as_int32, as_tokens, extend
from radixlab.cache.tree import RadixTree
from radixlab.config import CacheConfig, ConfigError, Count, shown
from radixlab.events import (
    AllBlocksCleared,
    BlocksAllocated,
    BlocksFreed,
    Emit,
    Event,
    FinishReason,
    Log,
    Namespace,
    RequestFinished,
    RequestPreempted,
    SequenceForked,
    TokensAppended,
    TransfersCompleted,
)

NOBODY = -1
"""An identifier that no thread has.

It replaces the owner's while a listener receives an event: then one comparison in each call refuses
both other threads and the listener.
"""


class KVCacheManager:
    """KV-cache blocks for many sequences, shared by prefix.

    >>> manager = KVCacheManager(CacheConfig(num_blocks=8, block_size=2))
    >>> first = manager.allocate([1, 2, 3, 4, 5])
    >>> manager.commit(first, num_written=5)  # from now on its two full blocks can be matched
    >>> second = manager.allocate([1, 2, 3, 4, 9])
    >>> second.hit_tokens, second.block_table.tolist()
    (4, [0, 1, 3])
    """

    def __init__(
        self,
        config: CacheConfig | Any,
        emit: Emit | Any = None,
        policy: EvictionPolicy | Any = None,
    ) -> None:
        if not isinstance(config, CacheConfig):
            raise ConfigError(f"config must be a CacheConfig, not {shown(config)}")
        self.config = config
        self.log = Log()
        self.counts = Counts()
        self.sequences: dict[int, Sequence] = {}
        self.tree = RadixTree(config.block_size, policy, self.log)
        self.allocator = BlockAllocator(config.num_blocks)
        self._compose(config)
        self._owner: int | None = None
        """The owner: the first calling thread, or `NOBODY` while a listener is called."""
        self.emit = emit

    def _compose(self, config: CacheConfig) -> None:
        """Put the parts together. What a cache is not configured to do is on no path of it."""
        tree, allocator, counts, sequences = self.tree, self.allocator, self.counts, self.sequences
        host_blocks = BlockAllocator(config.num_host_blocks) if config.num_host_blocks else None
        self.memory = EvictionMemory(tree, config.num_blocks, counts) if config.explain else None
        self.transit = PendingTransfers(tree.locks, allocator, host_blocks)
        self.copies = CopyOnWrite(tree, allocator, self.transit, counts)
        self.host = (
            HostTier(host_blocks, tree, self.transit, counts, self.memory) if host_blocks else None
        )
        evict: Evict | None = self.memory.evict if self.memory else None
        evict = self.host.evict if self.host else evict
        self.supply = BlockSupply(tree, allocator, counts, evict)
        self.pins = Pins(tree, self.supply, counts, sequences, config.pin_budget_blocks)
        self._require = self.pins.require if config.pin_budget_blocks else self.supply.require
        further: list[FurtherReuse] = [self.host] if self.host else []
        if least := config.partial_reuse_tokens:
            further.append(PartialReuse(tree, allocator, self.copies, least))
        self.admission = Admission(
            tree,
            self.supply,
            self.transit,
            counts,
            sequences,
            self.memory,
            self._require,
            tuple(further),
        )
        replace_copy = self.host.replace if self.host else None
        self.commits = Commit(tree, allocator, counts, sequences, replace_copy)

    @property
    def tick(self) -> int:
        """Time: +1 for every successful `allocate` and `release`."""
        return self.counts.tick

    @property
    def emit(self) -> Emit | None:
        """The listener, or None. It may be set at any time.

        It is called in the middle of a change, so it must not raise, and may only read the manager.
        A call that would change the manager raises `ListenerError`; a listener that does not catch
        it is removed.
        """
        return self._listener

    @emit.setter
    def emit(self, listener: Emit | None) -> None:
        if listener is not None and not callable(listener):
            raise ConfigError(f"emit must be a function of an event, not {shown(listener)}")
        self._listener = listener
        self.log.emit = None if listener is None else self._tell

    def _tell(self, event: Event) -> None:
        """Call the listener; remove it if it raises `ListenerError`."""
        owner, self._owner = self._owner, NOBODY
        try:
            if self._listener is not None:
                self._listener(event)
        except ListenerError as error:
            self.emit = None
            warnings.warn(f"{error}; it was removed", RuntimeWarning, stacklevel=3)
        finally:
            self._owner = owner

    @property
    def transfers(self) -> list[Transfer]:
        """The pending transfers, in execution order."""
        return self.transit.since(0)

    # ---- admission, growth, fork

    def allocate(
        self,
        tokens: TokensLike | Any,
        namespace: Namespace | Any = None,
        reserve_tokens: Count = 0,
        priority: Count = 0,
        keep_blocks: Count = 0,
        resumed: bool | Any = False,
        match: Found | Any = None,
    ) -> Sequence:
        """Admit a prompt: match it, lock the hit, evict what is missing, take blocks for the rest.

        At least one token is left to compute, so that even a fully cached prompt yields logits.
        `reserve_tokens` takes the blocks for that many future tokens now, so that they cannot run
        out. A `Tokens` becomes the sequence's own buffer; anything else is copied. Blocks on the
        host count as hits, and are loaded back. With a host tier or `partial_reuse_tokens`, the
        sequence may have `copies`, which must run first. `priority` is used by the policy of that
        name; a prefix keeps its highest priority. `keep_blocks` leaves that many free or evictable
        blocks for running sequences. `resumed` marks a preempted request that returns: re-finding
        its own blocks does not count as a hit. `match` hands on a look-up of this very prompt, as
        `match_batch(tree, [prompt], spare_tokens=1)` makes it, so that nothing is looked up twice;
        if the tree has changed since, it is ignored.

        Raises `TokenError` for a bad or empty prompt, `CountError` for other bad arguments,
        `PromptTooLargeError` if the pool can never hold the prompt, and `OutOfBlocksError` if it
        cannot hold it now.

        Rules: T1.
        """
        if get_ident() != self._owner:
            self._check_caller()
        if namespace is not None:
            check_namespace(namespace)
        if type(reserve_tokens) is not int or not 0 <= reserve_tokens < PLENTY:
            reserve_tokens = check_count("reserve_tokens", reserve_tokens, 0)
        if type(priority) is not int or priority:
            priority = check_count("priority", priority, 0)
        if type(keep_blocks) is not int or keep_blocks:
            keep_blocks = check_count("keep_blocks", keep_blocks, 0)
        if resumed is not False and resumed is not True:
            raise CountError(f"resumed must be True or False, not {shown(resumed)}")
        prompt = check_prompt(tokens, reserve_tokens, self.config)
        if match is not None:
            match = still_good(match, self.tree, prompt, namespace)
        return self.admission.admit(
            prompt, namespace, reserve_tokens, priority, keep_blocks, resumed, match
        )

    def append(self, sequence: Sequence | Any, tokens: TokensLike) -> list[Transfer]:
        """Append tokens, and take the blocks that they need (C5).

        Returns the transfers to run before their KV is written. Raises `OutOfBlocksError`.
        """
        if (
            get_ident() != self._owner
            or type(sequence) is not Sequence
            or self.sequences.get(sequence.id) is not sequence
        ):
            self._check_running(sequence)
        token_ids, start = as_int32(tokens), sequence.tokens.num_tokens
        num_tokens = len(token_ids)
        if num_tokens == 0:
            return []
        block_size, end = self.tree.block_size, start + num_tokens
        num_new = -(-end // block_size) - len(sequence.block_table)
        shared: list[int] = []
        # In blocks that are this sequence's own and reserved, only the tokens are noted.
        if self.allocator.more_holders or start < sequence.receipt.node.end * block_size:
            shared = self.copies.needed(sequence, start, end)
        num_pending = len(self.transit.pending)
        if num_new > 0 or shared:
            num_new = max(0, num_new)
            self._require(num_new + len(shared), None)
            block_ids = self.supply.take(num_new + len(shared))
        extend(sequence.tokens, token_ids)
        if emit := self.log.emit:
            emit(
                TokensAppended(
                    *self.log.stamp(),
                    site="manager.append",
                    sequence_id=sequence.id,
                    start=start,
                    token_ids=tuple(token_ids.tolist()),
                )
            )
        if num_new > 0:
            new = block_ids[:num_new]
            sequence.block_table = np.concatenate((sequence.block_table, new))
            if emit := self.log.emit:
                emit(
                    BlocksAllocated(
                        *self.log.stamp(),
                        site="manager.append_blocks",
                        sequence_id=sequence.id,
                        block_runs=to_runs(new),
                    )
                )
        if shared:
            self.copies.replace(sequence, shared, block_ids[num_new:].tolist())
        return self.transit.since(num_pending) if self.transit.pending else []

    def prepare_write(self, sequence: Sequence | Any, start: Count, end: Count) -> list[Transfer]:
        """Make positions [start, end) writable for this sequence (C5).

        Returns the transfers to run first.

        Every write must go through this method. From the block of `start` on, blocks of the tree
        and blocks in another table are copied. Blocks that only this sequence has are not copied.
        """
        self._check_running(sequence)
        start, end = check_count("start", start), check_count("end", end)
        if not 0 <= start <= end <= sequence.num_tokens:
            raise SequenceError(
                f"cannot write [{start}, {end}) of sequence {sequence.id}: "
                f"it has {sequence.num_tokens} tokens"
            )
        shared, num_pending = self.copies.needed(sequence, start, end), len(self.transit.pending)
        if not shared:
            return []
        self._require(len(shared), None)
        destinations = self.supply.take(len(shared))
        self.copies.replace(sequence, shared, destinations.tolist())
        return self.transit.since(num_pending)

    def complete(self, transfers: Iterable[Transfer] | Any) -> None:
        """Report that the bytes of these transfers have arrived; until then both ends are held."""
        if get_ident() != self._owner:
            self._check_caller()
        transfers = check_transfers(transfers)
        self.transit.complete(transfers)
        if (emit := self.log.emit) and transfers:
            done = tuple((transfer.src, transfer.dst, transfer.kind) for transfer in transfers)
            emit(TransfersCompleted(*self.log.stamp(), site="manager.complete", transfers=done))

    def fork(self, sequence: Sequence | Any, num_tokens: Count | None = None) -> Sequence:
        """Start a second sequence from the first `num_tokens` tokens (by default all) (C1).

        It shares all their blocks and copies none; the first write to a shared block copies it.
        """
        self._check_running(sequence)
        if num_tokens is None:
            num_tokens = sequence.num_tokens
        num_tokens = check_count("num_tokens", num_tokens)
        if not 0 < num_tokens <= sequence.num_tokens:
            raise SequenceError(
                f"cannot fork sequence {sequence.id} at token {num_tokens} of {sequence.num_tokens}"
            )
        num_blocks = -(-num_tokens // self.tree.block_size)
        prefix = sequence.tokens.prefix(num_tokens)
        child = Sequence(self.admission.next_id, prefix, sequence.namespace)
        self.admission.next_id += 1
        if emit := self.log.emit:
            emit(
                SequenceForked(
                    *self.log.stamp(),
                    site="manager.fork",
                    sequence_id=child.id,
                    parent_id=sequence.id,
                    num_tokens=num_tokens,
                )
            )
        node = self.tree.ancestor_at(sequence.node, min(num_blocks, sequence.node.end))
        child.receipt = self.tree.locks.lock(node, child.id)
        child.priority = sequence.priority
        child.block_table = sequence.block_table[:num_blocks].copy()
        self.allocator.share(child.block_table[node.end :])
        self.sequences[child.id] = child
        return child

    # ---- commit and the end of a request

    def commit(
        self,
        sequence: Sequence | Any,
        num_written: Count,
        max_tokens: Count | None = None,
    ) -> None:
        """Register written blocks: the KV of tokens [0, num_written) is in the pool (M11, M12, T1).

        Every full block among them (up to `max_tokens` tokens) can be matched from now on; nothing
        else makes blocks matchable. If the tree has some of the blocks already, this sequence's
        copies are freed, and its block table points to the tree's. The lock moves to the deepest
        node.
        """
        if (
            get_ident() != self._owner
            or type(sequence) is not Sequence
            or self.sequences.get(sequence.id) is not sequence
        ):
            self._check_running(sequence)  # called only in case of an error, for speed
        if type(num_written) is not int or not 0 <= num_written < PLENTY:
            num_written = check_count("num_written", num_written)
        if not 0 <= num_written <= sequence.tokens.num_tokens:
            raise SequenceError(
                f"{num_written} tokens written of sequence {sequence.id}? "
                f"It has {sequence.num_tokens}"
            )
        limit = num_written
        if max_tokens is not None:
            limit = min(limit, check_count("max_tokens", max_tokens, 0))
        start, stop = sequence.receipt.node.end, limit // self.tree.block_size
        if stop > start:
            if self.transit.pending:
                self.transit.refuse(sequence.block_table[start:stop])
            self.commits.register(sequence, stop)

    def release(self, sequence: Sequence | Any) -> None:
        """Finish: unlock the prefix, which stays cached, and free the uncommitted blocks."""
        self._finish(sequence, "released")

    def abort(self, sequence: Sequence | Any) -> None:
        """Abort a request in any state; the same as `release`."""
        self._finish(sequence, "aborted")

    def preempt(self, sequence: Sequence | Any) -> TokenArray:
        """Stop a request to make room.

        Returns its tokens, int32 `[num_tokens]`, for a later `allocate`.
        """
        self._check_running(sequence)
        if emit := self.log.emit:
            emit(
                RequestPreempted(*self.log.stamp(), site="manager.preempt", sequence_id=sequence.id)
            )
        self._finish(sequence, "preempted")
        return sequence.token_ids

    # ---- the cache as a whole

    def pin(self, tokens: TokensLike, ttl_ticks: Count, namespace: Namespace | Any = None) -> Pin:
        """Keep the cached part of this prefix on the device for `ttl_ticks` ticks, in whole blocks.

        Raises `PinError` if nothing of it is cached, or if the pins would exceed
        `pin_budget_blocks`.
        """
        if get_ident() != self._owner:
            self._check_caller()
        check_namespace(namespace)
        return self.pins.pin(as_tokens(tokens), check_count("ttl_ticks", ttl_ticks, 1), namespace)

    def unpin(self, pin: Pin | Any) -> None:
        """Remove a pin before it expires; raise `PinError` if it is gone already."""
        if get_ident() != self._owner:
            self._check_caller()
        self.pins.unpin(pin)

    def peek(self, tokens: TokensLike | Any, namespace: Namespace | Any = None) -> BlockIds:
        """Return the cached device blocks of a prompt, int32 `[n]`; change nothing.

        Blocks on the host are not included, although a request would hit them.
        """
        check_namespace(namespace)
        return self.tree.peek(tokens, namespace)

    def evict(self, num_blocks: Count) -> int:
        """Evict up to `num_blocks` cached blocks; return how many.

        Write-backs to the host are in `transfers`; their device blocks become free when they are
        complete.
        """
        if get_ident() != self._owner:
            self._check_caller()
        num_blocks = check_count("num_blocks", num_blocks, 0)
        self.pins.expire()
        gone, num_gone = self.supply.give_up(num_blocks)
        for block_ids in gone:
            self.allocator.free(block_ids)
        return num_gone

    def reset(self) -> None:
        """Clear the whole cache (L11).

        Raises `CacheError`, which names the obstacle, while sequences run or transfers are pending.
        """
        if get_ident() != self._owner:
            self._check_caller()
        if self.sequences or self.transit.pending:
            running = ", ".join(map(str, list(self.sequences)[:8]))
            raise CacheError(
                f"cannot reset: {len(self.sequences)} sequences run ({running}), "
                f"{len(self.transit.pending)} transfers are pending"
            )
        while self.pins:
            self.pins.drop_first()
        self.tree.clear()
        self.allocator.reset()
        if self.host:
            self.host.reset()
        if self.memory:
            self.memory.clear()
        if emit := self.log.emit:
            emit(AllBlocksCleared(*self.log.stamp(), site="manager.reset"))

    def stats(self) -> CacheStats:
        """Return the counts of blocks, by block tables, and of all calls so far (E8, T6)."""
        tables = [sequence.block_table for sequence in self.sequences.values()]
        ends = [block for transfer in self.transfers for block in transfer.device_blocks]
        host = self.host.allocator if self.host else None
        stats = cache_stats(self.counts, tables, ends, self.tree, self.allocator, host)
        expired = self.pins.num_expired_blocks()
        return replace(stats, num_evictable_blocks=stats.num_evictable_blocks + expired)

    # ---- inside

    def _finish(self, sequence: Sequence | Any, reason: FinishReason) -> None:
        # L8, L9, E3
        if (
            get_ident() != self._owner
            or type(sequence) is not Sequence
            or self.sequences.get(sequence.id) is not sequence
        ):
            self._check_running(sequence)
        node: Node = sequence.receipt.node
        if sequence.receipt.released:
            raise SequenceError(f"sequence {sequence.id}: its lock was released from outside")
        del self.sequences[sequence.id]
        self.counts.tick += 1
        self.tree.touch(node, self.counts.tick)
        if sequence.priority:
            for above in node.path():
                above.priority = max(above.priority, sequence.priority)
        if emit := self.log.emit:
            emit(
                RequestFinished(
                    *self.log.stamp(),
                    site="manager.finish",
                    sequence_id=sequence.id,
                    reason=reason,
                    tick=self.counts.tick,
                )
            )
        private = sequence.block_table[node.end :]
        self.tree.locks.unlock(sequence.receipt, sequence.id)
        if len(private):
            freed = self.allocator.free(private)
            if emit := self.log.emit:
                emit(
                    BlocksFreed(
                        *self.log.stamp(),
                        site="manager.free_private",
                        sequence_id=sequence.id,
                        block_runs=to_runs(freed),
                    )
                )

    def _check_caller(self) -> None:
        """Make the first calling thread the owner; refuse other threads, and a listener (T3)."""
        if self._owner == NOBODY:
            raise ListenerError("a listener called the manager that was reporting an event to it")
        if self._owner is None:
            self._owner = get_ident()
        if get_ident() != self._owner:
            raise ThreadError(
                f"thread {threading.current_thread().name!r} called a manager that another owns: "
                "pass it requests through a queue"
            )

    def _check_running(self, sequence: Sequence | Any) -> None:
        if get_ident() != self._owner:
            self._check_caller()
        if type(sequence) is Sequence and self.sequences.get(sequence.id) is sequence:
            return
        if not isinstance(sequence, Sequence):
            raise SequenceError(
                f"{shown(sequence)} is not a sequence: pass what allocate or fork returned"
            )
        why = "was released before" if sequence.receipt.released else "belongs to another manager"
        raise SequenceError(
            f"sequence {sequence.id} {why}; {len(self.sequences)} sequences run here"
        )
