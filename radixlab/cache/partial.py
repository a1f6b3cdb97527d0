"""Reuse inside a block, for a prompt that leaves the tree in the middle of a block.

The tree shares whole blocks. But the first k tokens of the next block may agree with a cached
block, and then so does their KV: if that block is copied, k tokens fewer must be computed. The copy
moves a whole block of bytes, so it pays only for a large k; `CacheConfig.partial_reuse_tokens` is
the least k for which it is done. (vLLM does this; SGLang and nano-vllm recompute the block.)
"""

from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from radixlab.cache.allocator import BlockAllocator
from radixlab.cache.cow import CopyOnWrite
from radixlab.cache.found import Found
from radixlab.cache.node import Node, Receipt
from radixlab.cache.sequence import Sequence
from radixlab.cache.tokens import Tokens
from radixlab.cache.tree import RadixTree


@dataclass(frozen=True, slots=True)
class PartialHit:
    """A node whose first block continues the match for `num_tokens` tokens."""

    node: Node
    num_tokens: int


class PartialReuse:
    """The steps that an admission takes more where parts of blocks are reused."""

    def __init__(
        self, tree: RadixTree, allocator: BlockAllocator, copies: CopyOnWrite, least_tokens: int
    ) -> None:
        self._tree = tree
        self._allocator = allocator
        self._copies = copies
        self._least_tokens = least_tokens
        self._receipt: Receipt | None = None
        """What `hold` locks for the request that is being admitted."""

    def hold(self, sequence: Sequence, match: Found, here: Found, num_new: int) -> bool:
        """Lock a block whose first tokens continue the match, if enabled and affordable."""
        hit = partial_hit(sequence.node, sequence.tokens, self._tree.block_size)
        if hit is None or hit.num_tokens < self._least_tokens:
            return False
        spare = self._allocator.num_free + self._tree.num_evictable_blocks - num_new
        if not hit.node.locked and spare < hit.node.num_blocks:
            return False
        sequence.hit_tokens += hit.num_tokens
        self._receipt = self._tree.locks.lock(hit.node)
        return True

    def let_go(self) -> None:
        """Undo `hold`."""
        if self._receipt:
            self._tree.locks.unlock(self._receipt)

    def load(self, sequence: Sequence) -> None:
        """Do nothing: no whole block is to come."""

    def copy(self, sequence: Sequence) -> None:
        """Order the copy into the block that follows the match; the lock is now the copy's."""
        assert self._receipt is not None
        self._copies.reuse(sequence, sequence.node.end, self._receipt)


def partial_hit(node: Node, tokens: Tokens, block_size: int) -> PartialHit | None:
    """Find the child of `node` whose first block agrees with the most tokens after the match (M1).

    At least one token is left to compute. O(children), because children are hashed by whole blocks.
    """
    start = node.end * block_size
    wanted = tokens.token_ids[start : min(start + block_size, tokens.num_tokens - 1)]
    best, longest = None, 0
    for child in filter(attrgetter("resident"), node.children.values()):
        differ = np.flatnonzero(child.tokens[: len(wanted)] != wanted)
        agree = int(differ[0]) if len(differ) else len(wanted)
        if agree > longest:
            best, longest = child, agree
    return PartialHit(best, longest) if best else None
