"""Path locks: what a receipt protects, counted so that both directions stop early.

A lock on a node protects all its ancestors too, for a prefix is useless without its beginning.
Instead of counting on every ancestor, a node counts its own receipts and its *locked children*: a
new lock walks up only to the first ancestor that was locked already.
"""

from radixlab.cache.node import Node
from radixlab.cache.protocols import EvictionPolicy


def protect(node: Node, policy: EvictionPolicy) -> int:
    """Tell the ancestors that `node` is locked now; return the blocks that left the evictable."""
    # An unlocked leaf until now; roots are never one.
    if node.num_blocks and not node.num_resident_children:
        policy.on_protected(node)
    num_blocks = 0
    while node.parent is not None:
        num_blocks += node.num_blocks
        node = node.parent
        node.num_locked_children += 1
        if node.num_receipts or node.num_locked_children > 1:
            break
    return num_blocks


def unprotect(node: Node, policy: EvictionPolicy) -> int:
    """Tell the ancestors that `node` is unlocked now; return the blocks that became evictable."""
    leaf, num_blocks = node, 0
    while node.parent is not None and not (node.num_receipts or node.num_locked_children):
        num_blocks += node.num_blocks
        node = node.parent
        node.num_locked_children -= 1
    if leaf.evictable:
        policy.on_evictable(leaf)
    return num_blocks
