"""The naive twin: the same methods without any sharing.

It is the control of every benchmark, and the eager copier of lesson 04. A cache saves what this
twin spends: every prompt takes blocks for all its tokens, and a fork copies all its blocks.
"""

from collections.abc import Sequence as Many

import numpy as np

from radixlab.cache.allocator import BlockAllocator
from radixlab.cache.checks import check_count, check_namespace, check_prompt, check_transfers
from radixlab.cache.errors import CacheError, SequenceError
from radixlab.cache.results import BlockIds, Transfer
from radixlab.cache.stats import CacheStats
from radixlab.cache.tokens import TokenArray, Tokens, TokensLike, as_int32, as_tokens
from radixlab.config import CacheConfig, ConfigError, shown
from radixlab.escape import count
from radixlab.events import Namespace


class NaiveSequence:
    """A sequence with private blocks only; `copies` are the transfers that its fork ordered."""

    def __init__(
        self, id: int, tokens: Tokens, block_table: BlockIds, copies: list[Transfer]
    ) -> None:
        self.id = id
        self.tokens = tokens
        self.block_table = block_table
        self.copies = copies
        self.hit_tokens = 0

    @property
    def num_tokens(self) -> int:
        """Prompt and appended tokens."""
        return self.tokens.num_tokens


class NaiveManager:
    """The methods of `KVCacheManager`, with nothing but an allocator.

    >>> manager = NaiveManager(CacheConfig(num_blocks=8, block_size=2))
    >>> [manager.allocate([1, 2, 3]).block_table.tolist() for _ in range(2)]
    [[0, 1], [2, 3]]
    """

    def __init__(self, config: CacheConfig) -> None:
        if not isinstance(config, CacheConfig):
            raise ConfigError(f"config must be a CacheConfig, not {shown(config)}")
        self.config = config
        self.allocator = BlockAllocator(config.num_blocks)
        self.sequences: dict[int, NaiveSequence] = {}
        self.num_requests = self.prompt_tokens = self.copied_blocks = self._next_id = 0

    def allocate(
        self, tokens: TokensLike, namespace: Namespace | None = None, reserve_tokens: int = 0
    ) -> NaiveSequence:
        """Take blocks for the whole prompt, or none."""
        check_namespace(namespace)
        reserve_tokens = check_count("reserve_tokens", reserve_tokens, 0)
        prompt = check_prompt(tokens, reserve_tokens, self.config)
        num_blocks = -(-(prompt.num_tokens + reserve_tokens) // self.config.block_size)
        sequence = self._start(prompt, self.allocator.allocate(num_blocks), [])
        prompt.taken = True
        self.num_requests += 1
        self.prompt_tokens += prompt.num_tokens
        return sequence

    def append(self, sequence: NaiveSequence, tokens: TokensLike) -> list[Transfer]:
        """Append tokens; nothing is shared, so nothing is copied."""
        self._check_running(sequence)
        token_ids = as_int32(tokens)
        num_blocks = -(-(sequence.num_tokens + len(token_ids)) // self.config.block_size)
        num_new = max(0, num_blocks - len(sequence.block_table))
        sequence.block_table = np.concatenate(
            (sequence.block_table, self.allocator.allocate(num_new))
        )
        sequence.tokens.grow(token_ids)
        return []

    def prepare_write(self, sequence: NaiveSequence, start: int, end: int) -> list[Transfer]:
        """Do nothing: every block belongs to this sequence alone."""
        self._check_running(sequence)
        start, end = check_count("start", start), check_count("end", end)
        if not 0 <= start <= end <= sequence.num_tokens:
            raise SequenceError(
                f"cannot write [{start}, {end}) of sequence {sequence.id}: "
                f"it has {count(sequence.num_tokens, 'token')}"
            )
        return []

    def fork(self, sequence: NaiveSequence, num_tokens: int | None = None) -> NaiveSequence:
        """Copy every block under the first `num_tokens` tokens, now.

        The transfers to run are in the new sequence's `copies`.
        """
        self._check_running(sequence)
        if num_tokens is None:
            num_tokens = sequence.num_tokens
        num_tokens = check_count("num_tokens", num_tokens)
        if not 0 < num_tokens <= sequence.num_tokens:
            raise SequenceError(
                f"cannot fork sequence {sequence.id} at token {num_tokens} of {sequence.num_tokens}"
            )
        source = sequence.block_table[: -(-num_tokens // self.config.block_size)].tolist()
        table = self.allocator.allocate(len(source))
        self.copied_blocks += len(source)
        copies = [
            Transfer(src, dst, "copy") for src, dst in zip(source, table.tolist(), strict=True)
        ]
        return self._start(sequence.tokens.prefix(num_tokens), table, copies)

    def commit(
        self, sequence: NaiveSequence, num_written: int, max_tokens: int | None = None
    ) -> None:
        """Register nothing, because there is no cache."""
        self._check_running(sequence)
        if not 0 <= check_count("num_written", num_written) <= sequence.num_tokens:
            raise SequenceError(
                f"{count(num_written, 'token')} written of sequence {sequence.id}? "
                f"It has {sequence.num_tokens}"
            )
        if max_tokens is not None:
            check_count("max_tokens", max_tokens, 0)

    def complete(self, transfers: Many[Transfer]) -> None:
        """Do nothing: no block is held for a copy."""
        check_transfers(transfers)

    def release(self, sequence: NaiveSequence) -> None:
        """Free every block."""
        self._check_running(sequence)
        del self.sequences[sequence.id]
        self.allocator.free(sequence.block_table)

    abort = release

    def preempt(self, sequence: NaiveSequence) -> TokenArray:
        """Free every block; return the tokens, int32 `[num_tokens]`, to `allocate` again later."""
        self.release(sequence)
        return sequence.tokens.token_ids

    def peek(self, tokens: TokensLike, namespace: Namespace | None = None) -> BlockIds:
        """Return no blocks."""
        check_namespace(namespace)
        as_tokens(tokens)
        return self.allocator.allocate(0)

    def evict(self, num_blocks: int) -> int:
        """Evict nothing, because nothing is cached."""
        check_count("num_blocks", num_blocks, 0)
        return 0

    def reset(self) -> None:
        """Do nothing; raise `CacheError` while sequences run, like the engine's manager."""
        if self.sequences:
            raise CacheError(
                f"cannot reset: {count(len(self.sequences), 'sequence runs', 'sequences run')}"
            )

    def stats(self) -> CacheStats:
        """Return the counts: every used block is unique, and nothing is cached."""
        free = self.allocator.num_free
        return CacheStats(
            num_blocks=self.config.num_blocks,
            num_free_blocks=free,
            num_cached_blocks=0,
            num_unique_blocks=self.config.num_blocks - free,
            num_shared_blocks=0,
            num_in_transfer_blocks=0,
            num_evictable_blocks=0,
            num_nodes=0,
            num_requests=self.num_requests,
            prompt_tokens=self.prompt_tokens,
            hit_tokens=0,
            partial_hit_tokens=0,
            evicted_blocks=0,
            copied_blocks=self.copied_blocks,
        )

    def _start(self, tokens: Tokens, table: BlockIds, copies: list[Transfer]) -> NaiveSequence:
        sequence = NaiveSequence(self._next_id, tokens, table, copies)
        self.sequences[sequence.id] = sequence
        self._next_id += 1
        return sequence

    def _check_running(self, sequence: NaiveSequence) -> None:
        if type(sequence) is not NaiveSequence or self.sequences.get(sequence.id) is not sequence:
            running = count(len(self.sequences), "runs", "run")
            raise SequenceError(f"{shown(sequence)} is not running here ({running})")
