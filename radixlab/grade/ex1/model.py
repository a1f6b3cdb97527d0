"""The oracle: which prefixes are cached in which blocks, and nothing about how.

A prefix is all the tokens from the beginning to the end of a block. So the model needs no tree and
no split, and its locks need no path: a receipt holds whatever its key begins with.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from radixlab.exercise.tree import Tokens


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
        self.block_of: dict[Tokens, int] = {}
        """The block of each cached prefix; a prefix comes after those that it begins with."""
        self.receipts: dict[int, Tokens] = {}

    def prefixes(self, tokens: Tokens) -> Iterator[Tokens]:
        """Yield the tokens up to the end of each whole block, the shortest first."""
        for end in range(self.block_size, len(tokens) + 1, self.block_size):
            yield tokens[:end]

    def match(self, tokens: Tokens) -> list[int]:
        """Return the blocks of the longest cached prefix."""
        found = []
        for prefix in self.prefixes(tokens):
            if prefix not in self.block_of:
                break
            found.append(self.block_of[prefix])
        return found

    def insert(self, tokens: Tokens, block_ids: Sequence[int]) -> tuple[list[int], int, list[int]]:
        """Return the tree's blocks, how many were there before, and the caller's duplicates."""
        num_cached, kept = len(self.match(tokens)), []
        for prefix, block in zip(self.prefixes(tokens), block_ids, strict=True):
            kept.append(self.block_of.setdefault(prefix, block))
        pairs = zip(block_ids, kept, strict=True)
        return kept, num_cached, [block for block, own in pairs if block != own]

    def lock(self, receipt: int, tokens: Tokens) -> None:
        """Hold the longest cached prefix of `tokens`."""
        self.receipts[receipt] = tokens[: len(self.match(tokens)) * self.block_size]

    def unlock(self, receipt: int) -> None:
        """Let go what a receipt holds."""
        del self.receipts[receipt]

    def lock_refs(self) -> Counter[Tokens]:
        """Count the receipts at or below each prefix."""
        return Counter(prefix for key in self.receipts.values() for prefix in self.prefixes(key))

    def evictable(self) -> list[Tokens]:
        """List the cached prefixes that no receipt holds."""
        locked = self.lock_refs()
        return [prefix for prefix in self.block_of if not locked[prefix]]

    def evict(self, block_ids: Sequence[int]) -> str | None:
        """Forget these blocks; or change nothing, and say why they must not go."""
        prefix_of = {block: prefix for prefix, block in self.block_of.items()}
        locked, gone = self.lock_refs(), set()
        for block in block_ids:
            prefix = prefix_of.get(block)
            if prefix is None:
                return f"block {block} is not in the tree"
            if prefix in gone:
                return f"block {block} is there twice"
            if locked[prefix]:
                return f"a receipt protects block {block}"
            gone.add(prefix)
        for prefix in self.block_of.keys() - gone:
            above = prefix[: -self.block_size]
            if above in gone:
                return (
                    f"block {self.block_of[above]} goes and block {self.block_of[prefix]} below it "
                    f"stays"
                )
        for prefix in gone:
            del self.block_of[prefix]
        return None

    def evict_any(self, num_blocks: int) -> list[int]:
        """Forget as many blocks as may go, in one of the legal orders; return them."""
        going = sorted(self.evictable(), key=len, reverse=True)[:num_blocks]
        return [self.block_of.pop(prefix) for prefix in going]
