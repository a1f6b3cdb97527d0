"""Our own events out of a remote tree, so that view, fold and recorder follow it like any other.

A change of the forest becomes the events that our own tree would emit. Neighbouring blocks that are
stored or removed one after the other become one event. Block ids are this reader's own numbers: an
engine publishes hashes, and does not say where a block lies.

A large subtree that moves (orphans that are adopted) is not told block by block. The listener gets
`AllBlocksCleared` and the whole tree instead, once, when the payload ends.
"""

from typing import TYPE_CHECKING

import numpy as np

from radixlab.cache.runs import to_runs
from radixlab.cache.tokens import TOKEN_BYTES
from radixlab.events import (
    AllBlocksCleared,
    BlockRemoved,
    BlockStored,
    Emit,
    LoadedBack,
    NodeSplit,
    Runs,
    TransfersCompleted,
    WrittenBack,
)
from radixlab.log import Log

if TYPE_CHECKING:
    from radixlab.observe.kv.forest import Block, Node

BUDGET = 4096
"""Most blocks that are told as moved in one payload."""
REASON = "removed by its engine"
"""The reason of every removal: no engine publishes one."""


class Telling:
    """Emits an event for each change, in the order of the changes."""

    def __init__(self, block_bytes: int = 0) -> None:
        self.log = Log()
        self.listener: Emit | None = None
        self.block_bytes = block_bytes
        """Bytes of a block's tokens at the front of its key."""
        self.evicted_blocks = self.dropped_blocks = 0
        self.written_back_blocks = self.loaded_back_blocks = 0
        self.has_host = False
        self.must_redraw = False
        """Whether changes are told at the end of the payload, all together."""
        self._budget = BUDGET
        self._open: tuple[Node, list[Block], bool] | None = None
        """Blocks of a node, and whether they were stored or removed: not told yet."""

    @property
    def emit(self) -> Emit | None:
        """The listener, if there is one that wants to hear each change."""
        return None if self.must_redraw else self.listener

    # ---- single changes

    def stored(self, node: "Node", block: "Block") -> None:
        """Note that a block was appended to a node on the device."""
        if self._open and self._open[0] is node and self._open[2]:
            self._open[1].append(block)
        else:
            self.flush()
            self._open = node, [block], True

    def removed(self, node: "Node", block: "Block") -> None:
        """Note that the last block of a node is about to go."""
        if self._open and self._open[0] is node and not self._open[2]:
            self._open[1].append(block)
        else:
            self.flush()
            self._open = node, [block], False

    def flush(self) -> None:
        """Tell what was held back to be told together."""
        if self._open is None:
            return
        (node, blocks, is_new), self._open = self._open, None
        if is_new:
            self._store(node, blocks)
        else:
            self._remove(node, blocks[::-1])

    def split(self, lower: "Node", upper: "Node") -> None:
        """Tell that a node gave its first blocks to a new one above it."""
        if emit := self.emit:
            num_blocks = len(upper.blocks)
            emit(NodeSplit(*self.log.stamp(), lower.id, upper.id, num_blocks))

    def changed_tier(self, node: "Node", before: list[int]) -> None:
        """Tell that a node left the device or came to it; `before` are its blocks' former ids."""
        now = [block.id for block in node.blocks]
        if not node.resident:
            self._write_back(node, before, now)
        elif not self.must_redraw:
            self.loaded_back_blocks += len(now)
            if emit := self.emit:
                emit(LoadedBack(*self.log.stamp(), node.id, _runs(before), _runs(now)))
                self._arrived(before, now, "load_back")

    # ---- subtrees

    def affordable(self, top: "Node") -> list["Node"]:
        """Return a subtree, parents first, if it is small enough to be told; else nothing."""
        self.flush()
        nodes, stack = [], [top]
        while stack and not self.must_redraw:
            node = stack.pop()
            nodes.append(node)
            stack += node.children.values()
            self._budget -= len(node.blocks)
            self.must_redraw = self._budget < 0
        return [] if self.must_redraw else nodes

    def subtree_removed(self, nodes: list["Node"]) -> None:
        """Tell that these nodes, parents first, are about to be moved."""
        for node in reversed(nodes):
            self._remove(node, node.blocks)

    def subtree_stored(self, nodes: list["Node"]) -> None:
        """Tell that these nodes, parents first, were moved, or are the whole tree."""
        for node in nodes:
            self._store(node, node.blocks)
            if not node.resident:
                ids = [block.id for block in node.blocks]
                self._write_back(node, ids, ids)

    def finish(self, nodes: list["Node"] | None) -> None:
        """End a payload; `nodes`, parents first, are the whole tree if it must be told again."""
        self.flush()
        self._budget, self.must_redraw = BUDGET, False
        if nodes is not None:
            self.cleared()
            self.subtree_stored(nodes)

    def cleared(self) -> None:
        """Tell that everything is gone."""
        self.flush()
        if emit := self.emit:
            emit(AllBlocksCleared(*self.log.stamp()))

    # ---- events

    def _store(self, node: "Node", blocks: list["Block"]) -> None:
        if not (emit := self.emit):
            return
        assert node.parent is not None
        tokens = b"".join(block.key[: self.block_bytes] for block in blocks)
        emit(
            BlockStored(
                *self.log.stamp(),
                node_id=node.id,
                parent_id=node.parent.id if node.parent.blocks else None,
                namespace=node.namespace,
                sequence_id=None,
                start_token=blocks[0].index * self.block_bytes // TOKEN_BYTES,
                block_runs=_runs([block.id for block in blocks]),
                tick=node.tick,
                token_ids=tuple(np.frombuffer(tokens, np.int32).tolist()),
            )
        )

    def _remove(self, node: "Node", blocks: list["Block"]) -> None:
        if self.must_redraw:
            return
        self.evicted_blocks += len(blocks) * node.resident
        self.dropped_blocks += len(blocks) * self.has_host
        if emit := self.emit:
            runs = _runs([block.id for block in blocks])
            emit(BlockRemoved(*self.log.stamp(), node.id, runs, REASON, node.tick))

    def _write_back(self, node: "Node", before: list[int], now: list[int]) -> None:
        if self.must_redraw:
            return
        self.evicted_blocks += len(now)
        self.written_back_blocks += len(now)
        if emit := self.emit:
            emit(
                WrittenBack(
                    *self.log.stamp(),
                    node_id=node.id,
                    host_node_id=node.id,
                    block_runs=_runs(before),
                    host_runs=_runs(now),
                    reason=REASON,
                    tick=node.tick,
                )
            )
            self._arrived(before, now, "write_back")

    def _arrived(self, before: list[int], now: list[int], kind: str) -> None:
        """Complete a transfer at once: an engine tells of it when it is done."""
        if emit := self.emit:
            transfers = tuple((src, dst, kind) for src, dst in zip(before, now, strict=True))
            emit(TransfersCompleted(*self.log.stamp(), transfers))


def _runs(ids: list[int]) -> Runs:
    return to_runs(np.array(ids, np.int32))
