"""Pins: cached prefixes that stay for a while, within a budget.

A system prompt that everybody will ask for again should not go just because nobody did for a
minute. A pin is a lock like any other, but it ends by itself after a number of ticks, and all pins
together hold at most `pin_budget_blocks` blocks, each counted once however often it is pinned.

A pin is a wish, not a right: it never keeps a request out that would fit alone. When nothing runs
and a prompt still does not fit, the pins go, those that expire first in front.
"""

import heapq
from dataclasses import dataclass

from radixlab.cache.errors import PinError
from radixlab.cache.node import Node
from radixlab.cache.protocols import Receipt
from radixlab.cache.tree import RadixTree


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
        self._by_expiry: list[tuple[int, int, Pin]] = []
        self._num_made = 0

    def __len__(self) -> int:
        return len(self._by_expiry)

    def nodes(self) -> list[Node]:
        """List the pinned nodes, one entry per pin."""
        return [pin.receipt.node for _, _, pin in self._by_expiry]

    def add(self, node: Node, expires_tick: int) -> Pin:
        """Pin the path to a node; raise `PinError` if that would break the budget."""
        pinned = {path_node for held in self.nodes() for path_node in held.path()}
        wanted = pinned | set(node.path())
        total = sum(path_node.num_blocks for path_node in wanted)
        if total > self._budget_blocks:
            already = sum(path_node.num_blocks for path_node in pinned)
            raise PinError(
                f"cannot pin {node.end} blocks: {already} are pinned, together that would be "
                f"{total} of a budget of {self._budget_blocks}"
            )
        pin = Pin(self._tree.lock(node), expires_tick, node.end)
        heapq.heappush(self._by_expiry, (expires_tick, self._num_made, pin))
        self._num_made += 1
        return pin

    def remove(self, pin: Pin) -> None:
        """Take a pin off; raise `PinError` if it is not active here."""
        if pin not in [known for _, _, known in self._by_expiry]:
            raise PinError("this pin is not active: it expired, was dropped or taken off before")
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

    def drop_first(self) -> None:
        """Take off the pin that expires first."""
        self._tree.unlock(heapq.heappop(self._by_expiry)[2].receipt)
