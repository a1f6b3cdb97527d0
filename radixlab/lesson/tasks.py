"""One-line tasks inside the lessons, checked at once on some cases, but not graded.

The learner fills in a function; `attempt` compares it with ours and shows the first case in which
they differ. The code runs in the kernel, since nothing can be won by cheating.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from radixlab.grade.items import Item
from radixlab.grade.render import page, text
from radixlab.grade.report import ExerciseReport, ItemReport, Verdict
from radixlab.home import is_static

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Task:
    """The specification of a function, and the arguments to try it on."""

    rule: str
    answer: Function
    cases: tuple[tuple[Any, ...], ...]
    hints: tuple[str, str, str]


def _blocks_needed(num_tokens: int, block_size: int) -> int:
    return -(-num_tokens // block_size)


def _child_key(tokens: tuple[int, ...], block_size: int) -> tuple[int, ...]:
    return tokens[:block_size]


def _blocks_in_use(block_tables: list[list[int]]) -> int:
    return len(set().union(*block_tables))


def _must_copy(num_tables: int, is_in_tree: bool) -> bool:
    return num_tables > 1 or is_in_tree


def _gap_closed(hit: float, lru: float, optimum: float) -> float:
    return (hit - lru) / (optimum - lru)


def _merged_lse(a: float, b: float) -> float:
    return max(a, b) + math.log1p(math.exp(-abs(a - b)))


def _slope(sizes: tuple[float, float], costs: tuple[float, float]) -> float:
    return math.log(costs[1] / costs[0]) / math.log(sizes[1] / sizes[0])


TASKS = {
    "01/blocks_needed": Task(
        "The number of blocks that hold so many tokens; the last one may be partly filled.",
        _blocks_needed,
        ((32, 16), (33, 16), (1, 16), (0, 16), (600, 16), (7, 4)),
        (
            "What do 32 tokens need, and what 33?",
            "Divide, and round up.",
            "-(-num_tokens // block_size), or math.ceil of the quotient.",
        ),
    ),
    "02/child_key": Task(
        "The key under which a node finds the child for these tokens: their whole first block, as "
        "a tuple. There is at least one whole block.",
        _child_key,
        (((1, 2, 3, 4, 5), 4), ((1, 2, 3, 4), 4), ((1, 9, 3, 4), 2), ((7, 7, 7), 1)),
        (
            "Two children may begin with the same token.",
            "A slice of the tokens is the key.",
            "tokens[:block_size]",
        ),
    ),
    "03/blocks_in_use": Task(
        "The number of blocks that these block tables hold together; a shared one counts once.",
        _blocks_in_use,
        (([[0, 1, 2], [0, 1, 3]],), ([[5, 5]],), ([],), ([[1], [2], [1, 2, 3]],)),
        (
            "The sum of the lengths counts shared blocks several times.",
            "Put all ids into one set.",
            "len(set().union(*block_tables))",
        ),
    ),
    "04/must_copy": Task(
        "Whether a block must be copied before it is written: num_tables is the number of block "
        "tables that it is in.",
        _must_copy,
        ((1, False), (2, False), (1, True), (3, True)),
        (
            "Who else would read what you write?",
            "Another sequence, or whoever the tree hands the block to next.",
            "num_tables > 1 or is_in_tree",
        ),
    ),
    "05/gap_closed": Task(
        "The share of the way from LRU's hit rate to the optimum's that a policy has come.",
        _gap_closed,
        ((0.5, 0.4, 0.6), (0.4, 0.4, 0.6), (0.6, 0.4, 0.6), (0.3, 0.4, 0.6)),
        (
            "LRU itself closes nothing, the optimum all.",
            "What was gained, divided by what can be gained.",
            "(hit - lru) / (optimum - lru)",
        ),
    ),
    "06/merged_lse": Task(
        "The logarithm of the sum of two sums of weights, each given as its logarithm; the sums "
        "themselves may be too large for a float.",
        _merged_lse,
        ((0.0, 0.0), (0.0, 1.0), (-2.5, 3.0), (1000.0, 1000.0), (-1000.0, 5.0), (-math.inf, 2.0)),
        (
            "log(exp(a) + exp(b)) is right, until exp overflows.",
            "Take the larger one out of the sum, as merge_states does.",
            "max(a, b) + log1p(exp(-abs(a - b)))",
        ),
    ),
    "07/slope": Task(
        "The slope between two measurements on log-log axes: 0 is a constant cost, 1 a linear one.",
        _slope,
        (((10, 100), (5, 50)), ((10, 1_000), (5, 5)), ((10, 20), (1, 4)), ((8, 64), (3, 6))),
        (
            "Ten times the size at ten times the cost is 1.",
            "Divide the logarithms of the two ratios.",
            "log(costs[1] / costs[0]) / log(sizes[1] / sizes[0])",
        ),
    ),
}


def attempt(key: str, function: Function) -> None:
    """Try a function on the cases of a task, and show the first wrong one."""
    lesson, name = key.split("/")
    task = TASKS[key]
    item = Item(name, 0, task.rule, lambda trial: None, task.hints, ())
    report = ItemReport(key, item, verdict(task, name, function))
    shown = ExerciseReport(lesson, "One line of yours", (report,))
    data = {"text/plain": text(shown)}
    from IPython.display import display

    display(data if is_static() else data | {"text/html": page(shown)}, raw=True)


def verdict(task: Task, name: str, function: Function) -> Verdict:
    """Compare a function with the task's own on every case."""
    for arguments in task.cases:
        call = f"{name}({', '.join(map(repr, arguments))})"
        try:
            found = function(*arguments)
        except Exception as error:
            return Verdict("failed", message=f"{call} raised {type(error).__name__}: {error}")
        if found is ...:
            return Verdict("stub", message=f"Put one line in place of the dots in {name}.")
        expected = task.answer(*arguments)
        if not _agree(found, expected):
            return Verdict(
                "failed",
                message=f"{call} is {expected!r}, and yours returned {found!r:.200}.",
            )
    return Verdict("passed", 1.0)


def _agree(found: object, expected: object) -> bool:
    """Compare values, not types: 2.0 blocks are 2 blocks, and NumPy's numbers are numbers.

    Booleans are the exception: True is not 1.
    """
    found = found.item() if isinstance(found, np.generic) else found
    if isinstance(expected, bool) or isinstance(found, bool):
        return found is expected
    if isinstance(expected, int | float):
        return isinstance(found, int | float) and math.isclose(found, expected, abs_tol=1e-9)
    return found == expected
