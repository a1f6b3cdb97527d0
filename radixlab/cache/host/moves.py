"""Changes of the tree when blocks move to the host or back.

Both tiers share one tree; a node's `resident` tells where its blocks are. The policy does not know
host nodes: it is told that a node that leaves the device was removed, and that one that returns is
new. This file knows no bytes and no free lists; `tier.py` does.
"""

import numpy as np

from radixlab.cache.node import Node
from radixlab.cache.results import BlockIds
from radixlab.cache.tree import RadixTree


def to_host(tree: RadixTree, node: Node, host_ids: BlockIds) -> Node:
    """Move the last `len(host_ids)` blocks of an unlocked leaf to these host blocks (H6, H8).

    Returns the node that has them now: the leaf itself if it moves completely, else a node below
    it.
    """
    num_blocks = len(host_ids)
    tree.version += 1
    tree.num_blocks -= num_blocks
    tree.locks.num_evictable_blocks -= num_blocks
    if num_blocks < node.num_blocks:
        return _tail_to_host(tree, node, host_ids)
    node.block_ids, node.resident = host_ids, False
    tree.left_device(node)
    return node


def _tail_to_host(tree: RadixTree, node: Node, host_ids: BlockIds) -> Node:
    """Move a tail below the leaf: into the host node that continues it, or into a new node."""
    if below := _went_before(node):
        node.pass_down(below, len(host_ids), tree.block_bytes)
        below.block_ids = np.concatenate((host_ids, below.block_ids))
        return below
    below = node.split_tail(len(host_ids), tree.new_id(), tree.block_bytes)
    below.block_ids, below.resident = host_ids, False
    tree.num_nodes += 1
    return below


def _went_before(node: Node) -> Node | None:
    """Return the host node that continues this one and has the same tick, hits and priority."""
    if len(node.children) != 1:
        return None
    (below,) = node.children.values()
    alike = (below.tick, below.num_hits, below.priority) == (
        node.tick,
        node.num_hits,
        node.priority,
    )
    return below if alike else None


def to_device(tree: RadixTree, node: Node, block_ids: BlockIds, tick: int) -> None:
    """Move a node whose parent is on the device to these device blocks, unlocked."""
    parent = node.parent
    assert parent is not None and parent.resident and not node.resident
    tree.version += 1
    if parent.evictable:
        tree.locks.protect(parent)  # the parent is no longer a leaf
    parent.num_resident_children += 1
    node.block_ids, node.resident = block_ids, True
    tree.num_blocks += node.num_blocks
    tree.locks.num_evictable_blocks += node.num_blocks
    tree.came_to_device(node, tick)
