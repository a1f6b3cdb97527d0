"""Pins: cached prefixes that stay for a while, within a budget.

A system prompt that everybody will ask for again should not go just because nobody did for a
minute. A pin is a lock like any other, but it ends by itself after a number of ticks, and all pins
together hold at most `pin_budget_blocks` blocks, each counted once however often it is pinned.

A pin whose time is over holds nothing back from any call, though its lock is taken off only when a
call succeeds: a call that raises has changed nothing.

A pin is a wish, not a right: it never keeps a request out that would fit alone. When nothing else
runs and there is still not enough room, the pins go, first those that expire first.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from radixlab.cache.errors import CacheError, PinError
from radixlab.cache.found import Found
from radixlab.cache.node import Node
from radixlab.cache.protocols import Receipt
from radixlab.cache.tree import RadixTree
from radixlab.config import shown

Entry = tuple[int, int, "Pin"]
"""When a pin expires, its number, and the pin."""


@dataclass(eq=False, slots=True)
class Pin:
    """A pinned prefix, until it expires or `unpin` takes it."""

    receipt: Receipt
    expires_tick: int
    num_blocks: int
    """Blocks of the prefix."""

    @property
    def active(self) -> bool:
        """Whether it still protects its prefix."""
        return not self.receipt.released


class Pins:
    """The pins of one cache; O(log n) to add and to expire."""

    def __init__(self, tree: RadixTree, budget_blocks: int) -> None:
        self._tree = tree
        self._budget_blocks = budget_blocks
        self._by_expiry: list[Entry] = []
        self._num_made = 0

    def __len__(self) -> int:
        return len(self._by_expiry)

    def nodes(self) -> list[Node]:
        """List the pinned nodes, one entry per pin."""
        return [pin.receipt.node for _, _, pin in self._by_expiry]

    def check_budget(self, found: Found, tick: int) -> None:
        """Raise `PinError` if pinning what was found would break the budget; no node is cut yet."""
        pinned = {
            path_node
            for expires, _, pin in self._by_expiry
            if expires > tick
            for path_node in pin.receipt.node.path()
        }
        already = sum(path_node.num_blocks for path_node in pinned)
        new = sum(
            path_node.num_blocks for path_node in found.node.path() if path_node not in pinned
        )
        if found.child is not None and found.child not in pinned:
            new += found.child_blocks
        if already + new > self._budget_blocks:
            raise PinError(
                f"cannot pin {found.num_blocks} blocks: {already} are pinned, together that would "
                f"be {already + new} of a budget of {self._budget_blocks}"
            )

    def add(self, node: Node, expires_tick: int) -> Pin:
        """Pin the path to a node."""
        pin = Pin(self._tree.lock(node), expires_tick, node.end)
        heapq.heappush(self._by_expiry, (expires_tick, self._num_made, pin))
        self._num_made += 1
        return pin

    def check_active(self, pin: Pin, tick: int) -> None:
        """Raise `PinError` unless this is a pin of this cache whose time is not over."""
        if type(pin) is not Pin:
            raise PinError(f"{shown(pin)} is no pin: pass what pin returned")
        if not any(pin is known for expires, _, known in self._by_expiry if expires > tick):
            raise PinError("this pin is not active here: it expired, was dropped or taken off")

    def remove(self, pin: Pin) -> None:
        """Take a pin off."""
        self._by_expiry = [entry for entry in self._by_expiry if entry[2] is not pin]
        heapq.heapify(self._by_expiry)
        self._tree.unlock(pin.receipt)

    def receipts(self) -> list[Receipt]:
        """List what protects the pinned nodes."""
        return [pin.receipt for _, _, pin in self._by_expiry]

    def drop_below(self, node: Node) -> None:
        """Take off every pin on this node or below it."""
        for pin in [pin for _, _, pin in self._by_expiry if node in pin.receipt.node.path()]:
            self.remove(pin)

    def forget(self) -> None:
        """Drop all pins after a fault, without a look at the nodes."""
        self._by_expiry = []

    def expire(self, tick: int) -> None:
        """Take off every pin whose time is over."""
        while self._by_expiry and self._by_expiry[0][0] <= tick:
            self.drop_first()

    def drop_first(self) -> Entry:
        """Take off the pin that expires first."""
        entry = heapq.heappop(self._by_expiry)
        self._tree.unlock(entry[2].receipt)
        return entry

    @contextmanager
    def making_way(
        self, tick: int, has_enough: Callable[[], bool], all_may_go: bool
    ) -> Iterator[None]:
        """Take pins off for what happens inside the block; if that is refused, put them back.

        Those that have expired go, and if `all_may_go`, others until `has_enough()`.
        """
        gone = list[Entry]()
        while self._by_expiry and (
            self._by_expiry[0][0] <= tick or (all_may_go and not has_enough())
        ):
            gone.append(self.drop_first())
        try:
            yield
        except CacheError:
            for entry in gone:
                pin = entry[2]
                pin.receipt = self._tree.lock(pin.receipt.node)
                heapq.heappush(self._by_expiry, entry)
            raise

    def num_expired_blocks(self, tick: int) -> int:
        """Count the blocks that nothing but expired pins protects."""
        expired = [pin for expires, _, pin in self._by_expiry if expires <= tick]
        num_receipts = Counter[Node](pin.receipt.node for pin in expired)
        num_children, num_blocks = Counter[Node](), 0
        path_nodes = {node for pin in expired for node in pin.receipt.node.path()}
        for node in sorted(path_nodes, key=lambda node: node.end, reverse=True):  # children first
            receipts, children = num_receipts[node], num_children[node]
            if (node.num_receipts, node.num_locked_children) == (receipts, children):
                num_blocks += node.num_blocks
                if node.parent is not None:
                    num_children[node.parent] += 1
        return num_blocks
