"""The oracle of the random runs: which block-aligned prefixes are cached, and nothing about how."""

Prefix = tuple[tuple[str, str] | None, tuple[int, ...]]


class PrefixModel:
    """Cached prefixes by namespace; told of commits, and of evictions by the blocks that went."""

    def __init__(self, block_size: int) -> None:
        self.block_size = block_size
        self.block_of: dict[Prefix, int] = {}

    def commit(self, namespace, tokens: list[int], block_table: list[int], num_tokens: int) -> None:
        """The full blocks of the first `num_tokens` tokens are cached, each in one block."""
        for i in range(num_tokens // self.block_size):
            prefix = namespace, tuple(tokens[: (i + 1) * self.block_size])
            assert self.block_of.setdefault(prefix, block_table[i]) == block_table[i], (
                "not re-pointed"
            )

    def evict(self, block_ids: list[int]) -> None:
        """These blocks are gone; each held exactly one prefix."""
        gone = [prefix for prefix, block in self.block_of.items() if block in block_ids]
        assert len(gone) == len(block_ids), f"{block_ids} held {gone}"
        for prefix in gone:
            del self.block_of[prefix]

    def hit_tokens(self, namespace, tokens: list[int], withhold: int = 1) -> int:
        """The longest cached prefix in whole blocks that leaves `withhold` tokens to compute."""
        num_blocks = 0
        while (num_blocks + 1) * self.block_size <= len(tokens) - withhold:
            if (
                namespace,
                tuple(tokens[: (num_blocks + 1) * self.block_size]),
            ) not in self.block_of:
                break
            num_blocks += 1
        return num_blocks * self.block_size
