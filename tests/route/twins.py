"""Naive twins of the map, and names for blocks that cover all before them."""

from collections.abc import Iterable
from random import Random

from radixlab.route.prefix_map import PrefixMap
from radixlab.route.prompt import Keys


class Names:
    """Gives every path of letters its blocks' names: equal paths, equal names."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def of(self, path: str) -> tuple[int, ...]:
        """Return a name for each letter, which stands for the letters before it too."""
        ends = range(1, len(path) + 1)
        return tuple(self._known.setdefault(path[:end], len(self._known) + 1) for end in ends)


class NaiveMap:
    """For each replica the set of blocks that it holds, and nothing else."""

    def __init__(self) -> None:
        self.held: dict[int, set[int]] = {}

    def add(self, slot: int, keys: Keys) -> None:
        """Hold blocks."""
        self.held.setdefault(slot, set()).update(keys)

    def remove(self, slot: int, keys: Iterable[int]) -> int:
        """Hold them no longer."""
        gone = self.held.get(slot, set()) & set(keys)
        self.held.get(slot, set()).difference_update(gone)
        return len(gone)

    def forget(self, slot: int) -> None:
        """Hold nothing."""
        self.held.pop(slot, None)

    def levels(self, keys: Keys, alive: int) -> list[tuple[int, int]]:
        """Ask every replica about every length."""
        found: list[tuple[int, int]] = []
        for length in range(1, len(keys) + 1):
            who = [s for s, held in self.held.items() if held >= set(keys[:length])]
            slots = sum(1 << slot for slot in who if alive >> slot & 1)
            if not slots:
                break
            if found and found[-1][1] == slots:
                found.pop()
            found.append((length, slots))
        return found


def random_path(rng: Random, longest: int = 12) -> str:
    """Draw a path that often begins like others."""
    return "".join(rng.choice("aab") for _ in range(rng.randrange(longest + 1)))


def check(known: PrefixMap) -> None:
    """Check all that holds between the nodes, the index and the sizes at any time."""
    nodes = list(known.nodes())
    sizes: dict[int, int] = {}
    names = [key for node in nodes for key in node.keys]
    assert len(names) == len(set(names)), "a block is in two nodes"
    for node in nodes:
        assert node.keys and node.holders, "a node without blocks or holders"
        indexed = node.keys if known.by_block else node.keys[:1]
        assert all(known._node_of[key] is node for key in indexed)
        for slot in range(node.holders.bit_length()):
            is_holder = bool(node.holders >> slot & 1)
            assert is_holder == (node in known._held.get(slot, ())), "sets and lists disagree"
            sizes[slot] = sizes.get(slot, 0) + is_holder * len(node.keys)
    assert len(known._node_of) == (len(names) if known.by_block else len(nodes))
    assert all(known.num_blocks(slot) == size for slot, size in sizes.items())
