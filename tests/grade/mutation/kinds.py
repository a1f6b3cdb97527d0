"""Where a source can be broken, and how: every edit is one small splice of the text.

Six kinds, after the mistakes that people make: off by one, wrong key, forgotten update, swapped
order, wrong bound, stale state.
"""

from dataclasses import dataclass
from functools import cache

from tests.grade.mutation.expressions import Expressions
from tests.grade.mutation.source import Source
from tests.grade.mutation.statements import Statements

KINDS = (
    "off-by-one",
    "wrong-key",
    "forgotten-update",
    "swapped-order",
    "wrong-bound",
    "stale-state",
)


@dataclass(frozen=True, slots=True)
class Edit:
    """A splice: the text from `start` to `end` becomes `text`."""

    kind: str
    line: int
    start: int
    end: int
    text: str


@cache
def edits(text: str) -> tuple[Edit, ...]:
    """Return every edit of a source, always in the same order."""
    code = Source(text)
    found = [*Expressions(code).edits(), *Statements(code).edits()]
    return tuple(dict.fromkeys(Edit(*splice) for splice in found))
