"""Path locks: who holds which nodes, and how many blocks nobody holds.

A lock on a node protects all its ancestors too, for a prefix is useless without its beginning
(RadixAttention, arXiv 2312.07104, §3). Instead of counting on every ancestor, a node counts its own
receipts and its *locked children*. So a new lock walks up only to the first ancestor that was
locked already, and so does its release.

What is not held can be evicted: this file keeps that sum, marks the leaves that may go, and tells
the eviction policy when one begins or ceases to be a candidate. It does not know tokens, block ids
or sequences.
"""

from radixlab.cache.errors import LockError
from radixlab.cache.node import Node, Receipt
from radixlab.cache.protocols import Hook
from radixlab.events import Namespace, NodeLocked, NodeUnlocked
from radixlab.log import Log


class Locks:
    """The locks of one tree."""

    def __init__(self, roots: dict[Namespace | None, Node], log: Log) -> None:
        self._roots = roots
        self._log = log
        self.num_evictable_blocks = 0
        """Blocks on the device that no receipt protects."""
        self.on_evictable: Hook | None = None
        """The policy's, to hear that a node has become an unlocked leaf."""
        self.on_protected: Hook | None = None
        """The policy's, to hear that it is none any more."""

    def lock(self, node: Node, sequence_id: int | None = None) -> Receipt:
        """Protect a living node of the device and all its ancestors (L1, L3)."""
        if node.parent is None and not node.children:  # with a child, it is kept already
            node = self._roots.setdefault(node.namespace, node)
        node.num_receipts += 1
        if node.num_receipts == 1 and not node.num_locked_children:
            # Nobody held it until now.
            if node.evictable:
                self.protect(node)
            above, num_blocks = node, 0
            while above.parent is not None:
                num_blocks += above.num_blocks
                above = above.parent
                above.num_locked_children += 1
                if above.num_receipts or above.num_locked_children > 1:
                    break  # it was locked already, and so is all above it
            self.num_evictable_blocks -= num_blocks
        if (emit := self._log.emit) and node.parent:
            emit(
                NodeLocked(
                    *self._log.stamp(), site="locks.lock", node_id=node.id, sequence_id=sequence_id
                )
            )
        return Receipt(node)

    def unlock(self, receipt: Receipt, sequence_id: int | None = None) -> None:
        """Undo one lock; raise `LockError` for a receipt that was released before (L2, L1, L3)."""
        leaf: Node = receipt.node
        if receipt.released:
            raise LockError(f"node {leaf.id}: this receipt was released before")
        receipt.released = True
        leaf.num_receipts -= 1
        node, num_blocks = leaf, 0
        while node.parent is not None and not (node.num_receipts or node.num_locked_children):
            num_blocks += node.num_blocks
            node = node.parent
            node.num_locked_children -= 1
        self.num_evictable_blocks += num_blocks
        if num_blocks and not leaf.num_resident_children:
            self.expose(leaf)
        if node.parent is None and not node.children:
            self.forget_if_empty(node)
        if (emit := self._log.emit) and leaf.parent:
            emit(
                NodeUnlocked(
                    *self._log.stamp(),
                    site="locks.unlock",
                    node_id=leaf.id,
                    sequence_id=sequence_id,
                )
            )

    def move(self, receipt: Receipt, node: Node, sequence_id: int | None = None) -> None:
        """Let a receipt hold another node: lock that one, then unlock the one it held."""
        if node is not receipt.node:
            held = Receipt(receipt.node)
            receipt.node = self.lock(node, sequence_id).node
            self.unlock(held, sequence_id)

    def move_down(self, receipt: Receipt, leaf: Node, sequence_id: int | None = None) -> None:
        """Let a receipt hold a new leaf below its node, which stays locked through the leaf.

        The leaf is born locked: its blocks were never evictable.
        """
        node: Node = receipt.node
        leaf.num_receipts = 1
        node.num_locked_children += 1
        node.num_receipts -= 1
        receipt.node = leaf
        if emit := self._log.emit:
            emit(
                NodeLocked(
                    *self._log.stamp(),
                    site="locks.move_down",
                    node_id=leaf.id,
                    sequence_id=sequence_id,
                )
            )
            if node.parent:
                emit(
                    NodeUnlocked(
                        *self._log.stamp(),
                        site="locks.leave_the_parent",
                        node_id=node.id,
                        sequence_id=sequence_id,
                    )
                )

    def expose(self, leaf: Node) -> None:
        """Make an unlocked leaf of the device a candidate for eviction (E1)."""
        leaf.evictable = True
        if tell := self.on_evictable:
            tell(leaf)

    def protect(self, node: Node) -> None:
        """Make a candidate none any more: it is locked now, or no leaf (E1, L4)."""
        node.evictable = False
        if tell := self.on_protected:
            tell(node)

    def forget_if_empty(self, root: Node) -> None:
        """Drop a root that has no child and no lock: passing tenants leave nothing behind."""
        if not (root.children or root.num_receipts):
            root.alive = False
            self._roots.pop(root.namespace, None)
