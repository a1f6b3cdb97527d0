"""Which replicas hold which prefixes: one radix tree over block names, with a set in each node.

A node is a run of blocks that the same replicas are known to hold; its set of replicas is one
integer (`fleet.py`). A block's name covers all blocks before it, so a node needs no
pointers: the node that follows a run is the one whose first name comes next in the prompt. One
dictionary leads from a node's first name to the node.

    prompt  a b c d e f          node [a b c]  held by 0, 1, 5
            └─ 3 ─┘└ 2┘          node [d e]    held by 1
                                 longest known prefix: 5 blocks, on replica 1

The map is fed by routed prompts, which says what a replica probably holds, or by KV events, which
say what it holds. Events name single blocks, so there the dictionary has every name. A capacity
bounds what is remembered of each replica: the least recently used nodes are forgotten first. A node
is forgotten only after the nodes below it.
"""

from collections import OrderedDict
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from radixlab.config import positive
from radixlab.route.errors import RouteError
from radixlab.route.fleet import Slots, slots_in
from radixlab.route.prompt import Key, Keys

Level = tuple[int, Slots]
"""A number of leading blocks, and the replicas that hold at least so many."""


class Node:
    """A run of blocks that follow one another, and who holds all of them."""

    __slots__ = ("first", "holders", "keys")

    def __init__(self, keys: tuple[Key, ...], holders: Slots, first: int) -> None:
        self.keys = keys
        self.holders = holders
        self.first = first
        """The replica that held it first; it may have lost it since."""


class PrefixMap:
    """The prefixes of all replicas, by slot.

    `by_block` lets `remove` name single blocks, as KV events do.

    >>> known = PrefixMap()
    >>> known.add(1, (7, 8, 9))
    >>> known.add(2, (7, 8, 5))
    >>> known.levels((7, 8, 5, 4), alive=0b110)
    [(2, 6), (3, 4)]
    """

    def __init__(self, capacity_blocks: int | None = None, by_block: bool = True) -> None:
        if capacity_blocks is not None:
            capacity_blocks = positive("capacity_blocks", capacity_blocks)
        self.capacity_blocks = capacity_blocks
        """The most blocks that are remembered of one replica; None for no bound."""
        self.by_block = by_block
        self._node_of: dict[Key, Node] = {}
        self._held: dict[int, OrderedDict[Node, None]] = {}
        """The nodes of each replica. A node is used whenever one below it is, and counts as later
        used, so going from the oldest on meets every node before those above it."""
        self._num_blocks = np.zeros(8, np.int64)

    # ---- what is known

    def levels(self, keys: Keys, alive: Slots) -> list[Level]:
        """Return how many leading blocks of a prompt live replicas hold, and which replicas.

        Lengths rise and sets shrink. The last level is the longest known prefix and its holders.
        A replica that lacks a block in the middle is taken to hold nothing behind it.
        """
        found: list[Level] = []
        start, num_keys = 0, len(keys)
        while start < num_keys:
            node = self._node_of.get(keys[start])
            if node is None:
                break
            alive &= node.holders
            if not alive:
                break
            is_whole = node.keys[0] == keys[start]
            run = node.keys if is_whole else node.keys[node.keys.index(keys[start]) :]
            start += _num_equal(run, keys, start)
            if found and found[-1][1] == alive:
                found.pop()
            found.append((start, alive))
        return found

    def deepest(self, keys: Keys) -> tuple[int, int]:
        """Return how many leading blocks any replica holds, and the first holder of the last node.

        If that replica has lost the node, another holder's slot is returned; -1 if there is none.
        """
        start, node = 0, None
        while start < len(keys):
            following = self._node_of.get(keys[start])
            if following is None or following.keys[0] != keys[start]:
                break
            node = following
            num_equal = _num_equal(node.keys, keys, start)
            start += num_equal
            if num_equal < len(node.keys):
                break
        if node is None:
            return 0, -1
        is_held = node.holders >> node.first & 1
        return start, node.first if is_held else next(slots_in(node.holders))

    def holders(self, key: Key) -> Slots:
        """Return who holds a block; without `by_block`, the first block of a node."""
        node = self._node_of.get(key)
        return node.holders if node else 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of anybody."""
        return not self._node_of

    def num_blocks(self, slot: int) -> int:
        """Return how many blocks are known of a replica."""
        return int(self._num_blocks[slot]) if slot < len(self._num_blocks) else 0

    def sizes(self, num_slots: int) -> npt.NDArray[np.int64]:
        """Return how many blocks are known of each replica, [num_slots]; not to be written to."""
        self._grow(num_slots)
        return self._num_blocks[:num_slots]

    def nodes(self) -> Iterator[Node]:
        """Yield every node once, in no order."""
        yield from {id(node): node for node in self._node_of.values()}.values()

    # ---- what is learned

    def add(self, slot: int, keys: Keys) -> None:
        """Note that a replica holds these blocks, each following the one before it.

        If there are more than the capacity, only the first ones are remembered.
        """
        keys = tuple(keys[: self.capacity_blocks])
        if self.by_block:  # names of events are not trusted: one may be there twice
            keys = tuple(dict.fromkeys(keys))
        path: list[Node] = []
        start = 0
        while start < len(keys):
            node = self._node_of.get(keys[start])
            if node is None:
                node = self._new_node(keys, start, slot)
            elif node.keys[0] != keys[start]:  # the run begins above what is named here
                self._cut(node, node.keys.index(keys[start]), path)
            num_equal = _num_equal(node.keys, keys, start)
            if num_equal < len(node.keys):
                node = self._cut(node, num_equal, path)
            path.append(node)
            start += num_equal
        self._hold(slot, path)
        self._forget_oldest(slot)

    def remove(self, slot: int, keys: Keys) -> int:
        """Note that a replica no longer holds these blocks; return how many it was known to hold.

        They may be named in any order. Raises `RouteError` unless the map is kept by block.
        """
        if not self.by_block:
            raise RouteError("single blocks can only be removed from a map with by_block=True")
        bit, by_node = 1 << slot, dict[Node, set[Key]]()
        for key in keys:
            node = self._node_of.get(key)
            if node is not None and node.holders & bit:
                by_node.setdefault(node, set()).add(key)
        for node, names in by_node.items():
            if len(names) == len(node.keys):
                self._drop(slot, node)
            else:
                self._drop_parts(slot, node, names)
        return sum(map(len, by_node.values()))

    def forget(self, slot: int) -> None:
        """Forget all that is known of a replica."""
        for node in list(self._held.get(slot, ())):
            self._drop(slot, node)
        self._held.pop(slot, None)

    # ---- inside

    def _drop_parts(self, slot: int, node: Node, names: set[Key]) -> None:
        """Take a replica out of some blocks of a node, which become nodes of their own."""
        indices = [index for index, key in enumerate(node.keys) if key in names]
        for first, last in _runs(indices[::-1]):
            part = self._cut(node, last + 1, []) if last + 1 < len(node.keys) else node
            if first > 0:
                node = self._cut(part, first, [])
            self._drop(slot, part)

    def _new_node(self, keys: tuple[Key, ...], start: int, slot: int) -> Node:
        """Make a node of the blocks from `start` on that no node has yet."""
        stop = start + 1
        while stop < len(keys) and keys[stop] not in self._node_of:
            stop += 1
        node = Node(keys[start:stop], 0, slot)
        self._enter(node)
        return node

    def _enter(self, node: Node) -> None:
        """Let the names lead to the node."""
        if self.by_block:
            self._node_of.update(dict.fromkeys(node.keys, node))
        else:
            self._node_of[node.keys[0]] = node

    def _cut(self, lower: Node, num_blocks: int, path: list[Node]) -> Node:
        """Make the first blocks of a node a node of its own; return that one.

        `path` are the nodes above it. They count as used with it, which keeps them behind it.
        """
        upper = Node(lower.keys[:num_blocks], lower.holders, lower.first)
        lower.keys = lower.keys[num_blocks:]
        self._enter(upper)
        if not self.by_block:
            self._enter(lower)
        for slot in slots_in(upper.holders):
            held = self._held[slot]
            held[upper] = None
            for above in reversed(path):
                if above in held:
                    held.move_to_end(above)
        return upper

    def _hold(self, slot: int, path: list[Node]) -> None:
        """Put a replica into every node of a path, and count the path as used."""
        bit = 1 << slot
        self._grow(slot + 1)
        held = self._held.setdefault(slot, OrderedDict())
        for node in path:
            if not node.holders & bit:
                node.holders |= bit
                self._num_blocks[slot] += len(node.keys)
        for node in reversed(path):  # the highest last
            held[node] = None
            held.move_to_end(node)

    def _forget_oldest(self, slot: int) -> None:
        if self.capacity_blocks is None:
            return
        while self._num_blocks[slot] > self.capacity_blocks:
            self._drop(slot, next(iter(self._held[slot])))

    def _grow(self, num_slots: int) -> None:
        if num_slots > len(self._num_blocks):
            more = np.zeros(max(num_slots, 2 * len(self._num_blocks)), np.int64)
            more[: len(self._num_blocks)] = self._num_blocks
            self._num_blocks = more

    def _drop(self, slot: int, node: Node) -> None:
        """Take a replica out of a node; a node that nobody holds is gone."""
        del self._held[slot][node]
        self._num_blocks[slot] -= len(node.keys)
        node.holders &= ~(1 << slot)
        if not node.holders:
            for key in node.keys if self.by_block else node.keys[:1]:
                del self._node_of[key]


def _num_equal(run: tuple[Key, ...], keys: Keys, start: int) -> int:
    """Count the leading names of a run that a prompt has from `start` on."""
    part = keys[start : start + len(run)]
    if part == run:
        return len(run)
    low, high = 0, len(part)
    while low < high:  # a name covers all before it: where one is equal, all before are
        middle = (low + high) // 2
        low, high = (middle + 1, high) if part[middle] == run[middle] else (low, middle)
    return low


def _runs(indices: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last index of each run of neighbours, for falling `indices`."""
    last = first = indices[0]
    for index in indices[1:]:
        if index != first - 1:
            yield first, last
            last = index
        first = index
    yield first, last
