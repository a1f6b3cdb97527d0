"""The cache in numbers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from radixlab.cache.manager import KVCacheManager


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What a manager counts.

    Blocks are counted by block tables: shared is in at least two running sequences.
    """

    num_blocks: int
    num_free_blocks: int
    num_cached_blocks: int
    """In the tree and in no running sequence's table."""
    num_unique_blocks: int
    """In exactly one running sequence's table."""
    num_shared_blocks: int
    """In two or more."""
    num_in_transfer_blocks: int
    """Held by nothing but a copy that is not complete."""
    num_evictable_blocks: int
    num_nodes: int
    num_requests: int
    prompt_tokens: int
    hit_tokens: int
    evicted_blocks: int
    copied_blocks: int

    @property
    def num_used_blocks(self) -> int:
        """Blocks in the table of at least one running sequence."""
        return self.num_unique_blocks + self.num_shared_blocks

    @property
    def sharing_ratio(self) -> float:
        """Shared blocks among those in use; 0 when none is."""
        return self.num_shared_blocks / self.num_used_blocks if self.num_used_blocks else 0.0

    @property
    def token_hit_rate(self) -> float:
        """Prompt tokens found in the cache, of all prompt tokens; 0 before the first request."""
        return self.hit_tokens / self.prompt_tokens if self.prompt_tokens else 0.0


def count_blocks(manager: "KVCacheManager") -> CacheStats:
    """Count a manager's blocks by its block tables, in O(blocks)."""
    num_blocks = manager.config.num_blocks
    holders = np.zeros(
        num_blocks, np.int32
    )  # [num_blocks]: running sequences whose table has the block
    for sequence in manager.sequences.values():
        holders[sequence.block_table] += 1
    unique, shared = int((holders == 1).sum()), int((holders > 1).sum())
    in_tree = np.zeros(num_blocks, np.bool_)
    for node in manager.tree.nodes():
        in_tree[node.block_ids] = True
    cached = int((in_tree & (holders == 0)).sum())
    return CacheStats(
        num_blocks=num_blocks,
        num_free_blocks=manager.allocator.num_free,
        num_cached_blocks=cached,
        num_unique_blocks=unique,
        num_shared_blocks=shared,
        num_in_transfer_blocks=num_blocks - manager.allocator.num_free - cached - unique - shared,
        num_evictable_blocks=manager.tree.num_evictable_blocks,
        num_nodes=manager.tree.num_nodes,
        num_requests=manager.num_requests,
        prompt_tokens=manager.prompt_tokens,
        hit_tokens=manager.hit_tokens,
        evicted_blocks=manager.supply.evicted_blocks,
        copied_blocks=manager.copied_blocks,
    )
