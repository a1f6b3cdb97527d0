"""What an engine with pages of KV memory asks of a prefix tree.

SGLang says *page*; a page is our block. The engine keeps its own free list, so a tree behind it
knows block ids and never allocates. `own_tree.py` and `your_tree.py` answer these questions, the
one with our tree, the other with a tree of exercise 8.5.1.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from radixlab.cache.results import BlockIds
from radixlab.events import Namespace

PageTokens = npt.NDArray[np.int64]
"""Token ids as SGLang keeps them, int64 `[n]`: ids of images need more than 32 bits."""


class Prefix:
    """A cached prefix in whole blocks, as the engine holds it between two calls.

    Two prefixes are never equal: each match returns a new one.
    """

    __slots__ = ("block_ids", "node", "receipts")

    def __init__(self, node: Any, block_ids: BlockIds) -> None:
        self.node = node
        """Where it ends: whatever the tree calls a node; None for the empty prefix."""
        self.block_ids = block_ids
        """int32 `[num_blocks]`, from the first token on."""
        self.receipts: list[Any] = []
        """The locks that the engine took on it and did not release yet."""

    def __len__(self) -> int:
        """Count the blocks."""
        return len(self.block_ids)


@dataclass(frozen=True, slots=True)
class Offer:
    """Blocks that a request has computed, offered to a tree."""

    tokens: PageTokens
    block_ids: BlockIds
    """One for each whole block of the tokens."""
    namespace: Namespace | None = None
    num_counted_blocks: int = 0
    """How many leading blocks the request has counted its use of before."""
    priority: int = 0


class Pages(Protocol):
    """A prefix tree behind an engine. All counts are in blocks."""

    block_size: int
    """Tokens of the engine per block."""

    @property
    def num_blocks(self) -> int:
        """Blocks in the tree."""

    @property
    def num_evictable_blocks(self) -> int:
        """Blocks in the tree that no lock protects."""

    def match(self, tokens: PageTokens, namespace: Namespace | None = None) -> Prefix:
        """Find the longest cached prefix, and note that it was used."""

    def insert(self, offer: Offer) -> tuple[Prefix, int]:
        """Store a block id per whole block; return the prefix and how many were cached before.

        The tree's own ids stay where it has the block already.
        """

    def lock(self, prefix: Prefix) -> None:
        """Protect the prefix from eviction."""

    def unlock(self, prefix: Prefix) -> None:
        """Undo one lock; raise if there is none left."""

    def evict(self, num_blocks: int) -> Iterator[BlockIds]:
        """Take at least `num_blocks` unlocked blocks, or all there are, in runs, ends first."""

    def clear(self) -> None:
        """Forget everything; raise while a prefix is locked."""

    def draw(self) -> Iterator[str]:
        """Yield one line per node, for a person to read."""

    def cached(self) -> BlockIds:
        """Return all block ids of the tree, int32 `[num_blocks]`."""

    def check(self) -> None:
        """Raise if an invariant is broken."""
