"""Who holds what in a folded state: an index that is kept up to date event by event.

The rules of `lamp.py` ask "which nodes have block 5?" after every event. This file answers without
a search through the whole state. js/holders.js is the same index in the browser.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable

from radixlab.observe.state import NodeState, SequenceState, State

Index = defaultdict[Hashable, list[int]]
"""The holders' ids by what they hold; an id is there as often as it holds the thing."""


class Holders:
    """Blocks, children, first blocks and locks of a state, with the ids of those that have them."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.rebuild()

    def rebuild(self) -> None:
        """Enter everything from the state."""
        self.on_device: Index = defaultdict(list)
        """Nodes by block of the device."""
        self.on_host: Index = defaultdict(list)
        """Nodes by block of the host."""
        self.children: Index = defaultdict(list)
        """Nodes by parent."""
        self.fronts: Index = defaultdict(list)
        """Nodes by parent, namespace of a root, and first block."""
        self.tables: Index = defaultdict(list)
        """Sequences by block in their table."""
        self.lockers: Index = defaultdict(list)
        """Sequences by the node that they have locked."""
        self.add(self.state.nodes, self.state.sequences)

    def add(self, node_ids: Iterable[int], sequence_ids: Iterable[int]) -> None:
        """Enter those of these nodes and sequences that exist."""
        for index, key, id in self._entries(node_ids, sequence_ids):
            index[key].append(id)

    def remove(self, node_ids: Iterable[int], sequence_ids: Iterable[int]) -> None:
        """Strike what `add` entered; call it before they change."""
        for index, key, id in self._entries(node_ids, sequence_ids):
            index[key].remove(id)
            if not index[key]:
                del index[key]

    def blocks_of(self, node: NodeState) -> Index:
        """Return the index of the tier on which the node's blocks are."""
        return self.on_device if node.resident else self.on_host

    def front(self, node: NodeState) -> Hashable:
        """Return what no sibling may have too; None if the tokens were left out of a recording."""
        first = tuple(node.tokens[: self.state.block_size])
        if not any(first):
            return None
        return node.parent_id, node.namespace if node.parent_id is None else None, first

    def _entries(
        self, node_ids: Iterable[int], sequence_ids: Iterable[int]
    ) -> Iterable[tuple[Index, Hashable, int]]:
        for id in node_ids:
            if (node := self.state.nodes.get(id)) is not None:
                yield from self._node_entries(node)
        for id in sequence_ids:
            if (sequence := self.state.sequences.get(id)) is not None:
                yield from self._sequence_entries(sequence)

    def _node_entries(self, node: NodeState) -> Iterable[tuple[Index, Hashable, int]]:
        yield self.children, node.parent_id, node.id
        if (front := self.front(node)) is not None:
            yield self.fronts, front, node.id
        for block in node.block_ids:
            yield self.blocks_of(node), block, node.id

    def _sequence_entries(self, sequence: SequenceState) -> Iterable[tuple[Index, Hashable, int]]:
        if sequence.node_id is not None:
            yield self.lockers, sequence.node_id, sequence.id
        for block in sequence.block_table:
            yield self.tables, block, sequence.id
