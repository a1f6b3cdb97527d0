"""A node of the radix tree: an edge of tokens and the blocks that hold their KV.

This file knows how a node is split, shortened and lengthened, and on which tier its blocks are. It
does not know the tree's counters or policies.
"""

from typing import Any

import numpy as np

from radixlab.cache.edges import TRIMMED, Edge, compact
from radixlab.cache.errors import LockError
from radixlab.cache.results import BlockIds
from radixlab.cache.runs import joined
from radixlab.cache.tokens import TokenArray
from radixlab.config import shown
from radixlab.events import Namespace


class Node:
    """A run of whole blocks below `parent`.

    A node does not count the receipts *below* it. It counts its own receipts and its locked
    children; this suffices to know in O(1) whether it is protected (see `locks.py`).
    """

    __slots__ = (
        "alive",
        "block_ids",
        "children",
        "edge",
        "end",
        "evictable",
        "id",
        "key",
        "namespace",
        "num_blocks",
        "num_hits",
        "num_locked_children",
        "num_receipts",
        "num_resident_children",
        "parent",
        "priority",
        "resident",
        "tick",
        "tree",
    )

    id: int
    parent: "Node | None"
    """None for a root, which owns no blocks."""
    tree: object
    """The tree that it belongs to; other trees refuse it as a handle."""
    namespace: Namespace | None
    key: bytes
    """The bytes of its whole first block: the key under which its parent finds it."""
    edge: Edge
    """The edge's token ids, int32, as memory."""
    block_ids: BlockIds
    """int32 `[num_blocks]`: the block ids of the edge, one per `block_size` tokens."""
    resident: bool
    """Whether the blocks are on the device. Otherwise they are on the host, like the blocks of all
    nodes below: a prefix is useless without its beginning."""
    num_blocks: int
    end: int
    """The number of blocks from the root to this node's end; a split does not change it."""
    children: "dict[bytes, Node]"
    """By `key`."""
    num_resident_children: int
    num_receipts: int
    num_locked_children: int
    tick: int
    """Last use, in the manager's ticks."""
    num_hits: int
    priority: int
    """The highest priority of a request on this path."""
    alive: bool
    """Whether it is in the tree."""
    evictable: bool
    """Whether this is an unlocked leaf of the device: no node below it is on the device (L4, E1).
    `Locks` keeps it, and tells the policy of each change."""

    def __init__(
        self,
        id: int,
        parent: "Node | None",
        namespace: Namespace | None,
        key: bytes,
        edge: Edge,
        block_ids: BlockIds,
        tree: object = None,
    ) -> None:
        self.id = id
        self.parent = parent
        self.namespace = namespace
        self.key = key
        self.edge = edge
        self.block_ids = block_ids
        self.num_blocks = num_blocks = len(block_ids)
        if parent is None:
            self.tree, self.end = tree, num_blocks
        else:
            self.tree, self.end = parent.tree, parent.end + num_blocks
        self.resident = self.alive = True
        self.evictable = False
        self.children = {}
        self.num_resident_children = self.num_receipts = self.num_locked_children = 0
        self.tick = self.num_hits = self.priority = 0

    @property
    def tokens(self) -> TokenArray:
        """The edge's token ids, int32 `[num_blocks * block_size]`, without a copy."""
        return np.frombuffer(self.edge, np.int32)

    @property
    def locked(self) -> bool:
        """Whether a receipt is held at or below this node (L1)."""
        return self.num_receipts > 0 or self.num_locked_children > 0

    @property
    def parent_id(self) -> int | None:
        """The parent's id, as events give it: None below a root, of which no event ever told.

        Rules: T5.
        """
        return self.parent.id if self.parent and self.parent.parent else None

    @property
    def droppable(self) -> bool:
        """Whether this is a host leaf. Host nodes are never locked."""
        return not (self.resident or self.children) and self.alive

    def path(self) -> "list[Node]":
        """List this node and its ancestors, except the root, deepest first."""
        nodes, node = [], self
        while node.parent is not None:
            nodes.append(node)
            node = node.parent
        return nodes

    def split(self, num_blocks: int, upper_id: int, block_bytes: int) -> "Node":
        """Move the first `num_blocks` blocks to a new parent, and return it (M5, M6, H9).

        This node keeps its identity and its end, so existing receipts and handles still cover the
        same blocks. Both halves have the old tick and hits; both are locked if the node was.
        """
        assert self.parent is not None and 0 < num_blocks < self.num_blocks
        cut = num_blocks * block_bytes
        head, tail = self.edge[:cut], self.edge[cut:]
        upper = Node(
            upper_id,
            self.parent,
            self.namespace,
            self.key,
            compact(head),
            self.block_ids[:num_blocks],
        )
        upper.tick, upper.num_hits, upper.priority = self.tick, self.num_hits, self.priority
        upper.num_locked_children = 1 if self.locked else 0
        upper.resident, upper.num_resident_children = self.resident, int(self.resident)
        self.parent.children[self.key] = upper
        self.parent, self.key, self.edge = upper, bytes(tail[:block_bytes]), compact(tail)
        upper.children[self.key] = self
        self.block_ids = self.block_ids[num_blocks:]
        self.num_blocks -= num_blocks
        return upper

    def lengthen(self, edge: Edge, block_ids: BlockIds) -> None:
        """Append blocks; `edge` is the whole new edge (M8)."""
        self.edge = compact(edge)
        self.block_ids = joined((self.block_ids, block_ids))
        self.num_blocks += len(block_ids)
        self.end += len(block_ids)

    def shorten(self, keep: int, block_bytes: int) -> None:
        """Keep the first `keep` blocks."""
        self.edge = self.edge[: keep * block_bytes]
        if keep.bit_length() < self.num_blocks.bit_length():  # about half as long as before
            self.edge = compact(self.edge, TRIMMED)
        self.block_ids = self.block_ids[:keep]
        self.end -= self.num_blocks - keep
        self.num_blocks = keep

    def split_tail(self, num_blocks: int, lower_id: int, block_bytes: int) -> "Node":
        """Move the last `num_blocks` blocks, and the children, to a new child, and return it.

        In contrast to `split`, this node keeps its identity and its *start*, by which a policy
        knows it.
        """
        keep = self.num_blocks - num_blocks
        tail, block_ids = self.edge[keep * block_bytes :], self.block_ids[keep:]
        self.shorten(keep, block_bytes)
        key = bytes(tail[:block_bytes])
        lower = Node(lower_id, self, self.namespace, key, compact(tail), block_ids)
        lower.tick, lower.num_hits, lower.priority = self.tick, self.num_hits, self.priority
        lower.children, self.children = self.children, {key: lower}
        for child in lower.children.values():
            child.parent = lower
        return lower

    def pass_down(self, child: "Node", num_blocks: int, block_bytes: int) -> None:
        """Move the tokens of the last `num_blocks` blocks to the front of `child`'s edge.

        The caller must complete the block ids of `child`.
        """
        cut = (self.num_blocks - num_blocks) * block_bytes
        del self.children[child.key]
        child.edge = bytes(self.edge[cut:]) + bytes(child.edge)
        child.key = child.edge[:block_bytes]
        child.num_blocks += num_blocks
        self.shorten(self.num_blocks - num_blocks, block_bytes)
        self.children[child.key] = child

    def __repr__(self) -> str:
        return f"Node({self.id}, {self.num_blocks} blocks{', locked' if self.locked else ''})"


class Receipt:
    """Proof of one lock. `unlock` accepts it once; a second call raises."""

    __slots__ = ("node", "released")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.released = False

    def __reduce_ex__(self, protocol: Any) -> Any:
        # `copy` and `pickle` come here: two receipts of one lock would release it twice.
        raise LockError("a receipt stands for one lock: it cannot be copied")

    def __repr__(self) -> str:
        return f"Receipt({self.node!r}{', released' if self.released else ''})"


def no_handle(node: object, tree: object = None) -> LockError:
    """Return why this node cannot be used (with this tree, if one is given)."""
    if isinstance(node, Node) and tree is not None and node.tree is not tree:
        return LockError(f"node {node.id} is another tree's: match in this one")
    if isinstance(node, Node):
        where = "on the host" if node.alive else "gone (evicted or cleared)"
        return LockError(f"node {node.id} is {where}: match again")
    return LockError(f"{shown(node)} is not a node: pass what match_prefix or insert returned")
