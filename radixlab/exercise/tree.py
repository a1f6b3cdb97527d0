"""What exercise 8.5.1 hands out: what a radix tree has to do, and the results of its methods.

The engine's tree has the same methods, with arrays for tuples. No code of a tree is in this file.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """The longest cached prefix, in whole blocks."""

    node: Any
    """Where it ends, for `lock`: whatever your tree calls a node. The root if nothing is cached."""
    block_ids: Sequence[int]
    """Its blocks, in token order."""


@dataclass(frozen=True, slots=True)
class InsertResult:
    """What the tree has for a key, now that it is inserted."""

    node: Any
    """Where the key's last whole block ends, for `lock`."""
    block_ids: Sequence[int]
    """The tree's blocks for the whole key: one id per whole block, in token order."""
    num_cached_blocks: int
    """Leading blocks that were in the tree before."""
    duplicate_block_ids: Sequence[int]
    """The caller's ids that are not the tree's, in order: the caller will free them."""


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node as the grader and the pictures see it. The root is not shown."""

    id: Hashable
    """Anything that tells nodes apart: a number, or the node itself."""
    parent_id: Hashable | None
    """The parent's `id`; None below the root."""
    tokens: Tokens
    """The tokens of the node's own blocks: not those of the blocks above it."""
    block_ids: Sequence[int]
    """One or more, one for each `block_size` tokens."""
    lock_ref: int
    """How many receipts are held on this node or on a node below it."""


@dataclass(frozen=True, slots=True)
class TreeStats:
    """How many nodes `walk` yields, and their blocks by `lock_ref`."""

    num_nodes: int
    num_shared_blocks: int
    """Blocks of nodes with a `lock_ref` of 2 or more."""
    num_unique_blocks: int
    """Of nodes with a `lock_ref` of 1."""
    num_cached_blocks: int
    """Of nodes with a `lock_ref` of 0."""

    @property
    def sharing_ratio(self) -> float:
        """Shared blocks among those in use; 0 when none is."""
        used = self.num_shared_blocks + self.num_unique_blocks
        return self.num_shared_blocks / used if used else 0.0


class PrefixTree(Protocol):
    """What your `RadixTree(block_size)` has to do; how it does it is up to you."""

    def match_prefix(self, tokens: Tokens) -> Match:
        """Find the longest cached prefix of `tokens`, in whole blocks."""

    def insert(self, tokens: Tokens, block_ids: Sequence[int]) -> InsertResult:
        """Store one block id for each whole block of `tokens`. What is there already stays."""

    def lock(self, node: Any) -> Any:
        """Protect the node and all its ancestors from eviction; return a receipt, new each time."""

    def unlock(self, receipt: Any) -> None:
        """Undo that one lock. With a receipt used before, raise, and change nothing."""

    def evict(self, num_blocks: int) -> Sequence[int]:
        """Take that many blocks, or all there are, off the ends of unlocked leaves."""

    def walk(self) -> Iterator[NodeView]:
        """Yield every node but the root, parents first."""

    def stats(self) -> TreeStats:
        """Count nodes and blocks."""
