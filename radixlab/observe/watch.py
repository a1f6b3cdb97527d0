"""Watching a tree that emits no events, such as a learner's tree.

`watch(tree)` has the tree's own methods. It compares `walk()` before and after each call and turns
the difference into ordinary events. So every tree with this protocol can be drawn, recorded and
replayed like ours. A difference that no ordinary event describes (for example, a lock that never
reached the ancestors) is sent as the new rows: the picture shows the learner's tree with its bugs.
"""

from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np

from radixlab.cache.protocols import PrefixTree
from radixlab.cache.results import BlockIds, InsertResult, Match, NodeView, TreeStats
from radixlab.cache.runs import to_runs
from radixlab.cache.tokens import TokensLike
from radixlab.events import (
    BlockRemoved,
    BlockStored,
    Emit,
    Event,
    Namespace,
    NodeLocked,
    NodeSplit,
    NodeUnlocked,
    TreeResynced,
)
from radixlab.log import Log
from radixlab.observe.state import NodeState, State, fold

Result = TypeVar("Result")

SITES: dict[type[Event], str] = {
    NodeSplit: "tree.split",
    BlockStored: "tree.store",
    BlockRemoved: "tree.take_tail",
    NodeLocked: "locks.lock",
    NodeUnlocked: "locks.unlock",
}
"""Where our own tree emits these when it is called directly; the site of a watched tree's event."""


LOST = "gone after "
"""With the name of a call, the reason of a block that went in a call that does not evict."""


def watch(
    tree: PrefixTree, block_size: int, num_blocks: int, emit: Emit | None = None
) -> "WatchedTree":
    """Wrap a tree so that each call emits events for its changes.

    `num_blocks` is the size of the pool to draw.
    """
    return WatchedTree(tree, block_size, num_blocks, emit)


class WatchedTree:
    """A `PrefixTree` that passes every call to another one and reports the difference.

    >>> from radixlab.cache import RadixTree
    >>> events = []
    >>> tree = watch(RadixTree(block_size=2), block_size=2, num_blocks=4, emit=events.append)
    >>> _ = tree.insert([1, 2, 3, 4], np.array([0, 1], np.int32))
    >>> _ = tree.match_prefix([1, 2, 5, 6])
    >>> [type(event).__name__ for event in events]
    ['BlockStored', 'NodeSplit']
    """

    def __init__(
        self, tree: PrefixTree, block_size: int, num_blocks: int, emit: Emit | None = None
    ) -> None:
        self.tree = tree
        self.emit = emit
        self._log = Log()
        self._state = State(num_blocks, block_size)
        self._report(None)

    @property
    def next_seq(self) -> int:
        """The number of the next event."""
        return self._log.seq

    def snapshot(self) -> State:
        """Read the tree's state now."""
        fresh = State(self._state.num_blocks, self._state.block_size)
        fresh.evicted_blocks = self._state.evicted_blocks
        fresh.nodes = {view.id: node_state(view) for view in self.tree.walk()}
        return fresh

    def match_prefix(self, tokens: TokensLike, namespace: Namespace | None = None) -> Match:
        """Pass on, and report."""
        return self._report(self.tree.match_prefix(tokens, namespace), "match_prefix")

    def peek(self, tokens: TokensLike, namespace: Namespace | None = None) -> BlockIds:
        """Pass on, and report: a peek that changes something becomes visible."""
        return self._report(self.tree.peek(tokens, namespace), "peek")

    def insert(
        self, tokens: TokensLike, block_ids: BlockIds, namespace: Namespace | None = None
    ) -> InsertResult:
        """Pass on, and report."""
        return self._report(self.tree.insert(tokens, block_ids, namespace), "insert")

    def lock(self, node: Any) -> Any:
        """Pass on, and report."""
        return self._report(self.tree.lock(node), "lock")

    def unlock(self, receipt: Any) -> None:
        """Pass on, and report."""
        self.tree.unlock(receipt)
        self._report(None, "unlock")

    def trim(self, node: Any, num_blocks: int) -> BlockIds:
        """Pass on, and report."""
        return self._report(self.tree.trim(node, num_blocks))

    def evict(self, num_blocks: int) -> BlockIds:
        """Pass on, and report."""
        return self._report(self.tree.evict(num_blocks))

    def walk(self) -> Iterator[NodeView]:
        """Pass on."""
        return self.tree.walk()

    def stats(self) -> TreeStats:
        """Pass on."""
        return self.tree.stats()

    def _report(self, result: Result, call: str | None = None) -> Result:
        """Emit the differences from the last known state; return `result`.

        `call` names a method that does not evict; then a block that is gone is lost.

        The events of one call have the same `step`, so that a viewer knows where a call ends.
        """
        now = self.snapshot()
        for event in self._difference(self._state, now, call):
            fold(self._state, event)
            if self.emit:
                self.emit(event)
        if self._state.nodes != now.nodes:
            self._state.nodes = now.nodes
            if self.emit:
                rows = tuple(_row(node) for node in now.nodes.values())
                self.emit(TreeResynced(*self._log.stamp(), nodes=rows))
        self._log.step += 1
        return result

    def _difference(self, before: State, now: State, call: str | None) -> Iterator[Event]:
        """Yield events for splits, then removals, insertions and locks.

        The caller must consume them one at a time: `before` is updated along the way.
        """
        for node in list(now.nodes.values()):
            yield from self._split_below(before, now, node)
        for node in reversed(list(before.nodes.values())):  # children before parents
            keep = len(now.nodes[node.id].block_ids) if node.id in now.nodes else 0
            if gone := node.block_ids[keep:]:
                yield BlockRemoved(
                    *self._log.stamp(),
                    site=SITES[BlockRemoved],
                    node_id=node.id,
                    block_runs=_runs(gone),
                    reason=LOST + call if call else "evicted",
                    tick=node.tick,
                )
        for node in now.nodes.values():
            known = len(before.nodes[node.id].block_ids) if node.id in before.nodes else 0
            if new := node.block_ids[known:]:
                start = known * now.block_size
                yield BlockStored(
                    *self._log.stamp(),
                    site=SITES[BlockStored],
                    node_id=node.id,
                    parent_id=node.parent_id,
                    namespace=node.namespace,
                    sequence_id=None,
                    start_token=start,
                    block_runs=_runs(new),
                    tick=node.tick,
                    token_ids=tuple(node.tokens[start:]),
                )
        for node_id, change in _receipts_changed(before, now).items():
            for _ in range(abs(change)):
                kind = NodeLocked if change > 0 else NodeUnlocked
                yield kind(*self._log.stamp(), site=SITES[kind], node_id=node_id, sequence_id=None)

    def _split_below(self, before: State, now: State, upper: NodeState) -> Iterator[Event]:
        """Yield a split if `upper` is new and took its blocks from the front of a child."""
        if upper.id in before.nodes:
            return
        for lower in now.nodes.values():
            old = before.nodes.get(lower.id)
            if (
                lower.parent_id == upper.id
                and old
                and old.block_ids == upper.block_ids + lower.block_ids
            ):
                yield NodeSplit(
                    *self._log.stamp(),
                    site=SITES[NodeSplit],
                    node_id=lower.id,
                    upper_id=upper.id,
                    num_blocks=len(upper.block_ids),
                )


def _receipts_changed(before: State, now: State) -> dict[int, int]:
    """Return the change in the number of receipts for each node itself, without descendants."""
    change = {}
    own_before, own_now = _own_receipts(before), _own_receipts(now)
    for node_id, count in own_now.items():
        if count != own_before.get(node_id, 0):
            change[node_id] = count - own_before.get(node_id, 0)
    return change


def _own_receipts(state: State) -> dict[int, int]:
    own = {node.id: node.lock_ref for node in state.nodes.values()}
    for node in state.nodes.values():
        if node.parent_id in own:
            own[node.parent_id] -= node.lock_ref
    return own


def node_state(view: NodeView) -> NodeState:
    """Convert a tree's view of a node into a part of a `State`."""
    tokens, blocks = list(view.tokens), list(view.block_ids)
    return NodeState(
        view.id,
        view.parent_id,
        view.namespace,
        tokens,
        blocks,
        view.lock_ref,
        view.num_hits,
        view.tick,
        view.resident,
    )


def _row(node: NodeState) -> tuple[Any, ...]:
    return (
        node.id, node.parent_id, node.namespace, tuple(node.tokens), tuple(node.block_ids),
        node.lock_ref, node.num_hits, node.tick,
    )  # fmt: skip


def _runs(block_ids: list[int]) -> tuple[tuple[int, int], ...]:
    return to_runs(np.array(block_ids, np.int32))
