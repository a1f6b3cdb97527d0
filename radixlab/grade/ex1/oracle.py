"""The oracle: which prefixes are cached in which blocks, and nothing about how.

A prefix is all the tokens from the beginning to the end of a block. So the model needs no tree and
no split, and its locks need no path: a receipt holds whatever its key begins with. A prefix has a
number, given to the pair of the prefix above it and its last block: so a long key costs no more
than its tokens.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from radixlab.escape import count
from radixlab.exercise.tree import Tokens

ROOT = 0
"""The number of the prefix without tokens."""


class PrefixModel:
    """What a right tree answers, whatever its nodes are.

    >>> model = PrefixModel(block_size=2)
    >>> model.insert((1, 2, 3, 4), [0, 1])
    ([0, 1], 0, [])
    >>> model.insert((1, 2, 5, 6), [2, 3])
    ([0, 3], 1, [2])
    """

    def __init__(self, block_size: int) -> None:
        self.block_size = block_size
        self.block_of: dict[int, int] = {}
        """The block of each cached prefix."""
        self.prefix_of: dict[int, int] = {}
        """The cached prefix of each block."""
        self.above: list[int] = [ROOT]
        """The prefix one block shorter, of each prefix."""
        self.lock_refs: Counter[int] = Counter()
        """Receipts held at or below each prefix."""
        self.last_block: list[Tokens] = [()]
        """The tokens of the last block of each prefix."""
        self.num_unlocked = 0
        self._receipts: dict[int, list[int]] = {}
        self._numbers: dict[tuple[int, Tokens], int] = {}

    def prefixes(self, tokens: Sequence[int], above: int = ROOT) -> Iterator[int]:
        """Yield the prefix that ends with each whole block of `tokens`, the shortest first."""
        for end in range(self.block_size, len(tokens) + 1, self.block_size):
            block = tuple(tokens[end - self.block_size : end])
            number = self._numbers.setdefault((above, block), len(self.above))
            if number == len(self.above):
                self.above.append(above)
                self.last_block.append(block)
            above = number
            yield number

    def follow(self, rows: Iterable[Any]) -> Iterator[tuple[list[int], Sequence[int], int]]:
        """Yield the prefixes that each node holds, its blocks and its lock_ref.

        Rows are `(id, parent_id, tokens, block_ids, lock_ref)`, parents first, None for the root.
        """
        end_of: dict[Any, int] = {None: ROOT}
        for node, parent, tokens, block_ids, lock_ref in rows:
            prefixes = list(self.prefixes(tokens, end_of[parent]))
            end_of[node] = prefixes[-1] if prefixes else end_of[parent]
            yield prefixes, block_ids, lock_ref

    def tokens(self, prefix: int) -> Tokens:
        """Return all tokens of a prefix."""
        blocks = []
        while prefix != ROOT:
            blocks.append(self.last_block[prefix])
            prefix = self.above[prefix]
        return tuple(token for block in reversed(blocks) for token in block)

    def match(self, tokens: Sequence[int]) -> list[int]:
        """Return the blocks of the longest cached prefix."""
        return [self.block_of[prefix] for prefix in self._cached(tokens)]

    def is_fair(self, tokens: Sequence[int], block_ids: Sequence[int]) -> bool:
        """Tell whether a caller may insert this: one id a block, and none that stands elsewhere."""
        return (len(set(block_ids)) == len(block_ids) == len(tokens) // self.block_size) and all(
            self.prefix_of.get(block, prefix) == prefix
            for prefix, block in zip(self.prefixes(tokens), block_ids, strict=True)
        )

    def insert(
        self, tokens: Sequence[int], block_ids: Sequence[int]
    ) -> tuple[list[int], int, list[int]]:
        """Return the tree's blocks, how many were there before, and the caller's duplicates."""
        num_cached, kept = len(self._cached(tokens)), []
        for prefix, block in zip(self.prefixes(tokens), block_ids, strict=True):
            kept.append(self.block_of.setdefault(prefix, block))
            self.prefix_of[kept[-1]] = prefix
        pairs = zip(block_ids, kept, strict=True)
        return kept, num_cached, [block for block, own in pairs if block != own]

    def lock(self, receipt: int, tokens: Sequence[int]) -> None:
        """Hold the longest cached prefix of `tokens`."""
        self._receipts[receipt] = self._cached(tokens)
        self.lock_refs.update(self._receipts[receipt])

    def unlock(self, receipt: int) -> None:
        """Let go what a receipt holds."""
        self.num_unlocked += 1
        self.lock_refs.subtract(self._receipts.pop(receipt))

    def evictable(self) -> list[int]:
        """List the cached prefixes that no receipt holds, in the order of insertion."""
        return [prefix for prefix in self.block_of if not self.lock_refs[prefix]]

    def why_not(self, block_ids: Sequence[int], num_blocks: int) -> str | None:
        """Say why these blocks do not answer `evict(num_blocks)`; None if they do."""
        gone: set[int] = set()
        for block in block_ids:
            prefix = self.prefix_of.get(block)
            if prefix is None:
                return f"block {block} is not in the tree"
            if prefix in gone:
                return f"block {block} is there twice"
            if self.lock_refs[prefix]:
                return f"a receipt protects block {block}"
            gone.add(prefix)
        for prefix, block in self.block_of.items():
            above = self.above[prefix]
            if above in gone and prefix not in gone:
                return f"block {self.block_of[above]} is evicted and block {block} below it stays"
        num_right = min(num_blocks, len(self.evictable()))
        if len(gone) != num_right:
            return f"it must return exactly {count(num_right, 'block')}"
        return None

    def evict(self, block_ids: Sequence[int]) -> None:
        """Forget these blocks."""
        for block in block_ids:
            del self.block_of[self.prefix_of.pop(block)]

    def any_evictable(self, num_blocks: int) -> list[int]:
        """Return blocks that may go, in one of the legal orders: what is below was inserted last.

        >>> model = PrefixModel(block_size=1)
        >>> _ = model.insert((1, 2, 3), [0, 1, 2])
        >>> model.any_evictable(2)
        [2, 1]
        """
        return [self.block_of[prefix] for prefix in self.evictable()[::-1][:num_blocks]]

    def _cached(self, tokens: Sequence[int]) -> list[int]:
        found = []
        for prefix in self.prefixes(tokens):
            if prefix not in self.block_of:
                break
            found.append(prefix)
        return found
