"""Our radix tree behind an engine that keeps the free list itself.

The tree and its policy are the course's own, unchanged. This file adds what the block manager adds
inside radixlab: a clock that stamps each use, and who is told of an eviction.

SGLang evicts *whole leaves* and makes both halves of a split node look used. We trim the tail of a
leaf, block by block, and stamp only what was matched. `whole_leaves` chooses SGLang's way, so that
both can be compared on the same requests: with it every hit and every eviction is the same.
"""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from radixlab.bridge.pages import Offer, PageTokens, Prefix
from radixlab.cache.errors import LockError, PolicyError
from radixlab.cache.found import NO_BLOCKS
from radixlab.cache.node import Node, Receipt
from radixlab.cache.proof.invariants import check_tree
from radixlab.cache.protocols import EvictionPolicy, hook
from radixlab.cache.results import BlockIds
from radixlab.cache.tokens import Tokens, as_tokens
from radixlab.cache.tree import RadixTree
from radixlab.config import Count
from radixlab.escape import count
from radixlab.events import Namespace

WORDS = 2
"""One token of the engine is 64 bits and one of ours 32: it becomes two of ours."""


class OwnTree:
    """`Pages` over `RadixTree`."""

    def __init__(
        self,
        block_size: Count,
        policy: EvictionPolicy | None = None,
        whole_leaves: bool = False,
    ) -> None:
        self.tree = RadixTree(WORDS * block_size, policy)
        self.block_size = self.tree.block_size // WORDS
        self.whole_leaves = whole_leaves
        self._on_hit = hook(self.tree.policy, "on_hit")
        self._held: set[Receipt] = set()
        self._tick = 0

    @property
    def num_blocks(self) -> int:
        """Blocks in the tree."""
        return self.tree.num_blocks

    @property
    def num_evictable_blocks(self) -> int:
        """Blocks that no lock protects."""
        return self.tree.num_evictable_blocks

    def match(self, tokens: PageTokens, namespace: Namespace | None = None) -> Prefix:
        """Find the longest cached prefix, and stamp it as used."""
        self._tick += 1
        return self._reach(_as_ours(tokens), len(tokens) // self.block_size, namespace)

    def insert(self, offer: Offer) -> tuple[Prefix, int]:
        """Stamp what is cached, count its uses, and store the rest."""
        block_ids, namespace = offer.block_ids, offer.namespace
        if not len(block_ids):
            return Prefix(None, NO_BLOCKS), 0
        self._tick += 1
        ours = _as_ours(offer.tokens[: len(block_ids) * self.block_size])
        cached = self._reach(ours, len(block_ids), namespace)
        result = self.tree.insert(ours, block_ids, namespace, self._tick)
        self._count(result.node, offer.num_counted_blocks, offer.priority)
        return Prefix(result.node, result.block_ids), len(cached)

    def lock(self, prefix: Prefix) -> None:
        """Protect the prefix; raise `LockError` if a part of it was evicted since the match."""
        node: Node | None = prefix.node
        if node is None:
            return
        if node.alive and node.end != len(prefix):
            raise LockError(
                f"node {node.id} lost {len(prefix) - node.end} of {count(len(prefix), 'block')} "
                "to an eviction since the match: match again"
            )
        receipt = self.tree.lock(node)
        self._held.add(receipt)
        prefix.receipts.append(receipt)

    def unlock(self, prefix: Prefix) -> None:
        """Undo one lock; raise `LockError` if the prefix holds none."""
        if prefix.node is None:
            return
        if not prefix.receipts:
            raise LockError(f"node {prefix.node.id}: released more often than it was locked")
        receipt = prefix.receipts.pop()
        self.tree.unlock(receipt)
        self._held.discard(receipt)

    def evict(self, num_blocks: int) -> Iterator[BlockIds]:
        """Take blocks off the policy's victims until there are enough.

        Raises `PolicyError` if the policy names none although some are evictable.
        """
        policy = self.tree.policy
        while num_blocks > 0 and self.tree.num_evictable_blocks:
            node = policy.victim()
            if node is None:
                evictable = self.tree.num_evictable_blocks
                raise PolicyError(
                    f"policy {policy.name} named no victim of {count(evictable, 'block')}"
                )
            most = node.num_blocks if self.whole_leaves else min(num_blocks, node.num_blocks)
            gone = self.tree.trim(node, min(most, policy.max_blocks or most))
            num_blocks -= len(gone)
            yield gone

    def clear(self) -> None:
        """Forget everything; raise `LockError`, and keep it, while a prefix is locked."""
        self.tree.clear()

    def draw(self) -> Iterator[str]:
        """Yield a line per node: its depth, blocks, locks and first tokens."""
        depth: dict[int, int] = {}
        for view in self.tree.walk():
            depth[view.id] = level = depth.get(view.parent_id or -1, -1) + 1
            first = np.array(view.tokens[: 10 * WORDS], np.int32).view(np.int64).tolist()
            blocks = count(len(view.block_ids), "block")
            yield f"{'  ' * level}{blocks}, lock_ref {view.lock_ref}, {first}"

    def cached(self) -> BlockIds:
        """Return all block ids of the tree."""
        return np.concatenate([NO_BLOCKS, *(node.block_ids for node in self.tree.nodes())])

    def check(self) -> None:
        """Raise `InvariantError` if an invariant of the tree is broken."""
        check_tree(self.tree, Counter(id(receipt.node) for receipt in self._held))

    # ---- stamps

    def _reach(self, tokens: Tokens, num_blocks: int, namespace: Namespace | None) -> Prefix:
        """Return the cached prefix of at most `num_blocks` blocks, stamped as used."""
        found = self.tree.find(tokens, num_blocks, namespace)
        node = self.tree.cut(found)
        if self.whole_leaves and found.child is not None and found.child is not node:
            self._stamp(found.child)
        self._stamp(node)
        return Prefix(node if node.parent else None, found.block_ids)

    def _stamp(self, node: Node) -> None:
        """Stamp the path to a node. A candidate for eviction is queued again, as after any use."""
        if node.parent is None:
            return
        held = self.tree.locks.lock(node)
        self.tree.touch(node, self._tick)
        self.tree.locks.unlock(held)

    def _count(self, node: Node, num_counted_blocks: int, priority: int) -> None:
        """Count one use of each node that ends behind the first `num_counted_blocks` blocks."""
        held = self.tree.locks.lock(node)
        for each in node.path():
            each.priority = max(each.priority, priority)
            if each.end > num_counted_blocks:
                each.num_hits += 1
                if self._on_hit:
                    self._on_hit(each, self._tick)
        self.tree.locks.unlock(held)


def _as_ours(tokens: PageTokens) -> Tokens:
    """Return the engine's tokens as ours, two for each, without a loop over them."""
    return as_tokens(np.ascontiguousarray(tokens, np.int64).view(np.int32))
