"""Pins: cached prefixes that stay for a while, within a budget.

A popular system prompt should not be evicted because it was not used for a minute. A pin is an
ordinary lock, but it expires after a number of ticks. All pins together hold at most
`pin_budget_blocks` blocks; a block counts once, however often it is pinned.

An expired pin restricts no call. Its lock is removed only when a call succeeds, because a call that
raises changes nothing.

A pin is a wish, not a right: a request that fits the pool alone is never rejected because of a pin.
If nothing else runs and there is still not enough room, pins are dropped, in the order in which
they expire.
"""

import heapq
from collections import Counter
from dataclasses import dataclass
from typing import Any

from radixlab.cache.errors import CacheError, PinError
from radixlab.cache.found import Found
from radixlab.cache.node import Node, Receipt
from radixlab.cache.sequence import Sequence
from radixlab.cache.stats import Counts
from radixlab.cache.supply import BlockSupply
from radixlab.cache.tokens import Tokens
from radixlab.cache.tree import RadixTree
from radixlab.config import shown
from radixlab.escape import count
from radixlab.events import Namespace

Entry = tuple[int, int, "Pin"]
"""When a pin expires, its number, and the pin."""


@dataclass(eq=False, slots=True)
class Pin:
    """A pinned prefix, until the pin expires or `unpin` removes it."""

    receipt: Receipt
    expires_tick: int
    num_blocks: int
    """Blocks of the prefix."""

    @property
    def active(self) -> bool:
        """Whether the pin still protects its prefix."""
        return not self.receipt.released


class Pins:
    """The pins of one cache; O(log n) to add and to expire."""

    def __init__(
        self,
        tree: RadixTree,
        supply: BlockSupply,
        counts: Counts,
        sequences: dict[int, Sequence],
        budget_blocks: int,
    ) -> None:
        self._tree = tree
        self._supply = supply
        self._counts = counts
        self._sequences = sequences
        self._budget_blocks = budget_blocks
        self._by_expiry: list[Entry] = []
        self._num_made = 0

    def __len__(self) -> int:
        return len(self._by_expiry)

    def nodes(self) -> list[Node]:
        """List the pinned nodes, one entry per pin."""
        return [pin.receipt.node for _, _, pin in self._by_expiry]

    def pin(self, prompt: Tokens, ttl_ticks: int, namespace: Namespace | None) -> Pin:
        """Pin what the device has of a prompt, in whole blocks; `KVCacheManager.pin` says more."""
        whole_blocks = prompt.num_tokens // self._tree.block_size
        found = self._tree.find(prompt, whole_blocks, namespace).on_device()
        if not found.num_blocks:
            of = count(prompt.num_tokens, "token")
            raise PinError(f"nothing to pin: no block of a prompt of {of} is cached")
        self._check_budget(found)
        pin = self._add(self._tree.cut(found), self._counts.tick + ttl_ticks)
        self.expire()
        return pin

    def unpin(self, pin: Pin | Any) -> None:
        """Take a pin off before its time; raise `PinError` unless it is a pin that holds here."""
        if type(pin) is not Pin:
            raise PinError(f"{shown(pin)}  is not a pin: pass what pin returned")
        tick = self._counts.tick
        if not any(pin is known for expires, _, known in self._by_expiry if expires > tick):
            raise PinError("this pin is not active here: it expired, or was dropped or removed")
        self.remove(pin)

    def require(self, num_blocks: int, found: Found | None) -> None:
        """Be `BlockSupply.require` for a cache with pins: those that must make way go first.

        Pins that have expired go. Others go too, those that expire first before the rest, if they
        alone keep out whoever asks: a first request, or the only one that runs. Raises
        `OutOfBlocksError`, and leaves every pin where it is, if that would not be enough.
        """
        if self._by_expiry:
            others = len(self._sequences) - (found is None)
            self._make_way(num_blocks, found, all_may_go=not others)
        else:
            self._supply.require(num_blocks, found)

    def _check_budget(self, found: Found) -> None:
        """Raise `PinError` if pinning this match would exceed the budget; no node is split yet.

        Rules: E9.
        """
        pinned = {
            path_node
            for expires, _, pin in self._by_expiry
            if expires > self._counts.tick
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
                f"cannot pin {count(found.num_blocks, 'block')}: "
                f"{count(already, 'is', 'are')} pinned, together that would be "
                f"{already + new} of a budget of {self._budget_blocks}"
            )

    def _add(self, node: Node, expires_tick: int) -> Pin:
        """Pin the path to a node."""
        pin = Pin(self._tree.locks.lock(node), expires_tick, node.end)
        heapq.heappush(self._by_expiry, (expires_tick, self._num_made, pin))
        self._num_made += 1
        return pin

    def remove(self, pin: Pin) -> None:
        """Remove a pin."""
        self._by_expiry = [entry for entry in self._by_expiry if entry[2] is not pin]
        heapq.heapify(self._by_expiry)
        self._tree.locks.unlock(pin.receipt)

    def receipts(self) -> list[Receipt]:
        """List the receipts of the pins."""
        return [pin.receipt for _, _, pin in self._by_expiry]

    def drop_below(self, node: Node) -> None:
        """Remove every pin on this node or below it."""
        for pin in [pin for _, _, pin in self._by_expiry if node in pin.receipt.node.path()]:
            self.remove(pin)

    def forget(self) -> None:
        """Drop all pins after a fault, without reading the nodes."""
        self._by_expiry = []

    def expire(self) -> None:
        """Remove every expired pin (E9)."""
        while self._by_expiry and self._by_expiry[0][0] <= self._counts.tick:
            self.drop_first()

    def drop_first(self) -> Entry:
        """Remove the pin that expires first."""
        entry = heapq.heappop(self._by_expiry)
        self._tree.locks.unlock(entry[2].receipt)
        return entry

    def _make_way(self, num_blocks: int, found: Found | None, all_may_go: bool) -> None:
        """Take pins off until these blocks are available; if that fails, put all of them back.

        Rules: E9.
        """
        gone = list[Entry]()
        while self._by_expiry and (
            self._by_expiry[0][0] <= self._counts.tick
            or (all_may_go and not self._supply.has(num_blocks, found))
        ):
            gone.append(self.drop_first())
        try:
            self._supply.require(num_blocks, found)
        except CacheError:
            for entry in gone:
                pin = entry[2]
                pin.receipt = self._tree.locks.lock(pin.receipt.node)
                heapq.heappush(self._by_expiry, entry)
            raise

    def num_expired_blocks(self) -> int:
        """Count the blocks that only expired pins protect."""
        expired = [pin for expires, _, pin in self._by_expiry if expires <= self._counts.tick]
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
