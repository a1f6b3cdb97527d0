"""How the grader of 8.5.1 asks: a whole scenario in one call, answers as plain lists.

It runs beside the learner's code. It knows no right answers; those stay with the grader.
"""

from collections.abc import Callable
from itertools import islice
from operator import index
from typing import Any

MAX_LENGTH = 100_000
"""No answer is longer: what goes on is cut, and wrong."""
Answer = dict[str, Any]
INSERTED = ("block_ids", "num_cached_blocks", "duplicate_block_ids")
COUNTED = (
    "num_nodes",
    "num_shared_blocks",
    "num_unique_blocks",
    "num_cached_blocks",
    "sharing_ratio",
)


def play(
    make_tree: Callable[[int], Any],
    block_size: int,
    operations: list[Any],
    watched: bool = False,
) -> list[Answer]:
    """Run operations on a new tree and return their answers, up to the first one that raises.

    Parameters
    ----------
    operations
        The name of a method of `_Player` and its arguments, each.
    watched
        Every answer also has the rows of `walk` after the operation.
    """
    player = _Player(make_tree(block_size))
    answers: list[Answer] = []
    for name, *arguments in operations:
        try:
            answer = getattr(player, name)(*arguments)
            if watched:
                answer["walk"] = player.walk()
        except NotImplementedError:
            raise
        except Exception as error:
            return [*answers, _raised(player.method, error)]
        answers.append(answer)
    return answers


class _Player:
    """One tree, and the receipts that it gave; every method is an operation."""

    def __init__(self, tree: Any) -> None:
        self.tree = tree
        self.receipts: dict[int, Any] = {}
        self.method = ""
        """The last one called."""

    def match(self, tokens: list[int]) -> Answer:
        return _fields(self._call("match_prefix", tuple(tokens)), "block_ids")

    def insert(self, tokens: list[int], block_ids: list[int]) -> Answer:
        return _fields(self._call("insert", tuple(tokens), tuple(block_ids)), *INSERTED)

    def lock(self, receipt: int, tokens: list[int]) -> Answer:
        found = self._call("match_prefix", tuple(tokens))
        self.receipts[receipt] = self._call("lock", found.node)
        return _fields(found, "block_ids")

    def keep(self, receipt: int, tokens: list[int], block_ids: list[int]) -> Answer:
        result = self._call("insert", tuple(tokens), tuple(block_ids))
        self.receipts[receipt] = self._call("lock", result.node)
        return _fields(result, *INSERTED)

    def unlock(self, receipt: int) -> Answer:
        self._call("unlock", self.receipts[receipt])
        return {}

    def again(self, receipt: int) -> Answer:
        try:
            self._call("unlock", self.receipts[receipt])
        except NotImplementedError:
            raise
        except Exception:
            return {"refused": True}
        return {"refused": False}

    def evict(self, num_blocks: int) -> Answer:
        return {"block_ids": numbers(self._call("evict", num_blocks))}

    def stats(self) -> Answer:
        return _fields(self._call("stats"), *COUNTED) | {"walk": self.walk()}

    def walk(self) -> list[list[Any]]:
        self.method = "walk"
        return node_rows(self.tree)

    def _call(self, method: str, *arguments: Any) -> Any:
        self.method = method
        return getattr(self.tree, method)(*arguments)


def node_rows(tree: Any) -> list[list[Any]]:
    """List `(id, parent_id, tokens, block_ids, lock_ref)` of each node, ids numbered from 0.

    A parent that `walk` never yields stands as None, as the root does.
    """
    views = list(islice(tree.walk(), MAX_LENGTH))
    number_of: dict[Any, int] = {}
    for view in views:
        number_of.setdefault(name_of(view.id), len(number_of))
    return [
        [
            number_of[name_of(view.id)],
            None if view.parent_id is None else number_of.get(name_of(view.parent_id)),
            numbers(view.tokens),
            numbers(view.block_ids),
            _number(view.lock_ref),
        ]
        for view in views
    ]


def name_of(node_id: Any) -> Any:
    """Return what tells a node's id from others: its value, or for a node itself, which it is."""
    return node_id if isinstance(node_id, int | str | tuple) else ("object", id(node_id))


def _fields(result: Any, *names: str) -> Answer:
    """Read fields as numbers or lists of them; a result that lacks one stands as text."""
    try:
        values = [getattr(result, name) for name in names]
    except AttributeError:
        return {"returned": _text(result)}
    return {
        name: numbers(value) if name.endswith("block_ids") else _number(value)
        for name, value in zip(names, values, strict=True)
    }


def numbers(values: Any) -> Any:
    """Return whole numbers as a list of plain ones; what is no such thing stands as text."""
    try:
        return [_number(value) for value in islice(values, MAX_LENGTH)]
    except TypeError:
        return _text(values)


def _number(value: Any) -> Any:
    if isinstance(value, float):
        return float(value)
    try:
        return index(value)  # of NumPy's integers too
    except TypeError:
        return _text(value)


def _raised(call: str, error: Exception) -> Answer:
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = ""
    if place is not None and place.tb_frame.f_code.co_filename != __file__:
        where = f"line {place.tb_lineno}, in {place.tb_frame.f_code.co_name}"
    return {"raised": type(error).__name__, "said": _text(error), "where": where, "call": call}


def _text(value: Any) -> str:
    """Show a value that may be hostile, in one short line."""
    try:
        text = str(value) if isinstance(value, Exception) else repr(value)
    except Exception:
        text = f"an object of type {type(value).__name__}"
    return " ".join(text[:100].split())
