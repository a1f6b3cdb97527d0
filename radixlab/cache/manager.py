"""The public methods of the cache, which an engine calls for every request.

    allocate ─► append ─► (forward) ─► commit ─► release
                  ▲                      │
                  └──────────────────────┘

`fork` starts a second sequence from a running one; `abort` and `preempt` end one early.

This file is the door: it says what may be called, by whom and with what, and checks every argument
once. The steps behind each call are a file of their own: `admission.py`, `growth.py`, `fork.py`,
`commit.py`, `ending.py`, `pins.py`. `parts.py` puts them together. A call that raises has changed
nothing. Listeners must not raise; `observe.attach` guards them.

The cache does not know KV bytes: calls that need copies of blocks return `Transfer`s. The owner of
the KV runs them, and then calls `complete`.
"""

from collections.abc import Iterable
from threading import get_ident
from typing import Any

from radixlab.cache.checks import (
    PLENTY,
    check_count,
    check_namespace,
    check_prompt,
    check_transfers,
)
from radixlab.cache.errors import CountError, SequenceError
from radixlab.cache.found import Found, still_good
from radixlab.cache.parts import Parts
from radixlab.cache.pins import Pin
from radixlab.cache.protocols import EvictionPolicy
from radixlab.cache.results import BlockIds, Transfer
from radixlab.cache.sequence import Sequence
from radixlab.cache.stats import CacheStats
from radixlab.cache.tokens import TokenArray, TokensLike, as_int32, as_tokens
from radixlab.config import CacheConfig, ConfigError, Count, shown
from radixlab.escape import count
from radixlab.events import Emit, Namespace


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
        parts = Parts(config, policy)
        self.config = config
        self.log = parts.log
        self.counts = parts.counts
        self.sequences = parts.sequences
        self.tree = parts.tree
        self.allocator = parts.allocator
        self.supply = parts.supply
        self.host = parts.host
        self.pins = parts.pins
        self.transit = parts.transit
        self.admission = parts.admission
        self.commits = parts.commits
        self.parts, self._owner = parts, parts.owner
        self.emit = emit

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
        return self._owner.listener

    @emit.setter
    def emit(self, listener: Emit | None) -> None:
        self._owner.listen(listener)

    @property
    def transfers(self) -> list[Transfer]:
        """The pending transfers, in execution order."""
        return list(self.transit.since(0))

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
        if get_ident() != self._owner.thread:
            self._owner.check()
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
        if get_ident() != self._owner.thread:
            self._owner.check()
        if type(sequence) is not Sequence or sequence.running is not self.sequences:
            raise self._owner.not_running(sequence)
        token_ids = as_int32(tokens)
        return self.parts.growth.append(sequence, token_ids) if len(token_ids) else []

    def prepare_write(self, sequence: Sequence | Any, start: Count, end: Count) -> list[Transfer]:
        """Make positions [start, end) writable for this sequence (C5).

        Every write must go through this method, which returns the transfers to run first. From the
        block of `start` on, blocks of the tree and blocks in another table are copied. Blocks that
        only this sequence has are not copied.
        """
        self._owner.check_running(sequence)
        start, end = check_count("start", start), check_count("end", end)
        if not 0 <= start <= end <= sequence.num_tokens:
            raise SequenceError(
                f"cannot write [{start}, {end}) of sequence {sequence.id}: "
                f"it has {count(sequence.num_tokens, 'token')}"
            )
        return self.parts.growth.make_writable(sequence, start, end)

    def complete(self, transfers: Iterable[Transfer] | Any) -> None:
        """Report that the bytes of these transfers have arrived; until then both ends are held."""
        self._owner.check()
        transfers = check_transfers(transfers)
        self.transit.complete(transfers)

    def fork(self, sequence: Sequence | Any, num_tokens: Count | None = None) -> Sequence:
        """Start a second sequence from the first `num_tokens` tokens (by default all) (C1).

        It shares all their blocks and copies none; the first write to a shared block copies it.
        """
        self._owner.check_running(sequence)
        if num_tokens is None:
            num_tokens = sequence.num_tokens
        num_tokens = check_count("num_tokens", num_tokens)
        if not 0 < num_tokens <= sequence.num_tokens:
            raise SequenceError(
                f"cannot fork sequence {sequence.id} at token {num_tokens} of {sequence.num_tokens}"
            )
        return self.parts.forks.start(sequence, num_tokens)

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
        if get_ident() != self._owner.thread:
            self._owner.check()
        if type(sequence) is not Sequence or sequence.running is not self.sequences:
            raise self._owner.not_running(sequence)
        if type(num_written) is not int:
            num_written = check_count("num_written", num_written)
        if not 0 <= num_written <= sequence.tokens.num_tokens:
            check_count("num_written", num_written)  # too long a number is not printed
            raise SequenceError(
                f"{count(num_written, 'token')} written of sequence {sequence.id}? "
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
        self.parts.endings.finish(sequence, "released")

    def abort(self, sequence: Sequence | Any) -> None:
        """Abort a request in any state; the same as `release`."""
        self.parts.endings.finish(sequence, "aborted")

    def preempt(self, sequence: Sequence | Any) -> TokenArray:
        """Stop a request to make room.

        Returns its tokens, int32 `[num_tokens]`, for a later `allocate`.
        """
        self.parts.endings.finish(sequence, "preempted")
        return sequence.token_ids

    # ---- the cache as a whole

    def pin(self, tokens: TokensLike, ttl_ticks: Count, namespace: Namespace | Any = None) -> Pin:
        """Keep the cached part of this prefix on the device for `ttl_ticks` ticks, in whole blocks.

        Raises `PinError` if nothing of it is cached, or if the pins would exceed
        `pin_budget_blocks`.
        """
        self._owner.check()
        check_namespace(namespace)
        return self.pins.pin(as_tokens(tokens), check_count("ttl_ticks", ttl_ticks, 1), namespace)

    def unpin(self, pin: Pin | Any) -> None:
        """Remove a pin before it expires; raise `PinError` if it is gone already."""
        self._owner.check()
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
        self._owner.check()
        return self.parts.evict(check_count("num_blocks", num_blocks, 0))

    def reset(self) -> None:
        """Clear the whole cache (L11).

        Raises `CacheError`, which names the obstacle, while sequences run or transfers are pending.
        """
        self._owner.check()
        self.parts.clear()

    def stats(self) -> CacheStats:
        """Return the counts of blocks, by block tables, and of all calls so far (E8, T6)."""
        return self.parts.stats()
