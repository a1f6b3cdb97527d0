"""What is graded: exercises made of items, and what a failing item has to say.

An item is one rule with its points and one check. A check is a plain function: it asks the
learner's code questions through `Trial.learner`, compares the answers with an oracle of ours, and
raises `Failed` with the smallest scenario that shows the fault. It neither knows nor cares that the
learner's code runs in another process.
"""

import importlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from radixlab.grade.box.usage import Usage, usage_of
from radixlab.observe.state import State

Status = Literal["passed", "partial", "failed", "stub", "timeout", "crashed", "not_run"]
"""`crashed` also if the judge ended the box for what it used; `not_run` if the grader failed."""


class Failed(Exception):
    """The rule does not hold: raised by a check, shown to the learner.

    The message is one or two plain sentences: what was expected and what happened, in numbers.
    """

    def __init__(
        self,
        message: str,
        *,
        scenario: str = "",
        expected: State | str | None = None,
        actual: State | str | None = None,
    ) -> None:
        super().__init__(message)
        self.scenario = scenario
        """A few lines of code that show the fault, to paste below one's own: it runs as it is."""
        self.expected = expected
        """What the oracle has after the scenario: a tree to draw, or text."""
        self.actual = actual
        """What the learner's code has: drawn beside it."""


class CannotCheck(Exception):
    """A machine lacks what a check needs: the item is `not_run`, and the message says why."""


def call_here(where: str, *args: Any) -> Any:
    """Call `module:function` in this process."""
    module, _, function = where.partition(":")
    return getattr(importlib.import_module(module), function)(*args)


@dataclass(slots=True)
class Trial:
    """One run of one check on one submission."""

    learner: Any
    """The names that the submission defines, as attributes: `trial.learner.RadixTree(4)`.

    Calls cross to the learner's process and back. Plain data (None, bool, int, float, str, bytes,
    lists, tuples, dicts of these, int arrays) is copied; any other object stays where it is and is
    represented by a proxy with the same attributes and methods. Objects of the judge's passed as
    arguments can be called back in the same way.
    """
    seed: int
    """Different seeds give different hidden scenarios; equal ones the same, to the bit."""
    notes: list[str] = field(default_factory=list)
    """Sentences for the report of a check that passed, such as the measured gap closed."""
    caller: Callable[..., Any] = call_here
    """How `call` reaches the learner's process."""
    usage: Callable[[], Usage] = field(default=lambda: usage_of(os.getpid()))
    """CPU time and memory of the learner's process so far, read from outside of it.

    Read it before and after a call; nothing that the learner's code does can change the figures.
    """
    fresh: "Callable[..., AbstractContextManager[Trial]] | None" = None
    """Opens a trial of the same submission in a process of its own that has done nothing yet, with
    another seed for `hash`; None where the learner's code runs in this process. `fresh(text)` runs
    a text of ours there instead of the submission: what it costs is what the learner's is compared
    with."""
    memory: dict[object, Any] = field(default_factory=dict)
    """What the checks of one grading share, so that nothing is run twice."""

    def call(self, where: str, *args: Any) -> Any:
        """Call a function of a `radixlab.exercise` module where the learner's code runs.

        An example is `trial.call("radixlab.exercise.tree:play", trial.learner.RadixTree, calls)`.
        It takes one message each way, however often the function calls the learner's code. The
        learner may have tampered with the module, so its answer is worth no more than any other.
        """
        return self.caller(where, *args)

    @property
    def random(self) -> np.random.Generator:
        """A fresh generator from the trial's seed, the same at every call."""
        return np.random.default_rng(self.seed)


Check = Callable[[Trial], float | None]
"""Returns the share of the points earned, 0 to 1 (None for all); raises `Failed` for none of them.

An exception of the *learner's* code reaches the check as it is and becomes a failed item with the
learner's own traceback; `NotImplementedError` makes it a stub. Any other exception is a fault of
the check: the item is `not_run`, and the learner is told that the grader failed."""


@dataclass(frozen=True, slots=True)
class Item:
    """One rule of an exercise."""

    id: str
    """Short and stable: `split`. The full id is `8.5.1/split`."""
    points: int
    rule: str
    """The rule in one sentence, as the exercise text states it."""
    check: Check
    hints: tuple[str, str, str]
    """A nudge, the idea, the near-solution."""
    needs: tuple[str, ...]
    """Names the submission must define for this item; until it does, the item is a stub."""
    limit_s: float = 10.0
    """Seconds after which the item is a time-out. Time in which judge and box waited for a core
    does not count, so a busy machine needs no longer limit."""
    rests_on: tuple[str, ...] = ()
    """Items of which at least one must have earned points. Without this, a submission that does
    nothing could earn points for being fast, or for doing no harm."""


@dataclass(frozen=True, slots=True)
class Exercise:
    """A task with its items; the points of all items are the exercise's."""

    id: str
    """As in the course: `8.5.1`."""
    title: str
    notebook: str
    """The file's stem in solutions/ and exercises/: `ex1_radix_tree`."""
    items: tuple[Item, ...]
    forbidden: tuple[str, ...] = ("radixlab",)
    """Modules a submission may not import: they hold the answer."""
    allowed: tuple[str, ...] = ("radixlab.exercise",)
    """Exceptions to `forbidden`: what the exercise text gives the learner to work with."""

    @property
    def points(self) -> int:
        """What a full solution earns."""
        return sum(item.points for item in self.items)
