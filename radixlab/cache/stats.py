"""The cache in numbers."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from operator import attrgetter

import numpy as np

from radixlab.cache.allocator import BlockAllocator
from radixlab.cache.results import BlockIds
from radixlab.cache.tree import RadixTree


@dataclass(slots=True)
class Counts:
    """What happened so far; each part of the cache adds to it."""

    tick: int = 0
    """Time: +1 for every successful `allocate` and `release` (E3)."""
    num_requests: int = 0
    prompt_tokens: int = 0
    hit_tokens: int = 0
    partial_hit_tokens: int = 0
    host_hit_tokens: int = 0
    resumed_prompt_tokens: int = 0
    resumed_hit_tokens: int = 0
    evicted_blocks: int = 0
    copied_blocks: int = 0
    written_back_blocks: int = 0
    loaded_back_blocks: int = 0
    dropped_blocks: int = 0
    quarantined_blocks: int = 0


@dataclass(frozen=True, slots=True)
class CacheStats:
    """Counts of a manager.

    Blocks are counted by block tables: a shared block is in the tables of at least two running
    sequences.
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
    """Held only by a pending transfer."""
    num_evictable_blocks: int
    num_nodes: int
    num_requests: int
    prompt_tokens: int
    hit_tokens: int
    partial_hit_tokens: int
    """Those of them that were reused by copying part of a block."""
    evicted_blocks: int
    """Evicted from the device, whether written back or dropped."""
    copied_blocks: int
    num_host_blocks: int = 0
    num_free_host_blocks: int = 0
    host_hit_tokens: int = 0
    """Hit tokens that were on the host."""
    written_back_blocks: int = 0
    loaded_back_blocks: int = 0
    dropped_blocks: int = 0
    """Dropped from a cache with a host tier: the host was full, or the KV was corrupt."""
    resumed_prompt_tokens: int = 0
    """Those of `prompt_tokens` that belong to resumed requests, answers included."""
    resumed_hit_tokens: int = 0
    """Those of `hit_tokens` that resumed requests found, mostly their own."""
    quarantined_blocks: int = 0
    """Cached blocks that were removed because of non-finite KV."""

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
        """The share of prompt tokens that were found in the cache; 0 before the first request (S6).

        Re-finding its own blocks after a preemption does not count as a hit.
        """
        num_tokens = self.prompt_tokens - self.resumed_prompt_tokens
        return (self.hit_tokens - self.resumed_hit_tokens) / num_tokens if num_tokens else 0.0


def cache_stats(
    counts: Counts,
    tables: Iterable[BlockIds],
    in_transfer: list[int],
    tree: RadixTree,
    allocator: BlockAllocator,
    host: BlockAllocator | None,
) -> CacheStats:
    """Count the pool's blocks by the block tables of the running sequences, in O(blocks) (H7, T6).

    `in_transfer` are the device ends of every pending transfer. A block that is in none of the
    counts has leaked.
    """
    num_tables = np.zeros(allocator.num_blocks, np.int32)  # [num_blocks]: that have the block
    for table in tables:
        num_tables[table] += 1
    in_tree = np.zeros(allocator.num_blocks, np.bool_)
    for node in filter(attrgetter("resident"), tree.nodes()):
        in_tree[node.block_ids] = True
    held_by_transfers = {i for i in in_transfer if not num_tables[i] and not in_tree[i]}
    so_far = {name: value for name, value in asdict(counts).items() if name != "tick"}
    return CacheStats(
        num_blocks=allocator.num_blocks,
        num_free_blocks=allocator.num_free,
        num_cached_blocks=int((in_tree & (num_tables == 0)).sum()),
        num_unique_blocks=int((num_tables == 1).sum()),
        num_shared_blocks=int((num_tables > 1).sum()),
        num_in_transfer_blocks=len(held_by_transfers),
        num_evictable_blocks=tree.num_evictable_blocks,
        num_nodes=tree.num_nodes,
        num_host_blocks=host.num_blocks if host else 0,
        num_free_host_blocks=host.num_free if host else 0,
        **so_far,
    )
