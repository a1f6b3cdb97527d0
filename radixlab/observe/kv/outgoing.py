"""Our engine's events as KV events: what a router must know of our cache, and nothing else.

Only what other requests can find is told: whole blocks that were committed to the tree. A router is
not told of partial blocks, private blocks, forks (they share what is told already), matches and
locks.

    our event                  what is published
    BlockStored                BlockStored, GPU; if it replaces a host copy, also BlockRemoved, CPU
    BlockRemoved               BlockRemoved, GPU or CPU, wherever the node was
    WrittenBack                BlockStored, CPU, then BlockRemoved, GPU
    LoadedBack                 BlockStored, GPU, then BlockRemoved, CPU
    AllBlocksCleared           AllBlocksCleared
    CacheRestarted             AllBlocksCleared
    TreeResynced               AllBlocksCleared, then BlockStored for every node

An event of ours names a node and a sequence. So this file keeps the running sequences' tokens, and
each node's digests (`mirror.py`). It does not know sockets or threads.
"""

from array import array
from collections.abc import Callable
from typing import Any

from radixlab import events as ev
from radixlab.cache.runs import num_blocks_in
from radixlab.cache.tokens import TOKEN_BYTES
from radixlab.events import Event, Namespace
from radixlab.observe.kv.hashes import chain, published
from radixlab.observe.kv.mirror import Node, UnknownNodeError
from radixlab.observe.kv.wire import CPU, GPU, Cleared, Hash, Removed, WireEvent
from radixlab.observe.state import State


class Outgoing:
    """Turns our events into KV events, one at a time.

    >>> out = Outgoing(block_size=2)
    >>> _ = out.hear(ev.SequenceStarted(0, 0, 7, None, (1, 2, 3)))
    >>> stored = ev.BlockStored(1, 0, 0, None, None, 7, 0, ((5, 1),), 1)
    >>> [(event.token_ids, event.parent_block_hash) for event in out.hear(stored)]
    [([1, 2], None)]
    """

    def __init__(self, block_size: int) -> None:
        self.block_size = block_size
        self._sequences: dict[int, tuple[Namespace | None, array[int]]] = {}
        self._nodes: dict[int, Node] = {}
        self._roots: dict[Namespace | None, Node] = {}

    def hear(self, event: Event) -> list[WireEvent]:
        """Return what to publish for an event of ours.

        Raises `UnknownNodeError` if events before it are missing.
        """
        rule = _RULES.get(type(event).__name__)
        return [] if rule is None else rule(self, event)

    def begin(self, state: State) -> list[WireEvent]:
        """Return what to publish if the cache is in this state: everything that it holds."""
        self._forget()
        for sequence in state.sequences.values():
            self._sequences[sequence.id] = sequence.namespace, array("i", sequence.tokens)
        told: list[WireEvent] = [Cleared()]
        for part in state.nodes.values():
            tokens = array("i", part.tokens).tobytes()
            node = self._new_node(part.id, part.parent_id, part.namespace)
            node.resident = part.resident
            told += self._append(node, self._cut(tokens, len(part.block_ids)))
        return told

    # ---- sequences

    def _started(self, event: ev.SequenceStarted) -> list[WireEvent]:
        self._sequences[event.sequence_id] = event.namespace, array("i", event.token_ids)
        return []

    def _appended(self, event: ev.TokensAppended) -> list[WireEvent]:
        _, tokens = self._sequence(event.sequence_id)
        tokens[event.start :] = array("i", event.token_ids)
        return []

    def _forked(self, event: ev.SequenceForked) -> list[WireEvent]:
        namespace, tokens = self._sequence(event.parent_id)
        self._sequences[event.sequence_id] = namespace, tokens[: event.num_tokens]
        return []

    def _finished(self, event: ev.RequestFinished) -> list[WireEvent]:
        self._sequences.pop(event.sequence_id, None)
        return []

    def _sequence(self, sequence_id: int | None) -> tuple[Namespace | None, "array[int]"]:
        if sequence_id not in self._sequences:
            raise UnknownNodeError(f"no sequence {sequence_id} was started")
        return self._sequences[sequence_id]

    # ---- the tree

    def _stored(self, event: ev.BlockStored) -> list[WireEvent]:
        num_blocks = num_blocks_in(event.block_runs)
        blocks = self._cut(self._tokens_of(event, num_blocks), num_blocks)
        node = self._nodes.get(event.node_id)
        if event.sequence_id is not None:
            self._check_start(event, node)
        if node is not None and not node.resident:  # computed again while the host had it
            return self._arrive(node)
        if node is None:
            node = self._new_node(event.node_id, event.parent_id, event.namespace)
        return self._append(node, blocks)

    def _tokens_of(self, event: ev.BlockStored, num_blocks: int) -> bytes:
        if event.token_ids is not None:
            return array("i", event.token_ids).tobytes()
        _, tokens = self._sequence(event.sequence_id)
        stop = event.start_token + num_blocks * self.block_size
        return tokens[event.start_token : stop].tobytes()

    def _cut(self, tokens: bytes, num_blocks: int) -> list[bytes]:
        step = self.block_size * TOKEN_BYTES
        if len(tokens) != num_blocks * step:
            raise UnknownNodeError(
                f"{num_blocks} blocks of {self.block_size} tokens were stored with "
                f"{len(tokens) // TOKEN_BYTES} tokens: block_size is wrong, or events are missing"
            )
        return [tokens[start : start + step] for start in range(0, len(tokens), step)]

    def _check_start(self, event: ev.BlockStored, node: Node | None) -> None:
        """Check that what is stored goes on where the tree ends: the block size is right then."""
        if node is not None:
            above = node if node.resident else node.parent
        else:
            above = None if event.parent_id is None else self._node(event.parent_id)
        num_above = 0
        while above is not None:
            num_above += len(above.digests)
            above = above.parent
        if event.start_token != num_above * self.block_size:
            raise UnknownNodeError(
                f"a block at token {event.start_token} follows {num_above} blocks of "
                f"{self.block_size}: block_size is wrong, or events are missing"
            )

    def _new_node(self, node_id: int, parent_id: int | None, namespace: Namespace | None) -> Node:
        if parent_id is None:
            parent = self._roots.setdefault(namespace, Node(None, namespace))
        else:
            parent = self._node(parent_id)
        self._nodes[node_id] = node = Node(parent, namespace)
        parent.children.add(node_id)
        return node

    def _node(self, node_id: int) -> Node:
        if node_id not in self._nodes:
            raise UnknownNodeError(f"there is no node {node_id}")
        return self._nodes[node_id]

    def _append(self, node: Node, blocks: list[bytes]) -> list[WireEvent]:
        assert node.parent is not None
        parent = node.last_digest() if node.digests else node.parent.last_digest()
        start = len(node.digests)
        node.digests += chain(parent, blocks)
        node.blocks += blocks
        return [node.told(self.block_size, start)] if blocks else []

    def _split(self, event: ev.NodeSplit) -> list[WireEvent]:
        lower, num = self._node(event.node_id), event.num_blocks
        parent = lower.parent
        assert parent is not None
        upper = Node(parent, lower.namespace, lower.digests[:num], lower.blocks[:num])
        upper.resident, upper.children = lower.resident, {event.node_id}
        lower.digests, lower.blocks, lower.parent = lower.digests[num:], lower.blocks[num:], upper
        parent.children.discard(event.node_id)
        parent.children.add(event.upper_id)
        self._nodes[event.upper_id] = upper
        return []

    def _removed(self, event: ev.BlockRemoved) -> list[WireEvent]:
        node = self._node(event.node_id)
        gone = node.take_tail(num_blocks_in(event.block_runs))[0]
        if not node.digests:
            self._drop(event.node_id, node)
        return [Removed(_names(gone)[::-1], node.medium)]

    def _drop(self, node_id: int, node: Node) -> None:
        assert node.parent is not None
        node.parent.children.discard(node_id)
        del self._nodes[node_id]
        if node.parent.parent is None and not node.parent.children:
            self._roots.pop(node.namespace, None)

    # ---- the tiers

    def _written_back(self, event: ev.WrittenBack) -> list[WireEvent]:
        node, num = self._node(event.node_id), num_blocks_in(event.block_runs)
        if event.host_node_id == event.node_id:
            below, node.resident = node, False
        else:
            below = self._below(event, node)
            digests, blocks = node.take_tail(num)
            below.digests[:0], below.blocks[:0] = digests, blocks
        names = _names(below.digests[:num])
        return [below.told(self.block_size, 0, num), Removed(names[::-1], GPU)]

    def _below(self, event: ev.WrittenBack, node: Node) -> Node:
        """Return the host node that takes a node's tail: its child, or a new one above them."""
        below = self._nodes.get(event.host_node_id)
        if below is None:
            below = Node(node, node.namespace, children=node.children, resident=False)
            for child in below.children:
                self._nodes[child].parent = below
            node.children = {event.host_node_id}
            self._nodes[event.host_node_id] = below
        return below

    def _loaded_back(self, event: ev.LoadedBack) -> list[WireEvent]:
        return self._arrive(self._node(event.node_id))

    def _arrive(self, node: Node) -> list[WireEvent]:
        """Let a node of the host be on the device."""
        node.resident = True
        return [node.told(self.block_size), Removed(_names(node.digests)[::-1], CPU)]

    # ---- everything at once

    def _cleared(self, event: ev.AllBlocksCleared) -> list[WireEvent]:
        sequences = self._sequences
        self._forget()
        self._sequences = sequences
        return [Cleared()]

    def _restarted(self, event: ev.CacheRestarted) -> list[WireEvent]:
        self._forget()
        return [Cleared()]

    def _resynced(self, event: ev.TreeResynced) -> list[WireEvent]:
        told = self._cleared(ev.AllBlocksCleared(0, 0))
        for node_id, parent_id, namespace, tokens, block_ids, *_ in event.nodes:
            node = self._new_node(node_id, parent_id, namespace)
            told += self._append(node, self._cut(array("i", tokens).tobytes(), len(block_ids)))
        return told

    def _forget(self) -> None:
        self._sequences, self._nodes, self._roots = {}, {}, {}


def _names(digests: list[bytes]) -> list[Hash]:
    return list(map(published, digests))


_RULES: dict[str, Callable[[Outgoing, Any], list[WireEvent]]] = {
    "SequenceStarted": Outgoing._started,
    "TokensAppended": Outgoing._appended,
    "SequenceForked": Outgoing._forked,
    "RequestFinished": Outgoing._finished,
    "BlockStored": Outgoing._stored,
    "NodeSplit": Outgoing._split,
    "BlockRemoved": Outgoing._removed,
    "WrittenBack": Outgoing._written_back,
    "LoadedBack": Outgoing._loaded_back,
    "AllBlocksCleared": Outgoing._cleared,
    "CacheRestarted": Outgoing._restarted,
    "TreeResynced": Outgoing._resynced,
}
"""The events that matter; all others leave what can be found as it is."""

HEARD = frozenset(ev.EVENT_TYPES[name] for name in _RULES)
