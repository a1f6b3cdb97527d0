"""The right answers to a learner's tree: the cache's own tree, read as a ledger.

This file knows what is cached, and says in one sentence what is wrong with an answer. It calls no
code of the learner's.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from radixlab.cache.found import Found
from radixlab.cache.manager import KVCacheManager
from radixlab.cache.node import Node
from radixlab.cache.tokens import Tokens
from radixlab.escape import count
from radixlab.events import Namespace
from radixlab.yours.asked import AskedTree, Ids
from radixlab.yours.fault import PartFault


class Ledger:
    """What a learner's tree should hold, and why an answer is wrong."""

    def __init__(self, manager: KVCacheManager) -> None:
        self._manager = manager

    def nodes(self) -> Iterator[Node]:
        """Yield every node, parents first."""
        return self._manager.tree.nodes()

    def find(self, prompt: Tokens, most_blocks: int, namespace: Namespace | None) -> Found:
        """Look up what is cached of a prompt, in at most this many blocks."""
        return self._manager.tree.find(prompt, most_blocks, namespace)

    def found(
        self, tree: AskedTree, prompt: Tokens, ids: Ids, whole: int, namespace: Namespace | None
    ) -> Found:
        """Return the look-up in the ledger that ends where the tree's does."""
        if len(ids) > whole:
            has = f"the key has only {count(whole, 'whole block')}"
            raise tree.fault("M2", f"it returned {count(len(ids), 'block')}, but {has}")
        found = self._manager.tree.find(prompt, len(ids), namespace)
        right = found.block_ids.tolist()
        if right != ids:
            raise self.wrong_ids(tree, ids, right, right)
        return found

    def wrong_ids(self, tree: AskedTree, ids: Ids, right: Ids, offered: Ids) -> PartFault:
        """Say which block is wrong, and why."""
        if len(ids) < len(right) and ids == right[: len(ids)]:
            return tree.fault("M9", f"block_ids is {ids}; it should be {right}")
        pairs = zip(ids, [*right, None], strict=False)
        at = next(k for k, (mine, own) in enumerate(pairs) if mine != own)
        block = ids[at]
        owner = self._owner(block)
        if at < len(right) and at < len(offered) and block == offered[at] != right[at]:
            what = f"it keeps the new block {block}, though block {right[at]} holds these tokens"
            return tree.fault("M9", what)
        if owner is None:
            return tree.fault("E6", f"block {block} is not in the cache")
        return tree.fault("M8", f"block {block}, of node {owner.id}, holds other tokens")

    def wrong_victims(
        self, tree: AskedTree, ids: Ids, right: list[int] | None, num: int = 1
    ) -> PartFault:
        """Say why these blocks must not go."""
        twice = [block for block, num in Counter(ids).items() if num > 1]
        if twice:
            return tree.fault("L10", f"block {twice[0]} was returned twice")
        for block in ids:
            if right is not None and block in right:
                continue
            owner = self._owner(block)
            if owner is None:
                return tree.fault("E6", f"block {block} is not in the cache")
            if owner.locked:
                return tree.fault("L4", f"block {block} is locked")
            if right is not None:
                return tree.fault("L4", f"block {block} is locked: the policy chose {right}")
            if left := _below(owner, block) - set(ids):
                return tree.fault("E1", f"block {block} has block {min(left)} below it")
        num = num if right is None else len(right)
        return tree.fault("E4", f"it returned {count(len(ids), 'block')}; it should return {num}")

    def _owner(self, block: Any) -> Node | None:
        """Return the node that holds a block."""
        for node in self._manager.tree.nodes():
            if block in node.block_ids[: node.num_blocks]:
                return node
        return None


def tail(leaf: Node) -> int:
    """Return the last block of a leaf."""
    return int(leaf.block_ids[leaf.num_blocks - 1])


def _below(owner: Node, block: int) -> set[int]:
    """Return the blocks that directly follow a block of a node."""
    ids = owner.block_ids[: owner.num_blocks].tolist()
    if block != ids[-1]:
        return {ids[ids.index(block) + 1]}
    return {int(child.block_ids[0]) for child in owner.children.values()}


def path_tokens(node: Node) -> Any:
    """Return the tokens from the root to the end of a node."""
    tokens = [each.tokens for each in reversed(node.path())]
    return np.concatenate(tokens) if tokens else np.empty(0, np.int32)


def path_ids(node: Node) -> list[int]:
    """Return the blocks from the root to the end of a node."""
    return [block for each in reversed(node.path()) for block in each.block_ids.tolist()]
