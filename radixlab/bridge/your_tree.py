"""A tree of exercise 8.5.1 behind an engine, and a ledger that believes none of its answers.

A wrong tree in a server would be worse than none: requests would read the KV of other requests. So
each answer is compared with the ledger before the engine sees it. The first wrong answer ends the
tree's service with one line that names the call, what came back and what was due.

A tree of the exercise has no namespaces. Tokens of a namespace get numbers of their own, so two
namespaces never share a prefix.
"""

import sys
from collections.abc import Callable, Iterator
from itertools import count, islice
from typing import Any, Final, NoReturn

import numpy as np

from radixlab.bridge.errors import BrokenPartError, raised
from radixlab.bridge.ledger import Ledger
from radixlab.bridge.pages import Offer, PageTokens, Prefix
from radixlab.cache.errors import LockError
from radixlab.cache.found import NO_BLOCKS
from radixlab.cache.results import BlockIds
from radixlab.config import Count, positive
from radixlab.escape import count as counted
from radixlab.events import Namespace
from radixlab.exercise.plain import plain_number, plain_numbers, plain_text
from radixlab.exercise.tree import Tokens
from radixlab.exercise.tree_player import RECURSION_BESIDE, names_of

PLAIN: Final = 2**40
"""Tokens below it are passed on as they are; the numbers of all others begin here."""
SHOWN = 8


class YourTree:
    """`Pages` over a learner's tree."""

    def __init__(self, make_tree: Callable[[int], Any], block_size: Count) -> None:
        self.block_size = positive("block_size", block_size)
        self.ledger = Ledger(self.block_size)
        self._make_tree = make_tree
        self._broken = ""
        self._numbers: dict[tuple[Namespace | None, int], int] = {}
        self._next_number = count(PLAIN)
        sys.setrecursionlimit(max(sys.getrecursionlimit(), RECURSION_BESIDE))
        self._tree = self._call("RadixTree", make_tree, self.block_size)

    @property
    def num_blocks(self) -> int:
        """Blocks in the tree."""
        return len(self.ledger.block_of)

    @property
    def num_evictable_blocks(self) -> int:
        """Blocks that no lock protects."""
        return self.ledger.num_evictable

    def match(self, tokens: PageTokens, namespace: Namespace | None = None) -> Prefix:
        """Ask for the longest cached prefix; raise unless it is exactly that."""
        key = self._key(tokens, namespace)
        found = self._ask("match_prefix", key)
        due = self.ledger.match(key)
        self._compare("match_prefix", "block_ids", found, due, len(key))
        return self._prefix(found, due, key)

    def insert(self, offer: Offer) -> tuple[Prefix, int]:
        """Insert; raise unless the tree kept what it had, took the rest and says so."""
        ids = tuple(offer.block_ids.tolist())
        key = self._key(offer.tokens, offer.namespace)[: len(ids) * self.block_size]
        if not ids:
            return Prefix(None, NO_BLOCKS), 0
        done = self._ask("insert", key, ids)
        kept, num_cached, duplicates = self.ledger.insert(key, ids)
        self._compare("insert", "block_ids", done, kept, len(key))
        self._compare("insert", "duplicate_block_ids", done, duplicates, len(key))
        said = self._call("insert", lambda: plain_number(getattr(done, "num_cached_blocks", None)))
        if said != num_cached:
            self._fail(f"insert says num_cached_blocks = {said}; it should be {num_cached}")
        return self._prefix(done, kept, key), num_cached

    def lock(self, prefix: Prefix) -> None:
        """Protect the prefix; raise `LockError` if a part of it was evicted since the match."""
        if prefix.node is None:
            return
        node, key = prefix.node
        if self.ledger.match(key) != prefix.block_ids.tolist():
            raise LockError(
                f"a prefix of {counted(len(prefix), 'block')} was evicted in part: match again"
            )
        receipt = self._ask("lock", node)
        prefix.receipts.append((receipt, self.ledger.lock(key)))

    def unlock(self, prefix: Prefix) -> None:
        """Undo one lock; raise `LockError` if the prefix holds none."""
        if prefix.node is None:
            return
        if not prefix.receipts:
            raise LockError(
                f"a prefix of {counted(len(prefix), 'block')} was released more often than locked"
            )
        receipt, held = prefix.receipts.pop()
        self._ask("unlock", receipt)
        self.ledger.unlock(held)

    def evict(self, num_blocks: int) -> Iterator[BlockIds]:
        """Ask for blocks; raise if one of them may not go, or if there are too few or too many."""
        gone = self._call("evict", lambda: plain_numbers(self._tree.evict(num_blocks)))
        if isinstance(gone, str) or any(type(block) is not int for block in gone):
            self._fail(f"evict({num_blocks}) returned {_shown(gone)}; it should be block ids")
        if why := self.ledger.why_not(gone, num_blocks):
            self._fail(f"evict({num_blocks}) {why}")
        self.ledger.remove(gone)
        if gone:
            yield np.array(gone, np.int32)

    def clear(self) -> None:
        """Begin with a new tree; raise `LockError`, and keep the old one, while one is locked."""
        if num_locked := self.num_blocks - self.num_evictable_blocks:
            raise LockError(f"cannot clear your tree: it has {counted(num_locked, 'locked block')}")
        self._tree = self._call("RadixTree", self._make_tree, self.block_size)
        self.ledger = Ledger(self.block_size)
        self._numbers.clear()

    def draw(self) -> Iterator[str]:
        """Yield a line per block of the ledger."""
        for block_id, (above, tokens, lock_ref) in self.ledger.rows().items():
            yield f"block {block_id} after {above}, lock_ref {lock_ref}, {list(tokens[:10])}"

    def cached(self) -> BlockIds:
        """Return all block ids of the tree."""
        return np.fromiter(self.ledger.block_of.values(), np.int32, self.num_blocks)

    def check(self) -> None:
        """Raise `BrokenPartError` unless `walk` shows the blocks, tokens and locks of the ledger.

        This finds what no answer showed yet.
        """
        shown, due = self._walked(), self.ledger.rows()
        if odd := sorted(shown.keys() ^ due.keys()):
            there = "shows" if odd[0] in shown else "does not show"
            self._fail(f"walk {there} block {odd[0]}, and the tree should have {sorted(due)}")
        for block_id, row in due.items():
            for what, said, is_due in zip(WALKED, shown[block_id], row, strict=True):
                if said != is_due:
                    self._fail(f"walk says of block {block_id}: {what} {said}, not {is_due}")

    # ---- what a call returned

    def _walked(self) -> dict[int, tuple[int | None, Tokens, int]]:
        """Return the rows of `walk` as the ledger has them."""
        most = self.num_blocks
        views = self._call("walk", lambda: list(islice(self._tree.walk(), most + 1)))
        if len(views) > most:
            nodes, blocks = counted(most, "node"), counted(most, "block")
            self._fail(f"walk yields more than {nodes}, and the tree has {blocks}")
        try:
            return self._rows(views)
        except (AttributeError, TypeError, ValueError) as error:
            self._fail(f"walk must yield NodeViews: {raised('reading one', error)}")

    def _rows(self, views: list[Any]) -> dict[int, tuple[int | None, Tokens, int]]:
        rows: dict[int, tuple[int | None, Tokens, int]] = {}
        last: dict[Any, int] = {}
        names, parents = names_of([v.id for v in views], [v.parent_id for v in views])
        for view, name, parent in zip(views, names, parents, strict=True):
            above = last.get(parent)
            most = self.num_blocks + 1  # more is wrong, and may never end
            tokens = tuple(map(int, islice(view.tokens, most * self.block_size)))
            for index, block_id in enumerate(map(int, islice(view.block_ids, most))):
                start = index * self.block_size
                block = tokens[start : start + self.block_size]
                rows[block_id] = (above, block, int(view.lock_ref))
                above = block_id
            if above is not None:
                last[name] = above
        return rows

    def _key(self, tokens: PageTokens, namespace: Namespace | None) -> Tokens:
        """Return the tokens of whole blocks as plain ints, told apart by namespace."""
        whole = len(tokens) // self.block_size * self.block_size
        key = tokens[:whole].tolist()
        if namespace is None and max(key, default=0) < PLAIN:
            return tuple(key)
        return tuple(self._number(namespace, token) for token in key)

    def _number(self, namespace: Namespace | None, token: int) -> int:
        if namespace is None and token < PLAIN:
            return token
        if (namespace, token) not in self._numbers:
            self._numbers[namespace, token] = next(self._next_number)
        return self._numbers[namespace, token]

    def _prefix(self, answer: Any, block_ids: list[int], key: Tokens) -> Prefix:
        if not block_ids:
            return Prefix(None, NO_BLOCKS)
        node = self._call("the answer's node", lambda: getattr(answer, "node", None))
        return Prefix((node, key[: len(block_ids) * self.block_size]), np.array(block_ids, "i4"))

    def _compare(self, call: str, field: str, answer: Any, due: list[int], num: int) -> None:
        said = self._call(call, lambda: _numbers_of(answer, field))
        if said != due:
            call = f"{call} of {counted(num, 'token')}"
            self._fail(f"{call} says {field} = {_shown(said)}; it should be {_shown(due)}")

    def _ask(self, name: str, *arguments: Any) -> Any:
        return self._call(name, lambda: getattr(self._tree, name)(*arguments))

    def _call(self, name: str, method: Callable[..., Any], *arguments: Any) -> Any:
        if self._broken:
            raise BrokenPartError(f"{self._broken} (out of service since then)")
        try:
            return method(*arguments)
        except Exception as error:
            self._broken = f"your tree: {raised(name, error)}"
            raise BrokenPartError(self._broken) from error

    def _fail(self, what: str) -> NoReturn:
        self._broken = f"your tree: {what}"
        raise BrokenPartError(self._broken)


def _numbers_of(answer: Any, field: str) -> list[Any] | str:
    value: Any = getattr(answer, field, None)
    return plain_numbers(value)


WALKED = ("the block above is", "its tokens are", "its lock_ref is")


def _shown(ids: Any) -> str:
    """Show a list in one short line."""
    if not isinstance(ids, list):
        return ids if type(ids) is str else plain_text(ids)
    more = f", … {len(ids)} in all" if len(ids) > SHOWN else ""
    return f"[{', '.join(map(str, ids[:SHOWN]))}{more}]"
