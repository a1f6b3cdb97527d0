"""A learner's tree behind the engine's protocol: tuples there, arrays here.

With it `observe.watch` draws and records such a tree like ours. It knows one namespace, and that a
learner's tree chooses by itself which blocks to evict.
"""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np

from radixlab.cache.errors import CacheError, NamespaceError
from radixlab.cache.node import Receipt
from radixlab.cache.results import BlockIds, InsertResult, Match, NodeView, TreeStats
from radixlab.cache.tokens import TokensLike, as_tokens
from radixlab.events import Namespace
from radixlab.exercise.tree import Tokens
from radixlab.exercise.tree_player import names_of
from radixlab.grade.ex1.oracle import PrefixModel


class TreeAdapter:
    """A `PrefixTree` that passes its calls on to a learner's tree."""

    def __init__(self, tree: Any, block_size: int) -> None:
        self.tree = tree
        self.block_size = block_size
        self._known: dict[Any, tuple[int, Any]] = {}
        """A node's number and its id, which is kept: no other object gets the same identity."""

    def match_prefix(self, tokens: TokensLike, namespace: Namespace | None = None) -> Match:
        """Find the longest cached prefix."""
        found = self.tree.match_prefix(_key(tokens, namespace))
        return Match(found.node, _ids(found.block_ids))

    def peek(self, tokens: TokensLike, namespace: Namespace | None = None) -> BlockIds:
        """Find it in what `walk` shows, and change nothing."""
        model = PrefixModel(self.block_size)
        views = ((v.id, v.parent_id, v.tokens, v.block_ids, v.lock_ref) for v in self.walk())
        for prefixes, block_ids, _ in model.follow(views):
            model.block_of.update(zip(prefixes, block_ids, strict=False))
        return _ids(model.match(_key(tokens, namespace)))

    def insert(
        self, tokens: TokensLike, block_ids: BlockIds, namespace: Namespace | None = None
    ) -> InsertResult:
        """Store one block for each whole block of tokens."""
        found = self.tree.insert(_key(tokens, namespace), tuple(np.asarray(block_ids).tolist()))
        kept, duplicates = _ids(found.block_ids), _ids(found.duplicate_block_ids)
        return InsertResult(found.node, kept, found.num_cached_blocks, duplicates)

    def lock(self, node: Any) -> Receipt:
        """Protect the node and its ancestors; the receipt holds the learner's."""
        return Receipt(self.tree.lock(node))

    def unlock(self, receipt: Receipt) -> None:
        """Undo one lock; whether a second call raises is up to the learner's tree."""
        self.tree.unlock(receipt.node)

    def trim(self, node: Any, num_blocks: int) -> BlockIds:
        """Raise `CacheError`: the caller cannot choose."""
        raise CacheError("this tree chooses by itself what to evict: call evict")

    def evict(self, num_blocks: int) -> BlockIds:
        """Take blocks off unlocked leaves."""
        return _ids(self.tree.evict(num_blocks))

    def walk(self) -> Iterator[NodeView]:
        """Yield every node, with a number for an id; a parent that was not yielded is the root."""
        views = list(self.tree.walk())
        names, parents = names_of([v.id for v in views], [v.parent_id for v in views])
        for view, name, parent in zip(views, names, parents, strict=True):
            tokens, block_ids = tuple(map(int, view.tokens)), tuple(map(int, view.block_ids))
            number, _ = self._known.setdefault(name, (len(self._known), view.id))
            above, _ = self._known.get(parent, (None, None))
            yield NodeView(number, above, None, tokens, block_ids, int(view.lock_ref))

    def stats(self) -> TreeStats:
        """Count nodes and blocks."""
        counted = self.tree.stats()
        return TreeStats(*(getattr(counted, field.name) for field in fields(TreeStats)))


def _key(tokens: TokensLike, namespace: Namespace | None) -> Tokens:
    if namespace is not None:
        raise NamespaceError(f"this tree has no namespaces; got {namespace}")
    return tuple(as_tokens(tokens).token_ids.tolist())


def _ids(block_ids: Any) -> BlockIds:
    return np.array([int(block) for block in block_ids], np.int32)
