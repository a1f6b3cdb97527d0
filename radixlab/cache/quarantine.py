"""Quarantine: cached blocks with non-finite KV are removed from the cache.

A NaN in a cached block spoils the logits of every request that reads it. The owner of the KV finds
such blocks (`Runner.broken_blocks`). This file removes them with everything cached below them on
either tier, so that the next request with their prefix recomputes it.
"""

import numpy as np

from radixlab.cache.errors import LockError
from radixlab.cache.host.tier import BELOW_CORRUPT
from radixlab.cache.manager import KVCacheManager
from radixlab.cache.node import Node
from radixlab.cache.runs import to_runs
from radixlab.cache.views import walk_nodes
from radixlab.events import BlocksQuarantined

CORRUPT = "corrupt KV"
"""The reason that `BlockRemoved` gives."""


def quarantine(manager: KVCacheManager, block_ids: list[int]) -> int:
    """Remove these device blocks, and everything below them; return how many were cached.

    A block that the tree does not own is not cached, and is ignored. Pins on removed nodes are
    removed. Raises `LockError`, and removes nothing, while a sequence or a pending transfer holds
    one of the blocks.
    """
    found = _corrupt_nodes(manager, set(block_ids))
    corrupt = [block for blocks in found.values() for block in blocks]
    if not corrupt:
        return 0
    tops = [node for node in found if found.keys().isdisjoint(node.path()[1:])]
    for node in tops:
        _check_nobody_holds(manager, node)
    manager.counts.quarantined_blocks += len(corrupt)
    if emit := manager.log.emit:
        runs = to_runs(np.array(sorted(corrupt), np.int32))
        emit(BlocksQuarantined(*manager.log.stamp(), site="quarantine.told", block_runs=runs))
    for node in tops:
        manager.pins.drop_below(node)
        keep = node.block_ids.tolist().index(found[node][0])
        _remove_below(manager, node)
        _remove(manager, node, node.num_blocks - keep)
    return len(corrupt)


def _corrupt_nodes(manager: KVCacheManager, block_ids: set[int]) -> dict[Node, list[int]]:
    """Map each device node to those of these blocks that it owns, in order."""
    owned = {
        node: [block for block in node.block_ids.tolist() if block in block_ids]
        for node in manager.tree.nodes()
        if node.resident
    }
    return {node: blocks for node, blocks in owned.items() if blocks}


def _check_nobody_holds(manager: KVCacheManager, top: Node) -> None:
    """Raise if anything except a pin holds `top` or a node below it."""
    for sequence in manager.sequences.values():
        if top in sequence.node.path():
            raise LockError(f"cannot quarantine node {top.id}: sequence {sequence.id} runs over it")
    if any(top in node.path() for node in manager.transit.locked_nodes()):
        raise LockError(f"cannot quarantine node {top.id}: a pending transfer holds it")


def _remove_below(manager: KVCacheManager, top: Node) -> None:
    """Remove everything cached below a node, children before parents."""
    for node in reversed(list(walk_nodes([top]))):
        if node.resident:
            _remove(manager, node, node.num_blocks)
        else:
            assert manager.host is not None
            gone = manager.host.drop(node, node.num_blocks, BELOW_CORRUPT)
            manager.host.allocator.free(gone)


def _remove(manager: KVCacheManager, leaf: Node, num_blocks: int) -> None:
    """Remove the last blocks of an unlocked device leaf without a write-back."""
    if manager.parts.memory:
        manager.parts.memory.remember(leaf, num_blocks)
    if manager.host:
        manager.counts.dropped_blocks += num_blocks
    manager.counts.evicted_blocks += num_blocks
    manager.allocator.free(manager.tree.trim(leaf, num_blocks, CORRUPT))
