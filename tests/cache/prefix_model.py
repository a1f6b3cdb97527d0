"""The oracle of the random runs: which block-aligned prefixes are cached, and nothing about how."""

ALL = ("device", "host")
Prefix = tuple[tuple[str, str] | None, tuple[int, ...]]


class PrefixModel:
    """Cached prefixes by namespace; told of commits, and of moves and evictions by the blocks."""

    def __init__(self, block_size: int) -> None:
        self.block_size = block_size
        self.block_of: dict[Prefix, tuple[str, int]] = {}

    def commit(self, namespace, tokens: list[int], block_table: list[int], num_tokens: int) -> None:
        """The full blocks of the first `num_tokens` tokens are cached, each in one block."""
        for i in range(num_tokens // self.block_size):
            prefix = namespace, tuple(tokens[: (i + 1) * self.block_size])
            if self.block_of.get(prefix, ("host", 0))[0] == "host":
                self.block_of[prefix] = "device", block_table[i]
            assert self.block_of[prefix] == ("device", block_table[i]), "not re-pointed"

    def evict(self, tier: str, block_ids: list[int]) -> None:
        """These blocks are gone; each held exactly one prefix."""
        for prefix in self.held_by(tier, block_ids):
            del self.block_of[prefix]

    def move(self, tier: str, block_ids: list[int], to: str, new_ids: list[int]) -> None:
        """What these blocks held is in others now."""
        for prefix, new in zip(self.held_by(tier, block_ids), new_ids, strict=True):
            self.block_of[prefix] = to, new

    def held_by(self, tier: str, block_ids: list[int]) -> list[Prefix]:
        """The prefix that each of these blocks holds."""
        prefix_of = {place: prefix for prefix, place in self.block_of.items()}
        return [prefix_of[tier, block] for block in block_ids]

    def hit_tokens(self, namespace, tokens: list[int], withhold: int = 1, tiers=ALL) -> int:
        """The longest cached prefix in whole blocks that leaves `withhold` tokens to compute."""
        num_blocks = 0
        while (num_blocks + 1) * self.block_size <= len(tokens) - withhold:
            prefix = namespace, tuple(tokens[: (num_blocks + 1) * self.block_size])
            if self.block_of.get(prefix, ("nowhere", 0))[0] not in tiers:
                break
            num_blocks += 1
        return num_blocks * self.block_size
