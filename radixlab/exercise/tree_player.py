"""How the grader of 8.5.1 asks: a whole scenario in one call, answers as plain data.

It runs beside the learner's code. It knows no right answers; those stay with the grader.
"""

import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from itertools import islice
from traceback import walk_tb
from typing import Any

from radixlab.exercise.plain import MAX_LENGTH, plain_number, plain_numbers, plain_text
from radixlab.exercise.tree import TreeStats

RECURSION = 10_000
"""Calls that may be open: a tree that recurses block by block needs some for each block."""
RECURSION_BESIDE = 3_000
"""The same in a process that must not end with the learner's code: a recursion through C, as a key
of `sorted`, takes more than 1 KB of an 8 MB stack for each call, and 6,000 of them overflow it."""
MAX_COMPARED = 2_000
"""Nodes whose ids are compared with each other, where they cannot be hashed."""
Answer = dict[str, Any]
INSERTED = ("block_ids", "num_cached_blocks", "duplicate_block_ids")
COUNTED = (*(field.name for field in fields(TreeStats)), "sharing_ratio")


def play(
    make_tree: Callable[[int], Any],
    block_size: int,
    operations: list[Any],
    watched: bool = False,
) -> list[Answer]:
    """Run operations on a new tree and return their answers, up to the first one that raises.

    An operation is the name of a method of `_Player` and its arguments. If `watched`, every answer
    also has the rows of `walk` after the operation.
    """
    with undisturbed():
        return _played(_Player(make_tree, block_size), operations, watched)


def _played(player: "_Player", operations: list[Any], watched: bool) -> list[Answer]:
    answers: list[Answer] = []
    for name, *arguments in operations:
        try:
            answer = getattr(player, name)(*arguments)
            if watched and "walk" not in answer:
                answer |= player.walk()
        except NotImplementedError:
            raise
        except Exception as error:
            return [*answers, _raised(player.method, error)]
        answers.append(answer)
    if answers:
        answers[-1]["changed"] = player.changed()
    return answers


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let a tree recurse once for each block of a key, and collect no garbage meanwhile.

    Collecting takes longer the more there is to keep.
    """
    sys.setrecursionlimit(max(sys.getrecursionlimit(), RECURSION))
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Player:
    """One tree, and the receipts that it gave; every method is an operation."""

    def __init__(self, make_tree: Callable[[int], Any], block_size: int) -> None:
        self.tree = make_tree(block_size)
        self.make_tree = make_tree
        self.block_size = block_size
        self.others: list[Any] = []
        self.receipts: dict[int, Any] = {}
        self.method = ""
        """The last one called."""
        self.result: Any = None
        """What it returned."""
        self.num_offered = 0
        """Block ids that the tree was given: no right answer has more."""
        self.returned: list[tuple[str, str, Any, Any]] = []
        """Method, field, and a list that the tree returned, as it is and as it was."""

    def match(self, tokens: list[int]) -> Answer:
        return self._read(self._call("match_prefix", tuple(tokens)), "block_ids")

    def insert(self, tokens: list[int], block_ids: list[int]) -> Answer:
        self.num_offered += len(block_ids)
        return self._read(self._call("insert", tuple(tokens), tuple(block_ids)), *INSERTED)

    def lock(self, receipt: int, tokens: list[int]) -> Answer:
        answer = self.match(tokens)
        self.receipts[receipt] = self._call("lock", self.result.node)
        return answer

    def keep(self, receipt: int, tokens: list[int], block_ids: list[int]) -> Answer:
        answer = self.insert(tokens, block_ids)
        self.receipts[receipt] = self._call("lock", self.result.node)
        return answer

    def unlock(self, receipt: int) -> Answer:
        self._call("unlock", self.receipts[receipt])
        return {}

    def again(self, receipt: int) -> Answer:
        try:
            self._call("unlock", self.receipts[receipt])
        except BaseException:  # of any kind, the text says
            return {"refused": True}
        return {"refused": False}

    def evict(self, num_blocks: int) -> Answer:
        return {"block_ids": self._numbers("block_ids", self._call("evict", num_blocks))}

    def another(self, block_size: int) -> Answer:
        self.method = "RadixTree"
        self.others.append(self.make_tree(block_size))
        return {}

    def stats(self) -> Answer:
        return self._read(self._call("stats"), *COUNTED) | self.walk()

    def walk(self) -> Answer:
        self.method = "walk"
        most = self.num_offered + 1
        return {"walk": node_rows(self.tree, most, most * self.block_size)}

    def changed(self) -> list[Any] | None:
        """Return the first list that is not what it was: method, field, then and now."""
        for method, field, value, before in self.returned:
            now = plain_numbers(value, self.num_offered + 1)
            if now != before:
                return [method, field, before, now]
        return None

    def _call(self, method: str, *arguments: Any) -> Any:
        self.method = method
        self.result = getattr(self.tree, method)(*arguments)
        return self.result

    def _read(self, result: Any, *names: str) -> Answer:
        """Read fields as numbers or lists of them; a result that lacks one stands as text."""
        try:
            values = [getattr(result, name) for name in names]
        except AttributeError:
            return {"returned": plain_text(result)}
        return {
            name: self._numbers(name, value) if name.endswith("block_ids") else plain_number(value)
            for name, value in zip(names, values, strict=True)
        }

    def _numbers(self, field: str, value: Any) -> Any:
        numbers = plain_numbers(value, self.num_offered + 1)
        if type(numbers) is list and not hasattr(value, "__next__"):  # read once, and gone
            self.returned.append((self.method, field, value, numbers))
        return numbers


def node_rows(
    tree: Any, most_nodes: int = MAX_LENGTH, most_tokens: int = MAX_LENGTH
) -> list[list[Any]]:
    """List `(id, parent_id, tokens, block_ids, lock_ref)` of each node, ids numbered from 0.

    A parent that `walk` never yields stands as None, as the root does. What is longer than a right
    answer can be is cut: it is wrong, and may never end.
    """
    ids, parent_ids, rest = list[Any](), list[Any](), list[list[Any]]()
    most_ids = most_nodes
    for view in islice(tree.walk(), most_nodes):
        ids.append(view.id)
        parent_ids.append(view.parent_id)
        tokens = plain_numbers(view.tokens, most_tokens)
        block_ids = plain_numbers(view.block_ids, most_ids)
        most_tokens = max(0, most_tokens - len(tokens))
        most_ids = max(0, most_ids - len(block_ids))
        rest.append([tokens, block_ids, plain_number(view.lock_ref)])
    names, parents = names_of(ids, parent_ids)
    number_of: dict[Any, int] = {}
    numbers = [number_of.setdefault(name, len(number_of)) for name in names]
    return [
        [number, number_of.get(parent), *row]
        for number, parent, row in zip(numbers, parents, rest, strict=True)
    ]


def names_of(ids: Sequence[Any], parent_ids: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Return what tells nodes apart, for each id and each parent's id: a hashable thing, or None.

    An id may be a value, new in every view, or the node itself, equal to others or not hashable.
    So ids are told apart by value or by identity: as it takes to make them differ, and to find the
    most parents among them.
    """
    for most_strange in (0, 1):  # the root may have an id too, which `walk` never yields
        for name in (_value, _identity, _first_equal(len(ids))):
            try:
                names = [name(node_id) for node_id in ids]
                parents = [None if p is None else name(p) for p in parent_ids]
                known = set(names)
                num_strange = len({*parents} - known - {None})
            except Exception:
                continue
            if len(known) == len(names) and num_strange <= most_strange:
                return names, parents
    return [_identity(i) for i in ids], [p if p is None else _identity(p) for p in parent_ids]


def _value(node_id: Any) -> Any:
    return "value", node_id


def _identity(node_id: Any) -> Any:
    return "object", id(node_id)


def _first_equal(num_ids: int) -> Callable[[Any], Any]:
    """Return what names a thing after the first one that it equals."""
    firsts: list[Any] = []

    def name(node_id: Any) -> Any:
        if num_ids > MAX_COMPARED:
            raise OverflowError(num_ids)
        for number, first in enumerate(firsts):
            if first == node_id:
                return "equal", number
        firsts.append(node_id)
        return "equal", len(firsts) - 1

    return name


def _raised(call: str, error: Exception) -> Answer:
    where = ""
    for frame, line in walk_tb(error.__traceback__):  # the last is where it was raised
        is_ours = frame.f_code.co_filename == __file__
        where = "" if is_ours else f"line {line}, in {frame.f_code.co_name}"
    name = type(error).__name__[:40]
    return {"raised": name, "said": plain_text(error), "where": where, "call": call}
