"""Growth: how a running sequence gets more tokens, and blocks that it may write.

    which blocks are new, which are shared ─► require all of them ─► take them ─► note the tokens
    ─► order the copies

All or nothing: whoever is refused has neither grown nor copied. A block that others have too is
replaced by a copy before it is written (`cow.py`). In blocks that are the sequence's own, and were
reserved when it was admitted, only the tokens are noted.
"""

from collections.abc import Callable

from radixlab.cache.allocator import BlockAllocator
from radixlab.cache.cow import CopyOnWrite
from radixlab.cache.found import Found
from radixlab.cache.host.transfers import PendingTransfers
from radixlab.cache.results import Transfer
from radixlab.cache.runs import joined, to_runs
from radixlab.cache.sequence import Sequence
from radixlab.cache.supply import BlockSupply
from radixlab.cache.tokens import TokenArray, extend
from radixlab.cache.tree import RadixTree
from radixlab.events import BlocksAllocated, TokensAppended

Require = Callable[[int, Found | None], None]
"""Raises `OutOfBlocksError` unless so many blocks are available."""


class Growth:
    """Gives running sequences tokens, and blocks to write them to."""

    def __init__(
        self,
        tree: RadixTree,
        allocator: BlockAllocator,
        supply: BlockSupply,
        copies: CopyOnWrite,
        transfers: PendingTransfers,
        require: Require,
    ) -> None:
        self._tree = tree
        self._allocator = allocator
        self._supply = supply
        self._copies = copies
        self._transfers = transfers
        self._require = require

    def append(self, sequence: Sequence, token_ids: TokenArray) -> list[Transfer]:
        """Append ids, int32 `[n]`, n > 0; `KVCacheManager.append` says the rest (C5)."""
        tree, tokens = self._tree, sequence.tokens
        start = tokens.num_tokens
        end = start + len(token_ids)
        num_new = -(-end // tree.block_size) - len(sequence.block_table)
        shared: list[int] = []
        if self._allocator.more_holders or start < sequence.receipt.node.end * tree.block_size:
            shared = self._copies.needed(sequence, start, end)
        block_ids = None
        if num_new > 0 or shared:
            num_new = max(0, num_new)
            self._require(num_new + len(shared), None)
            num_pending = len(self._transfers.pending)
            block_ids = self._supply.take(num_new + len(shared))
        extend(tokens, token_ids)
        if emit := tree.log.emit:
            emit(
                TokensAppended(
                    *tree.log.stamp(),
                    site="growth.append",
                    sequence_id=sequence.id,
                    start=start,
                    token_ids=tuple(token_ids.tolist()),
                )
            )
        if block_ids is None:  # they were reserved
            return []
        if num_new:
            new = block_ids[:num_new]
            sequence.block_table = joined((sequence.block_table, new))
            if emit := tree.log.emit:
                emit(
                    BlocksAllocated(
                        *tree.log.stamp(),
                        site="growth.append_blocks",
                        sequence_id=sequence.id,
                        block_runs=to_runs(new),
                    )
                )
        if shared:
            self._copies.replace(sequence, shared, block_ids[num_new:].tolist())
        return list(self._transfers.since(num_pending))

    def make_writable(self, sequence: Sequence, start: int, end: int) -> list[Transfer]:
        """Copy what others have of positions [start, end), and all that follows (C5)."""
        shared = self._copies.needed(sequence, start, end)
        if not shared:
            return []
        num_pending = len(self._transfers.pending)
        self._require(len(shared), None)
        destinations = self._supply.take(len(shared))
        self._copies.replace(sequence, shared, destinations.tolist())
        return list(self._transfers.since(num_pending))
