"""What exercise 8.5.2 hands out: the door of a manager to measure, and the report to fill in.

It knows what a sample is, and not how one is taken.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, Protocol

from radixlab.exercise.plain import plain_number, plain_text

Kind = Literal["cow", "eager"]
Phase = Literal["unshared", "fork", "first", "last", "after"]
Cell = tuple[str, int, int, str]
"""`(kind, block_size, forks, phase)`: what samples have in common that are summarised together."""

KINDS: tuple[Kind, ...] = ("cow", "eager")
PHASES: tuple[Phase, ...] = ("unshared", "fork", "first", "last", "after")
WARM_UP_CALLS = 30
"""Calls of `start`, `fork` and `append` on a new manager that must not be samples: it is cold."""
MIN_SAMPLES = 15
"""Least number of samples in every cell."""
MAX_CALLS = 60_000
"""Calls of the clock and all managers in one run; a careful benchmark needs a quarter of it."""
MAX_MANAGERS = 500
"""Managers in one run; one for each combination is enough."""
MAX_SAMPLES = 20_000
"""More samples are not read."""

Copies = list[tuple[int, int]]
"""The blocks that a call copied, as (source, destination)."""


class Manager(Protocol):
    """A block manager that shares blocks ("cow") or copies them at every fork ("eager").

    Sequences are known by numbers. All calls but `sync` may return before their work is done.
    """

    @property
    def block_bytes(self) -> int:
        """Bytes of keys and values in one block: what copying it moves."""

    def start(self) -> int:
        """Admit the prompt, the same at every call, as a new sequence."""

    def fork(self, sequence: int) -> tuple[int, Copies]:
        """Start a second sequence with the same tokens; return it and the copies made for it."""

    def append(self, sequence: int) -> Copies:
        """Write one token at the end; return the copies that this took."""

    def sync(self) -> None:
        """Wait until the work of all calls so far is done."""

    def release(self, sequence: int) -> None:
        """End a sequence. The pool has room for two groups, not for all that you will fork."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One timed call of a manager."""

    kind: Kind
    block_size: int
    forks: int
    """How many forks its group makes; for `unshared`, the group beside it."""
    phase: Phase
    """What was timed.

    unshared: a write to a sequence that was never forked;
    fork:     one fork;
    first:    the first write of a branch, while another branch has yet to write;
    last:     the first write of the branch that writes last;
    after:    a branch's second write.
    """
    start_s: float
    """The reading of the clock right before the call."""
    seconds: float
    """From there to the reading after the call's work was done."""
    copies: int
    """Blocks that the call copied."""
    bytes: int
    """Bytes that these copies moved."""

    @property
    def cell(self) -> Cell:
        """The samples of one cell are summarised together."""
        return self.kind, self.block_size, self.forks, self.phase


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What follows from the samples of one block size and number of forks.

    m(kind, phase) is the median of the seconds in the cell of that kind and phase.
    """

    block_size: int
    forks: int
    copy_s: float | None
    """What a copy adds to a write: m(cow, first) - m(cow, unshared).

    None if no `first` sample of copy-on-write copied anything."""
    copied_share: float
    """All blocks that the cow samples copied / all that the eager samples copied."""
    break_even_blocks: float | None
    """How many copies on writing cost as much as the difference between an eager fork and a shared
    one: (m(eager, fork) - m(cow, fork)) / copy_s. None where `copy_s` is None or 0."""
    eager_over_cow: float
    """T(eager) / T(cow), where T(kind) is what a whole group costs until every branch wrote once:
    forks * m(kind, fork) + forks * m(kind, first) + m(kind, last)."""

    @property
    def pays(self) -> bool:
        """Whether copy-on-write is the cheaper one here."""
        return self.eager_over_cow > 1


@dataclass(frozen=True, slots=True)
class CowReport:
    """What `benchmark` returns."""

    samples: list[Sample]
    """In the order in which they were taken."""
    n: dict[Cell, int]
    """Number of samples in each cell."""
    median: dict[Cell, float]
    """Of the seconds in each cell."""
    spread: dict[Cell, tuple[float, float]]
    """First and third quartile of the seconds in each cell."""
    conclusions: list[Conclusion]
    """One for every block size and number of forks, in any order."""


def as_lists(answer: Any) -> Any:
    """Return a report, or samples alone, as nested lists, which is what the grader reads."""
    if isinstance(answer, CowReport):
        return {name: _plain(getattr(answer, name)) for name in CowReport.__dataclass_fields__}
    is_text = isinstance(answer, str | bytes | Mapping)
    is_list = isinstance(answer, Iterable) and not is_text
    return {"samples": _plain(answer)} if is_list else plain_text(answer)


def _plain(value: Any, depth: int = 4) -> Any:
    """Return a number, a short text, None, or a list of these, cut beyond what makes sense."""
    if isinstance(value, Sample | Conclusion):
        value = [getattr(value, name) for name in value.__dataclass_fields__]
    elif isinstance(value, Mapping):
        value = value.items()
    elif hasattr(value, "tolist"):  # a number or an array of NumPy's
        value = value.tolist()
    if value is None or isinstance(value, bool | str):
        return value[:80] if isinstance(value, str) else value
    if isinstance(value, Iterable):
        parts = islice(value, MAX_SAMPLES + 1)
        return [_plain(part, depth - 1) for part in parts] if depth else plain_text(value)
    return plain_number(value)
