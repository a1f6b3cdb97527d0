"""The one door to the cache: what an engine calls for every request.

    allocate ─► append ─► (forward) ─► commit ─► release
                  ▲                      │
                  └──────────────────────┘

`fork` starts a second sequence from a running one; `abort` and `preempt` end one early.

A manager puts the parts together: the tree knows which blocks hold which prefix, the allocator
which are free, the policy which cached block goes next. It owns the life of sequences, the counter
that serves as time, and the order of things inside a call. A call that raises has changed nothing
(a listener must not raise: `observe.attach` sees to that).

It does not know KV bytes: calls that need blocks copied return `Transfer`s, which the owner of the
KV runs and then reports by `complete`. It does not know who listens: `emit` is its only outward
call.
"""

import threading
import warnings
from dataclasses import replace
from functools import partial
from threading import get_ident

import numpy as np

from radixlab.cache.allocator import BlockAllocator
from radixlab.cache.checks import check_count, check_namespace, check_prompt, check_transfers
from radixlab.cache.cow import CopyOnWrite
from radixlab.cache.errors import (
    CacheError,
    CountError,
    ListenerError,
    PinError,
    PolicyError,
    SequenceError,
    ThreadError,
)
from radixlab.cache.explain import EvictionMemory, miss_reason
from radixlab.cache.found import NO_BLOCKS, Found
from radixlab.cache.host import HostTier
from radixlab.cache.node import Node
from radixlab.cache.partial import partial_hit
from radixlab.cache.pins import Pin, Pins
from radixlab.cache.protocols import BlockIds, EvictionPolicy, Receipt, Transfer
from radixlab.cache.registry import Registry
from radixlab.cache.runs import to_runs
from radixlab.cache.sequence import Sequence
from radixlab.cache.stats import CacheStats, count_blocks
from radixlab.cache.supply import BlockSupply
from radixlab.cache.tokens import TokenArray, Tokens, TokensLike, as_int32, as_tokens
from radixlab.cache.transfers import PendingTransfers
from radixlab.cache.tree import RadixTree
from radixlab.config import CacheConfig, ConfigError, shown
from radixlab.events import (
    AllBlocksCleared,
    BlocksAllocated,
    BlocksFreed,
    Emit,
    Event,
    FinishReason,
    Namespace,
    PrefixMatched,
    RequestFinished,
    RequestPreempted,
    SequenceForked,
    SequenceStarted,
    Stamp,
    TokensAppended,
    TransfersCompleted,
)

NOBODY = -1
"""No thread has this identifier: while a listener hears of an event, nobody may change the cache.

It stands in the place of the owner's, so that one comparison in each call refuses both.
"""


class KVCacheManager:
    """KV-cache blocks for many sequences, shared by prefix.

    >>> manager = KVCacheManager(CacheConfig(num_blocks=8, block_size=2))
    >>> first = manager.allocate([1, 2, 3, 4, 5])
    >>> manager.commit(first, num_written=5)  # its two full blocks are matchable from now on
    >>> second = manager.allocate([1, 2, 3, 4, 9])
    >>> second.hit_tokens, second.block_table.tolist()
    (4, [0, 1, 3])
    """

    def __init__(
        self, config: CacheConfig, emit: Emit | None = None, policy: EvictionPolicy | None = None
    ) -> None:
        if not isinstance(config, CacheConfig):
            raise ConfigError(f"config must be a CacheConfig, not {shown(config)}")
        self.config = config
        self.stamp = Stamp()
        self.tree = RadixTree(config.block_size, policy, None, self.stamp)
        self.emit = emit
        self.allocator = BlockAllocator(config.num_blocks)
        self.memory = (
            EvictionMemory(config.num_blocks, config.block_size) if config.explain else None
        )
        host = BlockAllocator(config.num_host_blocks) if config.num_host_blocks else None
        self.transit = PendingTransfers(self.tree, self.allocator, host)
        self.copies = CopyOnWrite(self.tree, self.allocator, self.transit)
        self.host = HostTier(host, self.tree, self.transit, self.memory) if host else None
        self.supply = BlockSupply(self.tree, self.allocator, self.memory, self.host)
        self.sequences: dict[int, Sequence] = {}
        self.pins = Pins(self.tree, config.pin_budget_blocks)
        self.registry = Registry(self.tree, self.allocator, self.sequences)
        self.tick = 0
        """Time: +1 for every successful `allocate` and `release`."""
        self.num_requests = self.prompt_tokens = 0
        self.hit_tokens = self.partial_hit_tokens = self.host_hit_tokens = 0
        self.resumed_prompt_tokens = self.resumed_hit_tokens = self.quarantined_blocks = 0
        self._next_id = 0
        self._thread: int | None = None
        """Whose manager this is: the thread that calls first; nobody's while an event is told."""

    @property
    def emit(self) -> Emit | None:
        """The listener; None for silence. May be set at any time.

        It is called in mid-change. So it must not raise, and may only read the manager: a call that
        changes it raises `ListenerError`, and a listener that does not catch this is removed.
        """
        return self._listener

    @emit.setter
    def emit(self, listener: Emit | None) -> None:
        if listener is not None and not callable(listener):
            raise ConfigError(f"emit must be a function of an event, not {shown(listener)}")
        self._listener = listener
        self.tree.emit = None if listener is None else self._tell

    def _tell(self, event: Event) -> None:
        """Call the listener; one that is refused for calling back is called no more."""
        owner, self._thread = self._thread, NOBODY
        try:
            if self._listener is not None:
                self._listener(event)
        except ListenerError as error:
            self.emit = None
            warnings.warn(f"{error}; it is called no more", RuntimeWarning, stacklevel=3)
        finally:
            self._thread = owner

    @property
    def transfers(self) -> list[Transfer]:
        """What was ordered and is not completed, in execution order."""
        return self.transit.since(0)

    # ---- a request comes, grows and forks

    def allocate(
        self,
        tokens: TokensLike,
        namespace: Namespace | None = None,
        reserve_tokens: int = 0,
        priority: int = 0,
        keep_blocks: int = 0,
        resumed: bool = False,
    ) -> Sequence:
        """Admit a prompt: match it, lock the hit, evict what is missing, take blocks for the rest.

        At least one token is left to compute, so that a prompt which is cached whole still yields
        logits. With `reserve_tokens`, blocks for that many tokens to come are taken now, so that
        they cannot run out. A `Tokens` becomes the sequence's own buffer; anything else is copied.
        What is on the host is part of the hit, and loaded back. With a host tier, or with
        `partial_reuse_tokens` configured, the sequence may come with `copies` to run first.
        `priority` is for the policy of that name: the prefix keeps the highest it was given. With
        `keep_blocks`, that many are left, free or evictable, for those that run to grow into.
        `resumed` says that this is a preempted request coming back: finding its own blocks again
        does not raise the hit rate.

        Raises `TokenError` for a bad or empty prompt, `CountError` for the other arguments,
        `PromptTooLargeError` if the pool could never hold it and `OutOfBlocksError` if it cannot
        now.
        """
        if get_ident() != self._thread:
            self._check_caller()
        if namespace is not None:
            check_namespace(namespace)
        reserve_tokens = check_count("reserve_tokens", reserve_tokens, 0)
        priority = check_count("priority", priority, 0)
        keep_blocks = check_count("keep_blocks", keep_blocks, 0)
        prompt, block_size = check_prompt(tokens, reserve_tokens, self.config), self.tree.block_size
        if resumed is not False and resumed is not True:
            raise CountError(f"resumed must be True or False, not {shown(resumed)}")
        found = self.tree.find(prompt, (prompt.num_tokens - 1) // block_size, namespace)
        here = found.on_device() if self.host else found
        num_new = -(-(prompt.num_tokens + reserve_tokens) // block_size) - here.num_blocks
        if self.pins:
            self._let_pins_go(num_new + keep_blocks, here, all_may_go=not self.sequences)
        self.supply.require(num_new + keep_blocks, about_to_lock=here)
        num_pending = len(self.transit.pending)
        sequence = self._start(prompt, namespace, found)
        sequence.resumed = resumed
        sequence.priority = priority
        # The locks come before the eviction, or a prompt might evict its own hit.
        end, partial, loading = self.tree.cut(found), None, list[Node]()
        sequence.receipt = self.tree.lock(end if here is found else here.node, sequence.id)
        if self.host and here is not found:
            loading = self.host.hold(end)
        elif self.config.partial_reuse_tokens:
            partial = self._lock_partial_hit(sequence, num_new)
        new = self._take_or_give_up(num_new, sequence, partial, loading)
        sequence.block_table = np.concatenate((*here.runs, *new))
        if loading:
            self._load_back(sequence, loading)
        self._admit(sequence)
        if emit := self.tree.emit:
            private = sequence.block_table[found.num_blocks :]
            emit(BlocksAllocated(*self.stamp(), sequence.id, to_runs(private)))
        if partial:
            self.copies.reuse(sequence, found.num_blocks, partial)
        if self.transit.pending:
            sequence.copies = self.transit.since(num_pending)
        return sequence

    def append(self, sequence: Sequence, tokens: TokensLike) -> list[Transfer]:
        """Add tokens at the end, with the blocks they need.

        Returns the transfers to run before their KV is written. Raises `OutOfBlocksError`.
        """
        self._check_running(sequence)
        token_ids, start = as_int32(tokens), sequence.num_tokens
        num_tokens = len(token_ids)
        if not num_tokens:
            return []
        num_pending = len(self.transit.pending)
        end = start + num_tokens
        num_new = max(0, -(-end // self.tree.block_size) - len(sequence.block_table))
        shared = self.copies.needed(sequence, start, end)
        block_ids = NO_BLOCKS
        if num_new or shared:
            self._require(num_new + len(shared))
            block_ids = np.concatenate(self.supply.take(num_new + len(shared), self.tick))
        sequence.tokens.grow(token_ids)
        if emit := self.tree.emit:
            ids = tuple(token_ids.tolist())
            emit(TokensAppended(*self.stamp(), sequence.id, start, ids))
        if num_new:
            new = block_ids[:num_new]
            sequence.block_table = np.concatenate((sequence.block_table, new))
            if emit := self.tree.emit:
                emit(BlocksAllocated(*self.stamp(), sequence.id, to_runs(new)))
        if shared:
            self.copies.replace(sequence, shared, block_ids[num_new:].tolist())
        return self.transit.since(num_pending) if self.transit.pending else []

    def prepare_write(self, sequence: Sequence, start: int, end: int) -> list[Transfer]:
        """Make positions [start, end) this sequence's own to write.

        Returns the transfers to run first.

        The only door to writing. From the block of `start` on, every block of the tree's and every
        block in another table is copied; those that are private to this sequence stay in place.
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
        self._require(len(shared))
        destinations = np.concatenate(self.supply.take(len(shared), self.tick))
        self.copies.replace(sequence, shared, destinations.tolist())
        return self.transit.since(num_pending)

    def complete(self, transfers: list[Transfer]) -> None:
        """Say that the bytes of these transfers have arrived; until then both ends are held."""
        if get_ident() != self._thread:
            self._check_caller()
        transfers = check_transfers(transfers)
        self.transit.complete(transfers)
        if (emit := self.tree.emit) and transfers:
            done = tuple((transfer.src, transfer.dst, transfer.kind) for transfer in transfers)
            emit(TransfersCompleted(*self.stamp(), done))

    def fork(self, sequence: Sequence, num_tokens: int | None = None) -> Sequence:
        """Start a second sequence from the first `num_tokens` tokens (by default all).

        It shares every block under them, and copies none: whoever writes first will.
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
        child = Sequence(self._next_id, sequence.tokens.prefix(num_tokens), sequence.namespace)
        self._next_id += 1
        if emit := self.tree.emit:
            emit(SequenceForked(*self.stamp(), child.id, sequence.id, num_tokens))
        node = self.tree.ancestor_at(sequence.node, min(num_blocks, sequence.node.end))
        child.receipt = self.tree.lock(node, child.id)
        child.priority = sequence.priority
        child.block_table = sequence.block_table[:num_blocks].copy()
        self.allocator.share(child.block_table[node.end :])
        self.sequences[child.id] = child
        return child

    # ---- its KV is written, and it goes

    def commit(self, sequence: Sequence, num_written: int, max_tokens: int | None = None) -> None:
        """Register what is written: the KV of tokens [0, num_written) is in the pool.

        Every full block of it (at most `max_tokens` tokens) becomes matchable, here and nowhere
        else. Blocks the tree has already are freed and the block table re-pointed to the tree's;
        the lock moves to the deepest node.
        """
        if (
            get_ident() != self._thread
            or type(sequence) is not Sequence
            or self.sequences.get(sequence.id) is not sequence
        ):
            self._check_running(sequence)  # says what is wrong; called only then, for speed
        num_written = check_count("num_written", num_written)
        if not 0 <= num_written <= sequence.num_tokens:
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
            self.registry.register(sequence, stop, self.tick)

    def release(self, sequence: Sequence) -> None:
        """Finish: unlock the prefix, which stays cached, and free what was not committed."""
        self._finish(sequence, "released")

    def abort(self, sequence: Sequence) -> None:
        """Give up a request in any state; the same as `release`."""
        self._finish(sequence, "aborted")

    def preempt(self, sequence: Sequence) -> TokenArray:
        """Take a request off to make room.

        Returns its tokens, int32 `[num_tokens]`, to `allocate` again later.
        """
        self._check_running(sequence)
        if emit := self.tree.emit:
            emit(RequestPreempted(*self.stamp(), sequence.id))
        self._finish(sequence, "preempted")
        return sequence.token_ids

    # ---- the cache as a whole

    def pin(self, tokens: TokensLike, ttl_ticks: int, namespace: Namespace | None = None) -> Pin:
        """Keep what the device has of this prefix, in whole blocks, for `ttl_ticks` ticks.

        Raises `PinError` if nothing of it is cached or the pins would exceed `pin_budget_blocks`.
        """
        if get_ident() != self._thread:
            self._check_caller()
        check_namespace(namespace)
        prompt, ttl_ticks = as_tokens(tokens), check_count("ttl_ticks", ttl_ticks, 1)
        whole_blocks = prompt.num_tokens // self.tree.block_size
        found = self.tree.find(prompt, whole_blocks, namespace).on_device()
        if not found.num_blocks:
            raise PinError(
                f"nothing to pin: no block of these {prompt.num_tokens} tokens is cached"
            )
        self.pins.check_budget(found, self.tick)
        pin = self.pins.add(self.tree.cut(found), self.tick + ttl_ticks)
        self.pins.expire(self.tick)
        return pin

    def unpin(self, pin: Pin) -> None:
        """Take a pin off before its time; raise `PinError` if it is off already."""
        if get_ident() != self._thread:
            self._check_caller()
        self.pins.check_active(pin, self.tick)
        self.pins.remove(pin)

    def peek(self, tokens: TokensLike, namespace: Namespace | None = None) -> BlockIds:
        """Return the cached blocks of a prompt, int32 `[n]`, and change nothing.

        Those on the device: blocks that the host has are not among them, though a request hits
        them.
        """
        check_namespace(namespace)
        return self.tree.peek(tokens, namespace)

    def evict(self, num_blocks: int) -> int:
        """Give up that many cached blocks, or all there are; return how many.

        What goes to the host is in `transfers`, and its blocks are free once that is complete.
        """
        if get_ident() != self._thread:
            self._check_caller()
        num_blocks = check_count("num_blocks", num_blocks, 0)
        self.pins.expire(self.tick)
        gone = self.supply.give_up(num_blocks, self.tick)
        for block_ids in gone:
            self.allocator.free(block_ids)
        return sum(map(len, gone))

    def reset(self) -> None:
        """Forget the whole cache.

        Raises `CacheError`, and says what is in the way, while sequences run or transfers are
        pending.
        """
        if get_ident() != self._thread:
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
        if emit := self.tree.emit:
            emit(AllBlocksCleared(*self.stamp()))

    def stats(self) -> CacheStats:
        """Count blocks by block tables, and what happened so far."""
        tables = (sequence.block_table for sequence in self.sequences.values())
        in_transfer = [block for transfer in self.transfers for block in transfer.device_blocks]
        blocks = count_blocks(tables, in_transfer, self.tree, self.allocator)
        blocks["num_evictable_blocks"] += self.pins.num_expired_blocks(self.tick)
        return CacheStats(
            **blocks,
            num_requests=self.num_requests,
            prompt_tokens=self.prompt_tokens,
            hit_tokens=self.hit_tokens,
            partial_hit_tokens=self.partial_hit_tokens,
            evicted_blocks=self.supply.evicted_blocks,
            copied_blocks=self.copies.num_copied,
            resumed_prompt_tokens=self.resumed_prompt_tokens,
            resumed_hit_tokens=self.resumed_hit_tokens,
            quarantined_blocks=self.quarantined_blocks,
            host_hit_tokens=self.host_hit_tokens,
            **(self.host.stats() if self.host else {}),
        )

    # ---- inside

    def _start(self, prompt: Tokens, namespace: Namespace | None, found: Found) -> Sequence:
        """Make the sequence of a prompt, and say of what was not found why."""
        sequence = Sequence(self._next_id, prompt, namespace)
        self._next_id += 1
        sequence.hit_tokens = found.num_blocks * self.tree.block_size
        why = miss_reason(self.tree, prompt, found, namespace, self.memory)
        sequence.miss_reason, sequence.evicted_tick = why
        if emit := self.tree.emit:
            ids = tuple(prompt.token_ids.tolist())
            emit(SequenceStarted(*self.stamp(), sequence.id, namespace, ids))
        return sequence

    def _load_back(self, sequence: Sequence, nodes: list[Node]) -> None:
        """Bring nodes of the host into the blocks that stand for them in a new sequence's table."""
        assert self.host is not None
        end = nodes[-1]
        block_ids = sequence.block_table[sequence.node.end : end.end].copy()
        self.host.load_back(nodes, block_ids, self.tick)
        sequence.host_hit_tokens = len(block_ids) * self.tree.block_size
        self.tree.move(sequence.receipt, end, sequence.id)

    def _admit(self, sequence: Sequence) -> None:
        """Count a request in: its path is stamped, and counts a hit on each node."""
        self.sequences[sequence.id] = sequence
        sequence.tokens.taken = True
        self.tick += 1
        node, num = sequence.receipt.node, sequence.tokens.num_tokens
        self.tree.touch(node, self.tick, hit=True)
        self.num_requests += 1
        self.prompt_tokens += num
        self.hit_tokens += sequence.hit_tokens
        self.host_hit_tokens += sequence.host_hit_tokens
        self.partial_hit_tokens += sequence.hit_tokens % self.tree.block_size
        if sequence.resumed:
            self.resumed_prompt_tokens += num
            self.resumed_hit_tokens += sequence.hit_tokens
        if emit := self.tree.emit:
            node_id = node.id if node.parent else None
            hit, why = sequence.hit_tokens, (sequence.miss_reason, sequence.evicted_tick)
            when = self.tick, sequence.host_hit_tokens
            matched = PrefixMatched(*self.stamp(), sequence.id, node_id, hit, num, *why, *when)
            emit(replace(matched, resumed=True) if sequence.resumed else matched)

    def _lock_partial_hit(self, sequence: Sequence, num_new: int) -> Receipt | None:
        """Lock a block whose first tokens continue the match, if that is wanted and affordable."""
        least = self.config.partial_reuse_tokens
        hit = partial_hit(sequence.node, sequence.tokens, self.tree.block_size)
        if hit is None or hit.num_tokens < least:
            return None
        spare = self.allocator.num_free + self.tree.num_evictable_blocks - num_new
        if not hit.node.locked and spare < hit.node.num_blocks:
            return None
        sequence.hit_tokens += hit.num_tokens
        return self.tree.lock(hit.node)

    def _take_or_give_up(
        self, num_blocks: int, sequence: Sequence, partial: Receipt | None, loading: list[Node]
    ) -> list[BlockIds]:
        """Take the blocks of a new sequence; if the policy fails, nothing of it remains."""
        try:
            return self.supply.take(num_blocks, self.tick)
        except PolicyError:
            self.tree.unlock(sequence.receipt, sequence.id)
            if partial:
                self.tree.unlock(partial)
            if self.host:
                self.host.let_go(loading)
            if emit := self.tree.emit:
                emit(RequestFinished(*self.stamp(), sequence.id, "aborted", self.tick))
            raise

    def _require(self, num_blocks: int) -> None:
        """Raise `OutOfBlocksError` unless a running sequence can have these blocks."""
        if self.pins:
            self._let_pins_go(num_blocks, None, all_may_go=len(self.sequences) == 1)
        self.supply.require(num_blocks)

    def _let_pins_go(self, num_blocks: int, found: Found | None, all_may_go: bool) -> None:
        """Take off pins that have expired, and if all may go, those in the way of these blocks.

        Raises `OutOfBlocksError`, and leaves every pin where it is, if that would not be enough.
        """
        enough = partial(self.supply.has, num_blocks, found)
        with self.pins.making_way(self.tick, enough, all_may_go):
            self.supply.require(num_blocks, found)

    def _finish(self, sequence: Sequence, reason: FinishReason) -> None:
        self._check_running(sequence)
        node = sequence.receipt.node
        if sequence.receipt.released:
            raise SequenceError(f"sequence {sequence.id}: its lock was released from outside")
        del self.sequences[sequence.id]
        self.tick += 1
        self.tree.touch(node, self.tick)
        if sequence.priority:
            for above in node.path():
                above.priority = max(above.priority, sequence.priority)
        if emit := self.tree.emit:
            emit(RequestFinished(*self.stamp(), sequence.id, reason, self.tick))
        private = sequence.block_table[node.end :]
        self.tree.unlock(sequence.receipt, sequence.id)
        if len(private):
            freed = self.allocator.free(private)
            if emit := self.tree.emit:
                emit(BlocksFreed(*self.stamp(), sequence.id, to_runs(freed)))

    def _check_caller(self) -> None:
        """Let the first thread that calls own the manager; refuse others, and a listener."""
        if self._thread == NOBODY:
            raise ListenerError("a listener called the manager while it was telling of an event")
        if self._thread is None:
            self._thread = get_ident()
        if get_ident() != self._thread:
            raise ThreadError(
                f"thread {threading.current_thread().name!r} called a manager that another owns: "
                "pass it requests through a queue"
            )

    def _check_running(self, sequence: Sequence) -> None:
        if get_ident() != self._thread:
            self._check_caller()
        if type(sequence) is Sequence and self.sequences.get(sequence.id) is sequence:
            return
        if not isinstance(sequence, Sequence):
            raise SequenceError(
                f"{shown(sequence)} is not a sequence: pass what allocate or fork returned"
            )
        why = "was released before" if sequence.receipt.released else "is another manager's"
        raise SequenceError(
            f"sequence {sequence.id} {why}; {len(self.sequences)} sequences run here"
        )
