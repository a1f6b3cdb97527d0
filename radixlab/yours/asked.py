"""A learner's tree, asked by its public protocol: answers as plain numbers, faults by rule.

It knows the methods of exercise 8.5.1. It does not know what the right answers are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from radixlab.escape import count
from radixlab.exercise.plain import plain_number, plain_numbers
from radixlab.exercise.tree_player import COUNTED, node_rows
from radixlab.guarded_call import CallFailed, Watch
from radixlab.yours.fault import PartFault

Key = tuple[int, ...]
Ids = list[Any]
MakeTree = Callable[[int], Any]
NO_ID = 2**63
"""No block has so large a number."""

SERVES = {
    "RadixTree": "M3",
    "match_prefix": "M2",
    "insert": "M9",
    "lock": "L1",
    "unlock": "L2",
    "evict": "E4",
    "walk": "T5",
    "stats": "T6",
}
"""The rule that each call is for: one that raises or does not come back breaks it."""


@dataclass(frozen=True, slots=True)
class Inserted:
    """What `insert` answered."""

    node: Any
    block_ids: Ids
    num_cached_blocks: Any
    duplicate_block_ids: Ids


class AskedTree:
    """One tree of the learner's, for one namespace."""

    def __init__(self, make_tree: MakeTree, block_size: int, watch: Watch) -> None:
        self.block_size = block_size
        self._watch = watch
        self.call = ""
        """The call that is made, or was made last, as a reader would write it."""
        self.tree = self._ask("RadixTree", f"{block_size}", make_tree, block_size)

    def match(self, key: Key) -> tuple[Any, Ids]:
        """Ask for the longest cached prefix: its node, and its blocks."""

        def ask() -> tuple[Any, Any]:
            found = self.tree.match_prefix(key)
            return found.node, plain_numbers(found.block_ids, len(key))

        node, ids = self._ask("match_prefix", _tokens(key), ask)
        return node, self.numbers("match_prefix", "block_ids", ids)

    def insert(self, key: Key, block_ids: list[int]) -> Inserted:
        """Offer one block for each whole block of tokens."""
        most = len(block_ids)

        def ask() -> tuple[Any, ...]:
            found = self.tree.insert(key, tuple(block_ids))
            return (
                found.node,
                plain_numbers(found.block_ids, most),
                plain_number(found.num_cached_blocks),
                plain_numbers(found.duplicate_block_ids, most),
            )

        shown = f"{_tokens(key)}, {_ids(block_ids)}"
        node, kept, num_cached, duplicates = self._ask("insert", shown, ask)
        kept = self.numbers("insert", "block_ids", kept)
        duplicates = self.numbers("insert", "duplicate_block_ids", duplicates)
        return Inserted(node, kept, num_cached, duplicates)

    def lock(self, node: Any) -> Any:
        """Ask for a receipt."""
        return self._ask("lock", "node", lambda: self.tree.lock(node))

    def unlock(self, receipt: Any) -> None:
        """Give a receipt back."""
        self._ask("unlock", "receipt", lambda: self.tree.unlock(receipt))

    def evict(self, num_blocks: int) -> Ids:
        """Ask for blocks."""
        ids = self._ask(
            "evict",
            f"{num_blocks}",
            lambda: plain_numbers(self.tree.evict(num_blocks), num_blocks),
        )
        return self.numbers("evict", "the ids", ids)

    def rows(self, most_blocks: int) -> list[list[Any]]:
        """Ask for all nodes: number, parent's number, tokens, blocks, locks."""
        most = most_blocks + 1
        rows: list[list[Any]] = self._ask(
            "walk", "", lambda: node_rows(self.tree, most, most * self.block_size)
        )
        return rows

    def stats(self) -> dict[str, Any]:
        """Ask for the counts."""

        def ask() -> dict[str, Any]:
            found = self.tree.stats()
            return {name: plain_number(getattr(found, name)) for name in COUNTED}

        counts: dict[str, Any] = self._ask("stats", "", ask)
        return counts

    def fault(self, rule: str, what: str) -> PartFault:
        """Return what the last call did wrong."""
        return PartFault("tree", rule, self.call, what)

    def numbers(self, method: str, field: str, value: Any) -> Ids:
        """Return a list of ids; raise `PartFault` for what is not one."""
        if type(value) is list and all(type(v) is int and abs(v) < NO_ID for v in value):
            return value
        raise self.fault(SERVES[method], f"{field} must be block ids, not {str(value)[:60]}")

    def _ask(self, method: str, shown: str, ask: Callable[..., Any], *arguments: Any) -> Any:
        self.call = f"{method}({shown})"
        try:
            return self._watch.call(ask, *arguments)
        except CallFailed as error:
            raise self.fault(SERVES[method], f"it {error}") from None


def _tokens(key: Key) -> str:
    return count(len(key), "token")


def _ids(block_ids: list[int]) -> str:
    return count(len(block_ids), "block")
