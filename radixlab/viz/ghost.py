"""The ghost of a run: what the other of two runs has, where this run has something else.

Blocks are compared by their standing and by what they hold: the tokens from the top of the tree to
the block's end, in their namespace. Ids of nodes and sequences are never compared. The browser has
the same functions (js/ghost.js, js/prefixes.js); a test compares the two.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import gcd

from radixlab.observe.state import State
from radixlab.viz.facts import BlockFacts, Standing, block_facts

OTHER_TOKENS = len(Standing)
"""The kind of a block that has the same standing in both runs, and holds other tokens."""

KINDS = ("free", "cached", "in use by one", "private", "shared", "copying", "on host")
"""What the other run has in a block, by standing."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A run's state at one position, under the run's name."""

    name: str
    state: State
    facts: BlockFacts = field(init=False)

    def __post_init__(self) -> None:
        """Find the standing of every block."""
        object.__setattr__(self, "facts", block_facts(self.state))


@dataclass(frozen=True, slots=True)
class Ghost:
    """The other run over this run's map: `kinds` by block, and what is said of it in one line."""

    name: str
    """Of this run."""
    kinds: list[int | None]
    facts: BlockFacts
    """Of the other run."""
    line: str


def ghost_of(mine: Moment, other: Moment) -> Ghost:
    """Find the ghost of `other` over the map of `mine`; it is empty if blocks differ in size."""
    alike = mine.state.block_size == other.state.block_size
    kinds = ghost_kinds(mine, other) if alike else []
    return Ghost(mine.name, kinds, other.facts, ghost_line(mine, other))


class _Prefixes:
    """Numbers prefixes in steps of some tokens: equal prefixes have equal numbers."""

    def __init__(self, unit: int) -> None:
        self.unit = unit
        self._numbers: dict[str | tuple[int, tuple[int, ...]], int] = {}

    def root(self, namespace: object) -> int:
        return self._numbers.setdefault(json.dumps(namespace), len(self._numbers) + 1)

    def along(self, above: int, tokens: list[int]) -> list[int]:
        """Return the numbers at the end of each step along tokens that follow `above`."""
        numbers = []
        for start in range(0, len(tokens), self.unit):
            step = (above, tuple(tokens[start : start + self.unit]))
            above = self._numbers.setdefault(step, len(self._numbers) + 1)
            numbers.append(above)
        return numbers


@dataclass(slots=True)
class _Contents:
    """The numbers along each node, and the number at the end of each block that holds tokens."""

    per_block: int
    nodes: dict[int, list[int]]
    device: dict[int, int]


def ghost_line(mine: Moment, other: Moment) -> str:
    """Say in which blocks the other run has something else.

    >>> ghost_line(Moment("a", State(4, 2)), Moment("b", State(4, 2)))
    'b has the same in 4 blocks'
    """
    if mine.state.block_size != other.state.block_size:
        one, two = (_plural(m.state.block_size, "token") for m in (other, mine))
        sizes = f"{other.name} has blocks of {one}, {mine.name} of {two}"
        return f"{sizes}: their maps cannot be compared block by block"
    kinds = ghost_kinds(mine, other)
    both = min(len(kinds), other.state.num_blocks)
    of = _plural(both, "block")
    differing = [kind for kind in kinds if kind is not None]
    line = f"{other.name} has the same in {of}"
    if differing:
        line = f"{other.name} differs in {len(differing):,} of {of}: {_by_kind(differing)}"
    if missing := len(kinds) - both:
        return f"{line}; it does not have the last {_plural(missing, 'block')}"
    beyond = other.state.num_blocks - both
    return f"{line}; it has {_plural(beyond, 'more block')}" if beyond else line


def ghost_kinds(mine: Moment, other: Moment) -> list[int | None]:
    """Return what the other run has in each of this run's blocks; None where that is the same.

    Both runs must have the same block size. A block that the other run does not have is None too.
    """
    prefixes = _Prefixes(mine.state.block_size)
    held = [_contents(moment.state, prefixes).device for moment in (mine, other)]
    kinds: list[int | None] = [None] * mine.state.num_blocks
    for block, (here, there) in enumerate(
        zip(mine.facts.standing, other.facts.standing, strict=False)
    ):
        if here is not there:
            kinds[block] = int(there)
        elif here is not Standing.FREE and held[0].get(block) != held[1].get(block):
            kinds[block] = OTHER_TOKENS
    return kinds


def tree_line(mine: Moment, other: Moment) -> str:
    """Say how many blocks only the other run's tree has; "" for none."""
    prefixes = _Prefixes(gcd(mine.state.block_size, other.state.block_size))
    known = {n for ns in _contents(mine.state, prefixes).nodes.values() for n in ns}
    there = _contents(other.state, prefixes)
    blocks = 0
    for id, numbers in there.nodes.items():
        for k in range(len(other.state.nodes[id].block_ids)):
            steps = numbers[k * there.per_block : (k + 1) * there.per_block]
            blocks += any(number not in known for number in steps)
    if not blocks:
        return ""
    return f"{other.name} has {_plural(blocks, 'block')} in its tree that {mine.name} does not have"


def _by_kind(kinds: list[int]) -> str:
    names = [*KINDS, "with other tokens"]
    return ", ".join(f"{kinds.count(k):,} {name}" for k, name in enumerate(names) if k in kinds)


def _plural(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _contents(state: State, prefixes: _Prefixes) -> _Contents:
    held = _Contents(state.block_size // prefixes.unit, {}, {})
    children: dict[int | None, list[int]] = {None: []} | {id: [] for id in state.nodes}
    for node in state.nodes.values():
        children[node.parent_id if node.parent_id in state.nodes else None].append(node.id)
    queue = [(id, prefixes.root(state.nodes[id].namespace)) for id in children[None]]
    for id, above in queue:  # parents first
        node = state.nodes[id]
        numbers = held.nodes[id] = prefixes.along(above, node.tokens)
        if node.resident:
            held.device.update(_ends(node.block_ids, numbers, held.per_block))
        queue += [(child, numbers[-1] if numbers else above) for child in children[id]]
    for sequence in state.sequences.values():
        numbers = prefixes.along(prefixes.root(sequence.namespace), sequence.tokens)
        for block, number in _ends(sequence.block_table, numbers, held.per_block):
            held.device.setdefault(block, number)
    return held


def _ends(blocks: list[int], numbers: list[int], per_block: int) -> Iterator[tuple[int, int]]:
    """Yield each block that holds a token, with the number at its end."""
    for k, block in enumerate(blocks):
        if steps := numbers[k * per_block : (k + 1) * per_block]:
            yield block, steps[-1]
