"""The block-level radix tree: which blocks already hold the KV of which tokens.

The idea comes from RadixAttention (Zheng et al., arXiv 2312.07104, §3), with PagedAttention's block
as the unit. A node owns a run of whole blocks. Its edge is the *content* of their tokens, so two
prompts share a node if and only if their tokens agree, and no hash can collide. A child is looked
up by the bytes of its whole first block. An edge is compared by one memory comparison. Only the
edge in which two prompts diverge is searched.

This file is the structure: find, insert, split, trim. Who holds a node is in `locks.py`. Nodes
whose blocks a host tier keeps stay in the tree and are found like all others; what comes and goes
there is in `host/`. The tree does not know requests, free lists or KV bytes.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from radixlab.cache.checks import as_block_ids, check_count, check_namespace
from radixlab.cache.edges import common_blocks, compact
from radixlab.cache.errors import BlockError, LockError
from radixlab.cache.eviction import LRU
from radixlab.cache.found import NO_BLOCKS, Found
from radixlab.cache.locks import Locks
from radixlab.cache.node import Node, Receipt, no_handle
from radixlab.cache.protocols import HOOKS, EvictionPolicy, hook
from radixlab.cache.results import BlockIds, InsertResult, Match, NodeView, TreeStats
from radixlab.cache.runs import to_runs
from radixlab.cache.tokens import TOKEN_BYTES, Tokens, TokensLike, as_tokens
from radixlab.cache.views import node_views, tree_stats, walk_nodes
from radixlab.config import MAX_BLOCK_SIZE, ConfigError, Count, positive, shown
from radixlab.escape import count
from radixlab.events import BlockRemoved, BlockStored, Namespace, NodeSplit
from radixlab.log import Log

GONE: Final = -1
"""The last use of a node that is removed: what a policy noted of it is out of date at a glance."""


class RadixTree:
    """A radix tree over blocks of `block_size` tokens, with one root per namespace.

    >>> tree = RadixTree(block_size=2)
    >>> _ = tree.insert([1, 2, 3, 4], np.array([10, 11], np.int32))
    >>> tree.match_prefix([1, 2, 9, 9]).block_ids
    array([10], dtype=int32)
    >>> tree.num_nodes  # the match split the node where the prompts diverge
    2
    """

    def __init__(
        self, block_size: Count, policy: EvictionPolicy | Any = None, log: Log | Any = None
    ) -> None:
        self.block_size = positive("block_size", block_size, MAX_BLOCK_SIZE)
        self.block_bytes = self.block_size * TOKEN_BYTES
        if not isinstance(log, Log | None):
            raise ConfigError(f"log must be a Log, not {shown(log)}")
        self.log = Log() if log is None else log
        self.roots: dict[Namespace | None, Node] = {}
        self.locks = Locks(self.roots, self.log)
        self.report_to(checked_policy(policy))
        self.num_nodes = self.num_blocks = 0
        """Nodes of both tiers; blocks on the device."""
        self.version = 0
        """Goes up whenever a look-up could end elsewhere than before, or in other blocks."""
        self._next_id = 0

    def report_to(self, policy: EvictionPolicy) -> None:
        """Let this policy name the victims. Of its hooks, only those that it has are called."""
        self.policy = policy
        self.locks.on_evictable = hook(policy, "on_evictable")
        self.locks.on_protected = hook(policy, "on_protected")
        self._on_insert = hook(policy, "on_insert")
        self._on_hit = hook(policy, "on_hit")
        self._on_split = hook(policy, "on_split")
        self._on_remove = hook(policy, "on_remove")

    @property
    def num_evictable_blocks(self) -> int:
        """Blocks on the device that no receipt protects."""
        return self.locks.num_evictable_blocks

    def clear(self) -> None:
        """Remove all nodes; old handles become invalid. Raises `LockError` if a node is locked.

        Rules: L11.
        """
        if locked := [namespace for namespace, root in self.roots.items() if root.locked]:
            raise LockError(f"cannot clear the tree: nodes are locked in namespaces {locked}")
        for node in list(self.nodes()):
            node.alive = node.evictable = False
            if self._on_remove and node.resident:
                self._on_remove(node)
        self.forget_roots()

    def forget_roots(self) -> None:
        """Let go of all nodes at once."""
        for root in self.roots.values():
            root.alive = False
        self.roots.clear()
        self.num_nodes = self.num_blocks = self.locks.num_evictable_blocks = 0
        self.version += 1

    # ---- look-up

    def find(
        self,
        tokens: Tokens,
        max_blocks: int,
        namespace: Namespace | None = None,
        start: Node | None = None,
    ) -> Found:
        """Walk down as far as `tokens` and the tree agree, at most `max_blocks` blocks.

        The blocks may be on either tier. Nothing is changed: `cut` later makes a node end where the
        walk ended. With `start`, a node whose path is known to agree, the walk begins there.

        Rules: M2, M3, M7, K1, K2, K3, K4.
        """
        node = start or self.roots.get(namespace) or self._root(namespace)
        data, view, step = tokens.data, tokens.view, self.block_bytes
        runs: list[BlockIds] = []
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
                return Found(node, child, shared, node.end + shared, runs, self.version)
            runs.append(child.block_ids)
            node, position = child, end
        return Found(node, None, 0, node.end, runs, self.version)

    def key_after(self, node: Node, tokens: Tokens) -> bytes:
        """Return the key of the child of `node` that would begin where the node ends in `tokens`.

        Rules: M7.
        """
        position = node.end * self.block_bytes
        return tokens.view[position : position + self.block_bytes].tobytes()

    def _root(self, namespace: Namespace | None) -> Node:
        """Return a root for a new namespace (K1); it is kept once it is locked or has a child.

        Rules: M3.
        """
        self._next_id += 1
        return Node(self._next_id - 1, None, namespace, b"", b"", NO_BLOCKS, self)

    def peek(self, tokens: TokensLike | Any, namespace: Namespace | Any = None) -> BlockIds:
        """Return the blocks of the longest prefix on the device, int32 `[n]`; change nothing.

        Rules: M4.
        """
        check_namespace(namespace)
        tokens = as_tokens(tokens)
        found = self.find(tokens, len(tokens) // self.block_size, namespace)
        return found.on_device().block_ids

    def match_prefix(self, tokens: TokensLike | Any, namespace: Namespace | Any = None) -> Match:
        """Find the longest cached prefix of whole blocks.

        The node in which it ends is split there, so that a lock on it ends there too.
        """
        check_namespace(namespace)
        tokens = as_tokens(tokens)
        found = self.find(tokens, len(tokens) // self.block_size, namespace).on_device()
        return Match(self.cut(found), found.block_ids)

    def cut(self, found: Found) -> Node:
        """Return the node that ends where the walk ended; split a node if necessary."""
        if found.child is None:
            return found.node
        if found.child_blocks == found.child.num_blocks:
            return found.child
        return self.split(found.child, found.child_blocks)

    def ancestor_at(self, node: Node, num_blocks: int) -> Node:
        """Return the node above `node` that ends at `num_blocks`; split one if necessary."""
        if not node.alive or node.tree is not self:
            raise no_handle(node, self)
        while node.parent is not None and node.parent.end >= num_blocks:
            node = node.parent
        if num_blocks == node.end:
            return node
        return self.split(node, node.num_blocks - (node.end - num_blocks))

    def touch(self, node: Node, tick: int) -> None:
        """Stamp the path to `node` with `tick` (E3)."""
        while node.parent is not None:
            node.tick = tick
            node = node.parent

    def hit(self, node: Node, tick: int) -> None:
        """Stamp the path to `node`, which a request has matched; each node counts it (M4, E3)."""
        while node.parent is not None:
            node.tick = tick
            node.num_hits += 1
            if self._on_hit:
                self._on_hit(node, tick)
            node = node.parent

    # ---- growth

    def insert(
        self,
        tokens: TokensLike | Any,
        block_ids: BlockIds | Any,
        namespace: Namespace | Any = None,
        tick: Count = 0,
    ) -> InsertResult:
        """Store one block id per whole block of `tokens`; a partial last block never enters (M12).

        What the tree has already stays. The caller must free `duplicate_block_ids` of the result
        and use its `block_ids` from then on (M10). Raises `BlockError` unless there is exactly one
        id per whole block, and where the host has some of them: only a request brings these back.

        Rules: M9.
        """
        check_namespace(namespace)
        tick = check_count("tick", tick, 0)
        tokens, block_ids = as_tokens(tokens), as_block_ids(block_ids)
        whole = len(tokens) // self.block_size
        if len(block_ids) != whole:
            raise BlockError(
                f"insert: {count(len(block_ids), 'block id')} for {count(len(tokens), 'token')}, "
                f"which fill {count(whole, 'whole block')}"
            )
        found = self.find(tokens, whole, namespace)
        if found.on_device() is not found:
            raise BlockError(
                f"insert: a part of this prompt ({count(whole, 'block')}) is on the host"
            )
        node, new = self.cut(found), block_ids[found.num_blocks :]
        if len(new):
            if node.parent is None:
                self.roots.setdefault(node.namespace, node)
            node = self.store(node, tokens, new, tick, key=self.key_after(node, tokens))
            self.locks.num_evictable_blocks += len(new)
            self.locks.expose(node)
        kept = np.concatenate((*found.runs, new))
        return InsertResult(node, kept, found.num_blocks, block_ids[block_ids != kept])

    def store(
        self,
        node: Node,
        tokens: Tokens,
        block_ids: BlockIds,
        tick: int,
        sequence_id: int | None = None,
        key: bytes | None = None,
    ) -> Node:
        """Store blocks, which hold the tokens that follow the end of `node`, and return their node.

        This is a new leaf under `key`, which the node must not have yet; the caller locks the leaf
        or counts its blocks as evictable. Without a key, the blocks become the tail of the node
        itself. A root must be in `roots`.

        Rules: M8.
        """
        step, num_blocks = self.block_bytes, len(block_ids)
        start = node.end * step
        stop = start + num_blocks * step
        if key is None:
            node.lengthen(tokens.view[start - node.num_blocks * step : stop], block_ids)
        else:
            if node.evictable:
                self.locks.protect(node)  # it was a leaf until now
            edge = compact(tokens.view[start:stop])
            leaf = Node(self._next_id, node, node.namespace, key, edge, block_ids)
            self._next_id += 1
            leaf.tick = tick
            node.children[key] = leaf
            node.num_resident_children += 1
            self.num_nodes += 1
            if self._on_insert:
                self._on_insert(leaf, tick)
            node = leaf
        self.num_blocks += num_blocks
        self.version += 1
        if emit := self.log.emit:
            literal = tuple(tokens.token_ids[start // TOKEN_BYTES : stop // TOKEN_BYTES].tolist())
            emit(
                BlockStored(
                    *self.log.stamp(),
                    site="tree.store",
                    node_id=node.id,
                    parent_id=node.parent_id,
                    namespace=node.namespace,
                    sequence_id=sequence_id,
                    start_token=start // TOKEN_BYTES,
                    block_runs=to_runs(block_ids),
                    tick=node.tick,
                    token_ids=None if sequence_id is not None else literal,
                )
            )
        return node

    def split(self, lower: Node, num_blocks: int) -> Node:
        """Make the first `num_blocks` blocks of a node a node of their own, unstamped (M5).

        Rules: M6, T5.
        """
        upper = lower.split(num_blocks, self.new_id(), self.block_bytes)
        self.num_nodes += 1
        self.version += 1
        if self._on_split and lower.resident:
            self._on_split(upper, lower)
        if emit := self.log.emit:
            emit(
                NodeSplit(
                    *self.log.stamp(),
                    site="tree.split",
                    node_id=lower.id,
                    upper_id=upper.id,
                    num_blocks=num_blocks,
                )
            )
        return upper

    def new_id(self) -> int:
        """Return the next node id."""
        self._next_id += 1
        return self._next_id - 1

    # ---- locks, at the door (the engine's own handles need no checks)

    def lock(self, node: Node | Any, sequence_id: int | Any = None) -> Receipt:
        """Protect `node` and all its ancestors; raise `LockError` for a node that is gone."""
        if type(node) is not Node or node.tree is not self or not (node.alive and node.resident):
            raise no_handle(node, self)
        if sequence_id is not None:
            sequence_id = check_count("sequence_id", sequence_id, 0)
        return self.locks.lock(node, sequence_id)

    def unlock(self, receipt: Receipt | Any, sequence_id: int | Any = None) -> None:
        """Undo one lock; raise `LockError` if this receipt was released before."""
        if type(receipt) is not Receipt:
            raise LockError(f"{shown(receipt)} is not a receipt: pass what lock returned")
        if type(receipt.node) is not Node or receipt.node.tree is not self:
            raise no_handle(receipt.node, self)
        if not (receipt.released or receipt.node.num_receipts):
            raise LockError(f"node {receipt.node.id}: it has no lock that this receipt could undo")
        if sequence_id is not None:
            sequence_id = check_count("sequence_id", sequence_id, 0)
        self.locks.unlock(receipt, sequence_id)

    # ---- removal

    def trim(self, node: Node | Any, num_blocks: Count, reason: str | Any = None) -> BlockIds:
        """Take blocks off the tail of an unlocked leaf; return their ids, int32 `[num_blocks]`.

        A node without blocks is gone, and its parent may be a leaf now. Raises `LockError` for an
        inner, locked or removed node and `BlockError` for a number it does not have. The reason
        that an event gives is the policy's, by default.

        Rules: L4.
        """
        if type(node) is not Node or node.tree is not self:
            raise no_handle(node, self)
        num_blocks = check_count("num_blocks", num_blocks)
        if reason is not None and type(reason) is not str:
            raise LockError(f"reason must be a text, not {shown(reason)}")
        if not (node.evictable and 0 < num_blocks <= node.num_blocks):
            raise bad_trim(node, num_blocks)
        return self.take_tail(node, num_blocks, reason)

    def take_tail(self, node: Node, num_blocks: int, reason: str | None = None) -> BlockIds:
        """Take blocks off the tail of a leaf of either tier; return their ids (E2).

        Evicted by the policy, unless another reason is given.
        """
        assert not node.children, f"node {node.id} has children on the host"
        keep = node.num_blocks - num_blocks
        gone = node.block_ids[keep:] if keep else node.block_ids
        self.version += 1
        if emit := self.log.emit:
            runs = to_runs(gone)  # before the stamp: if this fails, no event number is lost
            emit(
                BlockRemoved(
                    *self.log.stamp(),
                    site="tree.take_tail",
                    node_id=node.id,
                    block_runs=runs,
                    reason=self.policy.reason if reason is None else reason,
                    tick=node.tick,
                )
            )
        if node.resident:
            self.num_blocks -= num_blocks
            self.locks.num_evictable_blocks -= num_blocks
        if keep:
            node.shorten(keep, self.block_bytes)
        else:
            self._remove(node)
        return gone

    def _remove(self, node: Node) -> None:
        """Remove a leaf without blocks from the tree (E2, E6)."""
        parent = node.parent
        assert parent is not None
        del parent.children[node.key]
        node.alive = False
        self.num_nodes -= 1
        if node.resident:
            self.left_device(node)
        node.tick = GONE
        if parent.parent is None and not parent.children:
            self.locks.forget_if_empty(parent)

    def came_to_device(self, node: Node, tick: int) -> None:
        """Tell the policy of an unlocked leaf that is new on the device."""
        if self._on_insert:
            self._on_insert(node, tick)
        self.locks.expose(node)

    def left_device(self, node: Node) -> None:
        """Tell the policy that a leaf left the device; its parent may be a leaf now (E1)."""
        node.evictable = False
        if self._on_remove:
            self._on_remove(node)
        if parent := node.parent:
            parent.num_resident_children -= 1
            is_leaf = not parent.num_resident_children and parent.num_blocks > 0
            if is_leaf and not parent.num_receipts:
                self.locks.expose(parent)

    def evict(self, num_blocks: Count) -> BlockIds:
        """Evict `num_blocks` blocks, or all evictable ones, in the policy's order (E4)."""
        gone, num_blocks = [], check_count("num_blocks", num_blocks, 0)
        most = getattr(self.policy, "max_blocks", None) or num_blocks
        while num_blocks > 0 and (node := self.policy.victim()) is not None:
            gone.append(self.trim(node, min(num_blocks, node.num_blocks, most)))
            num_blocks -= len(gone[-1])
        return np.concatenate(gone) if gone else NO_BLOCKS

    # ---- what others see

    def nodes(self) -> Iterator[Node]:
        """Yield the nodes that own blocks, parents first, children in order of insertion."""
        return walk_nodes(self.roots.values())

    def walk(self) -> Iterator[NodeView]:
        """Yield every node as a frozen view; `lock_ref` is the number of receipts at or below."""
        return node_views(list(self.nodes()))

    def stats(self) -> TreeStats:
        """Count nodes and blocks by the receipts that hold them."""
        return tree_stats(list(self.nodes()))


def checked_policy(policy: EvictionPolicy | None) -> EvictionPolicy:
    """Return the policy, LRU for none; raise `ConfigError` for what is not one."""
    if policy is None:
        return LRU()
    if isinstance(policy, type) or not callable(getattr(policy, "victim", None)):
        raise ConfigError(f"policy must be a policy object such as LRU(), not {shown(policy)}")
    if missing := [name for name in HOOKS if not callable(getattr(policy, name, None))]:
        raise ConfigError(
            f"policy {shown(policy)} has no {missing[0]}: inherit from EvictionPolicy"
        )
    return policy


def bad_trim(node: Node, num_blocks: int) -> LockError | BlockError:
    """Return why these blocks cannot be taken off this node."""
    if node.evictable:
        return BlockError(
            f"cannot trim {shown(num_blocks)} of node {node.id}, "
            f"which has {count(node.num_blocks, 'block')}"
        )
    gone = "no leaf" if node.num_resident_children else "gone, a root or on the host"
    return LockError(f"cannot trim node {node.id}: it is {'locked' if node.locked else gone}")
