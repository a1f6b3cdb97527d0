"""The block-level radix tree: which blocks already hold the KV of which tokens.

The idea is RadixAttention's (Zheng et al., arXiv 2312.07104, §3), with PagedAttention's block as
the unit. A node owns a run of whole blocks. Its edge is the *content* of their tokens, so two
prompts meet in a node exactly if they agree, and no hash can collide. A child is looked up by the
bytes of its whole first block; an edge is compared with one memory comparison; only the edge where
two prompts part is searched.

The tree knows tokens, block ids, locks, and the policy it reports to. Nodes whose blocks a host
tier keeps stay in it, but are not matched here. It does not know requests, free lists or KV bytes.
"""

from collections.abc import Callable, Iterator

import numpy as np

from radixlab.cache.checks import as_block_ids, check_count, check_namespace
from radixlab.cache.edges import common_blocks
from radixlab.cache.errors import BlockError, LockError
from radixlab.cache.eviction import LRU
from radixlab.cache.found import NO_BLOCKS, Found
from radixlab.cache.growth import extend
from radixlab.cache.locks import protect, unprotect
from radixlab.cache.node import Node, no_handle
from radixlab.cache.protocols import (
    BlockIds,
    EvictionPolicy,
    InsertResult,
    Match,
    NodeView,
    Receipt,
    TreeStats,
)
from radixlab.cache.runs import to_runs
from radixlab.cache.tokens import TOKEN_BYTES, Tokens, TokensLike, as_tokens
from radixlab.cache.views import node_views, tree_stats, walk_nodes
from radixlab.config import MAX_BLOCK_SIZE, ConfigError, positive, shown
from radixlab.events import (
    BlockRemoved,
    Emit,
    Namespace,
    NodeLocked,
    NodeSplit,
    NodeUnlocked,
    Stamp,
)


class RadixTree:
    """A radix tree over blocks of `block_size` tokens, with one root per namespace.

    >>> tree = RadixTree(block_size=2)
    >>> _ = tree.insert([1, 2, 3, 4], np.array([10, 11], np.int32))
    >>> tree.match_prefix([1, 2, 9, 9]).block_ids
    array([10], dtype=int32)
    >>> tree.num_nodes  # the match split the node where the two part
    2
    """

    def __init__(
        self,
        block_size: int,
        policy: EvictionPolicy | None = None,
        emit: Emit | None = None,
        stamp: Stamp | None = None,
    ) -> None:
        self.block_size = positive("block_size", block_size, MAX_BLOCK_SIZE)
        is_class = isinstance(policy, type)
        if policy is not None and (is_class or not callable(getattr(policy, "victim", None))):
            raise ConfigError(f"policy must be a policy object such as LRU(), not {shown(policy)}")
        if emit is not None and not callable(emit):
            raise ConfigError(f"emit must be a function of an event, not {shown(emit)}")
        if not isinstance(stamp, Stamp | None):
            raise ConfigError(f"stamp must be a Stamp, not {shown(stamp)}")
        self.policy: EvictionPolicy = LRU() if policy is None else policy
        self.emit = emit
        self.stamp = Stamp() if stamp is None else stamp
        self.block_bytes = self.block_size * TOKEN_BYTES
        self._next_id = 0
        self.roots: dict[Namespace | None, Node] = {}
        self.num_nodes = 0
        self.num_blocks = self.num_evictable_blocks = 0
        """On the device."""
        self.give_back_host: Callable[[BlockIds], object] | None = None
        """Takes host blocks that are of no use any more; None without a host tier."""

    def clear(self) -> None:
        """Forget everything: handles of before are dead. Raises `LockError` if any is locked."""
        if locked := [namespace for namespace, root in self.roots.items() if root.locked]:
            raise LockError(f"cannot clear the tree: nodes are locked in namespaces {locked}")
        for node in list(self.nodes()):
            node.alive = False
            if node.resident:
                self.policy.on_remove(node)
        for root in self.roots.values():
            root.alive = False
        self.roots = {}
        self.num_nodes = self.num_blocks = self.num_evictable_blocks = 0

    # ---- look-up

    def find(
        self,
        tokens: Tokens,
        max_blocks: int,
        namespace: Namespace | None = None,
        start: Node | None = None,
    ) -> Found:
        """Walk down as far as `tokens` and the tree agree, at most `max_blocks` blocks.

        Whatever tier it is on. Changes nothing: `cut` makes the place where the walk ended a node
        of its own. With `start`, a node whose path is known to agree, goes on from there.
        """
        node, runs = start or self._root(namespace), []
        data, view, step = tokens.data, tokens.view, self.block_bytes
        position, stop = node.end * step, max_blocks * step  # in bytes of `data`
        while position < stop:
            child = node.children.get(view[position : position + step].tobytes())
            if child is None:
                break
            end = position + child.num_blocks * step
            if end > stop or not data.startswith(child.edge, position):
                limit = min(child.num_blocks, (stop - position) // step)
                shared = common_blocks(data, position, child.edge, limit, step)
                runs.append(child.block_ids[:shared])
                return Found(node, child, shared, node.end + shared, runs)
            runs.append(child.block_ids)
            node, position = child, end
        return Found(node, None, 0, node.end, runs)

    def peek(self, tokens: TokensLike, namespace: Namespace | None = None) -> BlockIds:
        """Return the blocks of the longest prefix on the device, int32 `[n]`; change nothing."""
        check_namespace(namespace)
        tokens = as_tokens(tokens)
        found = self.find(tokens, len(tokens) // self.block_size, namespace)
        return found.on_device().block_ids

    def match_prefix(self, tokens: TokensLike, namespace: Namespace | None = None) -> Match:
        """Find the longest cached prefix of whole blocks.

        The node in which it ends is split there, so that a lock on it ends there too.
        """
        check_namespace(namespace)
        tokens = as_tokens(tokens)
        found = self.find(tokens, len(tokens) // self.block_size, namespace).on_device()
        return Match(self.cut(found), found.block_ids)

    def cut(self, found: Found) -> Node:
        """Return the node that ends where the walk ended, splitting one if need be."""
        if found.child is None:
            return found.node
        if found.child_blocks == found.child.num_blocks:
            return found.child
        return self.split(found.child, found.child_blocks)

    def ancestor_at(self, node: Node, num_blocks: int) -> Node:
        """Return the node on the path to `node` that ends at `num_blocks`; split one if need be."""
        if not node.alive or node.tree is not self:
            raise no_handle(node, self)
        while node.parent is not None and node.parent.end >= num_blocks:
            node = node.parent
        if num_blocks == node.end:
            return node
        return self.split(node, node.num_blocks - (node.end - num_blocks))

    # ---- growth

    def insert(
        self,
        tokens: TokensLike,
        block_ids: BlockIds,
        namespace: Namespace | None = None,
        tick: int = 0,
    ) -> InsertResult:
        """Store one block id per whole block of `tokens`; a partial last block never enters.

        What the tree has already stays. The caller must free `duplicate_block_ids` of the result
        and use its `block_ids` from then on. Raises `BlockError` unless there is exactly one id
        per whole block.
        """
        check_namespace(namespace)
        tick = check_count("tick", tick, 0)
        tokens, block_ids = as_tokens(tokens), as_block_ids(block_ids)
        whole = len(tokens) // self.block_size
        if len(block_ids) != whole:
            raise BlockError(
                f"insert: {len(block_ids)} block ids for {len(tokens)} tokens, "
                f"which fill {whole} whole blocks"
            )
        root = self.cut(self.find(tokens, 0, namespace))
        node, cached = extend(self, root, tokens, block_ids, tick)
        num_cached = sum(map(len, cached))
        kept = np.concatenate((*cached, block_ids[num_cached:]))
        return InsertResult(node, kept, num_cached, block_ids[block_ids != kept])

    # ---- locks and recency

    def lock(self, node: Node, sequence_id: int | None = None) -> Receipt:
        """Protect `node` and all its ancestors; raise `LockError` for a node that is gone."""
        if type(node) is not Node or node.tree is not self or not (node.alive and node.resident):
            raise no_handle(node, self)
        if node.parent is None:
            node = self.roots.setdefault(node.namespace, node)
        node.num_receipts += 1
        if node.num_receipts == 1 and not node.num_locked_children:
            self.num_evictable_blocks -= protect(node, self.policy)
        if self.emit and node.parent:
            self.emit(NodeLocked(*self.stamp(), node.id, sequence_id))
        return Receipt(node)

    def unlock(self, receipt: Receipt, sequence_id: int | None = None) -> None:
        """Undo one lock; raise `LockError` if this receipt was released before."""
        if type(receipt) is not Receipt:
            raise LockError(f"{shown(receipt)} is not a receipt: pass what lock returned")
        node: Node = receipt.node
        if type(node) is not Node or node.tree is not self:
            raise no_handle(node, self)
        if receipt.released:
            raise LockError(f"node {node.id}: this receipt was released before")
        if node.num_receipts < 1:
            raise LockError(f"node {node.id}: it has no lock that this receipt could release")
        receipt.released = True
        node.num_receipts -= 1
        if not (node.num_receipts or node.num_locked_children):
            self.num_evictable_blocks += unprotect(node, self.policy)
            if node.parent is None:
                self._forget_root(node)
        if self.emit and node.parent:
            self.emit(NodeUnlocked(*self.stamp(), node.id, sequence_id))

    def move(self, receipt: Receipt, node: Node, sequence_id: int | None = None) -> None:
        """Let a receipt hold another node: lock that one, then unlock the one it held."""
        if node is not receipt.node:
            held = Receipt(receipt.node)
            receipt.node = self.lock(node, sequence_id).node
            self.unlock(held, sequence_id)

    def move_down(self, receipt: Receipt, leaf: Node, sequence_id: int | None = None) -> None:
        """`move` to a new leaf below, never evictable yet; the node stays locked through it."""
        node: Node = receipt.node
        leaf.num_receipts = 1
        node.num_locked_children += 1
        node.num_receipts -= 1
        receipt.node = leaf
        if self.emit:
            self.emit(NodeLocked(*self.stamp(), leaf.id, sequence_id))
            if node.parent:
                self.emit(NodeUnlocked(*self.stamp(), node.id, sequence_id))

    def touch(self, node: Node, tick: int, *, hit: bool = False) -> None:
        """Stamp the path to `node` with `tick`; with `hit`, its nodes count one."""
        while node.parent is not None:
            node.tick = tick
            if hit:
                node.num_hits += 1
                self.policy.on_hit(node, tick)
            node = node.parent

    # ---- removal

    def trim(self, node: Node, num_blocks: int, reason: str | None = None) -> BlockIds:
        """Take blocks off the tail of an unlocked leaf; return their ids, int32 `[num_blocks]`.

        A node without blocks is gone, and its parent may be a leaf now. Raises `LockError` for an
        inner, locked or removed node and `BlockError` for a number it does not have. The reason
        that an event gives is the policy's, by default.
        """
        if type(node) is not Node or node.tree is not self:
            raise no_handle(node, self)
        if type(num_blocks) is not int:
            num_blocks = check_count("num_blocks", num_blocks)
        if reason is not None and type(reason) is not str:
            raise LockError(f"reason must be a text, not {shown(reason)}")
        if not (node.evictable and 0 < num_blocks <= node.num_blocks):
            raise bad_trim(node, num_blocks)
        self.num_blocks -= num_blocks
        self.num_evictable_blocks -= num_blocks
        return self.shorten(node, num_blocks, self.policy.reason if reason is None else reason)

    def shorten(self, node: Node, num_blocks: int, reason: str) -> BlockIds:
        """Take blocks off the tail of a leaf of either tier, and say why; return their ids."""
        assert not node.children, f"node {node.id} has children on the host"
        keep = node.num_blocks - num_blocks
        gone = node.block_ids[keep:]
        if self.emit:
            runs = to_runs(gone)  # before the stamp: if it fails, no number is lost
            self.emit(BlockRemoved(*self.stamp(), node.id, runs, reason, node.tick))
        if keep:
            node.shorten(keep, self.block_bytes)
        else:
            self._remove(node)
        return gone

    def evict(self, num_blocks: int) -> BlockIds:
        """Give up `num_blocks` blocks (or all that are evictable), as the policy says."""
        gone, num_blocks = [], check_count("num_blocks", num_blocks, 0)
        most = getattr(self.policy, "max_blocks", None) or num_blocks
        while num_blocks > 0 and (node := self.policy.victim()) is not None:
            gone.append(self.trim(node, min(num_blocks, node.num_blocks, most)))
            num_blocks -= len(gone[-1])
        return np.concatenate(gone) if gone else NO_BLOCKS

    # ---- for growth and the host tier

    def new_id(self) -> int:
        """Return the next node id."""
        self._next_id += 1
        return self._next_id - 1

    def split(self, lower: Node, num_blocks: int) -> Node:
        """Make the first `num_blocks` blocks of a node one of their own; nothing is stamped."""
        upper = lower.split(num_blocks, self.new_id(), self.block_bytes)
        self.num_nodes += 1
        if lower.resident:
            self.policy.on_split(upper, lower)
        if self.emit:
            self.emit(NodeSplit(*self.stamp(), lower.id, upper.id, num_blocks))
        return upper

    def left_device(self, node: Node) -> None:
        """Tell the policy that a leaf is gone from the device; its parent may be a leaf now."""
        self.policy.on_remove(node)
        if parent := node.parent:
            parent.num_resident_children -= 1
            if parent.evictable:
                self.policy.on_evictable(parent)

    # ---- what others see

    def nodes(self) -> Iterator[Node]:
        """Yield the nodes that own blocks, parents first, children in the order they came."""
        return walk_nodes(self.roots.values())

    def walk(self) -> Iterator[NodeView]:
        """Yield every node as a frozen view; `lock_ref` is the number of receipts at or below."""
        return node_views(list(self.nodes()))

    def stats(self) -> TreeStats:
        """Count nodes and blocks by the receipts that hold them."""
        return tree_stats(list(self.nodes()))

    # ---- inside

    def _root(self, namespace: Namespace | None) -> Node:
        """Return the namespace's root; a new one is kept once it is locked or has a child."""
        root = self.roots.get(namespace)
        return root or Node(self.new_id(), None, namespace, b"", NO_BLOCKS, self)

    def _forget_root(self, root: Node) -> None:
        """Drop a root that is empty: passing tenants leave nothing behind."""
        if not (root.children or root.num_receipts):
            root.alive = False
            self.roots.pop(root.namespace, None)

    def _remove(self, node: Node) -> None:
        """Take a leaf without blocks out of the tree."""
        assert node.parent is not None
        del node.parent.children[bytes(node.edge[: self.block_bytes])]
        node.alive = False
        self.num_nodes -= 1
        if node.resident:
            self.left_device(node)
        if node.parent.parent is None:
            self._forget_root(node.parent)


def bad_trim(node: Node, num_blocks: int) -> LockError | BlockError:
    """Say why these blocks cannot be taken off this node."""
    if node.evictable:
        return BlockError(
            f"cannot trim {shown(num_blocks)} of node {node.id}'s {node.num_blocks} blocks"
        )
    gone = "no leaf" if node.num_resident_children else "gone, a root or on the host"
    return LockError(f"cannot trim node {node.id}: it is {'locked' if node.locked else gone}")
