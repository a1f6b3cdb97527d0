"""Where two texts differ: by lines, then by clauses, then by words.

Values stay whole: `12:03:44`, `2026-11-28`, a UUID and an address are one word each. Each level is
compared only where the level above differs, so that long texts cost little.

This file knows two strings. It does not know prompts.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from radixlab.why.anchors import share_windows
from radixlab.why.counting import ASCII_LETTERS, IDEOGRAPH, LETTERS
from radixlab.why.matching import gaps
from radixlab.why.values import are_two_values

_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_CLAUSES = re.compile(
    r"[^\S\n]+|\n|[^.,;{}\[\]\s][^.,;{}\[\]\n]*[.,;{}\[\]\n]?|[.,;{}\[\]]"  # white space alone
)
_WORDS = re.compile(rf"{LETTERS}|[^\S\n]+|[{IDEOGRAPH}]|[^\w ]")
_ASCII_WORDS = re.compile(rf"{ASCII_LETTERS}|[^\S\n]+|[^A-Za-z0-9_ ]")
_IDS = re.compile(r"\d+\s")


def words_in(text: str) -> list[str]:
    """Return the words of a text, and what is between them."""
    return (_ASCII_WORDS if text.isascii() else _WORDS).findall(text)


LEVELS = _LINES.findall, _CLAUSES.findall, words_in
"""A text is the sequence of its lines, of its clauses, or of its words with what is between."""
ID_LEVELS = _LINES.findall, _IDS.findall
"""Token ids are compared by lines and then as whole ids, each with what follows it."""
Levels = Sequence[Callable[[str], list[str]]]
MOST_PAIRS = 4_000_000
"""Pieces of one text × pieces of the other above which they are not compared at that level."""
MOST_REPEATS = 16
"""A piece that comes more often matches only beside a rarer one that matches: it would take long
to compare texts in which everything is like everything else."""
NEAR = 12
"""Characters between two differences on one line up to which they are one; or as many as the two
differences have on average."""


@dataclass(frozen=True, slots=True)
class Span:
    """A difference: what stands in [start, end) of a new text, and in [old_start, old_end)."""

    start: int
    end: int
    old_start: int
    old_end: int

    def moved(self, by: int, old_by: int) -> "Span":
        """Return the span counted from elsewhere."""
        return Span(self.start + by, self.end + by, self.old_start + old_by, self.old_end + old_by)


def differences(new: str, old: str, levels: Levels = LEVELS) -> list[Span]:
    """Return what differs, in order; what is between two of them agrees.

    >>> differences("It is 12:03:44 now.", "It is 12:03:51 now.")
    [Span(start=6, end=14, old_start=6, old_end=14)]
    """
    start, end = _equal_lines(new, old)
    inner = new[start : len(new) - end], old[start : len(old) - end]
    return _joined(list(_compare(*inner, levels, start, start)), new, old)


def _equal_lines(new: str, old: str) -> tuple[int, int]:
    """Return how many characters of whole lines two texts have in common, at both ends.

    Whole texts are compared faster than lines. A line more may be equal at the end.
    """
    start = new.rfind("\n", 0, num_common(new, old)) + 1
    new, old = new[start:], old[start:]
    end = num_common_at_end(new, old)
    first = new.find("\n", len(new) - end)
    return start, len(new) - first - 1 if first >= 0 else 0


def num_common(new: str, old: str) -> int:
    """Return the length of the common prefix of two texts."""
    low, high = 0, min(len(new), len(old))
    while low < high:
        middle = (low + high + 1) // 2
        if new[low:middle] == old[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def num_common_at_end(new: str, old: str) -> int:
    """Return the length of the common end of two texts."""
    low, high = 0, min(len(new), len(old))
    while low < high:
        middle = (low + high + 1) // 2
        if new[len(new) - middle : len(new) - low] == old[len(old) - middle : len(old) - low]:
            low = middle
        else:
            high = middle - 1
    return low


def opcodes(new: list[str], old: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Yield the ranges of two lists that differ; equal beginnings and ends cost almost nothing."""
    start, end = 0, 0
    most = min(len(new), len(old))
    while start < most and new[start] == old[start]:
        start += 1
    while end < most - start and new[-1 - end] == old[-1 - end]:
        end += 1
    new, old = new[start : len(new) - end], old[start : len(old) - end]
    if not new or not old or len(new) * len(old) > MOST_PAIRS:
        if new or old:
            yield start, start + len(new), start, start + len(old)
        return
    often = {piece for piece, num in Counter(new).items() if num > MOST_REPEATS}
    for i1, i2, j1, j2 in gaps(old, new, often):
        yield start + j1, start + j2, start + i1, start + i2


def _compare(new: str, old: str, levels: Levels, at: int = 0, old_at: int = 0) -> Iterator[Span]:
    """Yield what differs in two texts that begin `at` and `old_at` of longer ones."""
    pieces, old_pieces = levels[0](new), levels[0](old)
    starts, old_starts = _starts(pieces), _starts(old_pieces)
    for j1, j2, i1, i2 in opcodes(pieces, old_pieces):
        start, end, old_start, old_end = starts[j1], starts[j2], old_starts[i1], old_starts[i2]
        inner = new[start:end], old[old_start:old_end]
        begin, old_begin = at + start, old_at + old_start
        if len(levels) == 1 or not (inner[0] and inner[1] and share_windows(*inner)):
            yield Span(begin, at + end, old_begin, old_at + old_end)
        else:
            yield from _compare(*inner, levels[1:], begin, old_begin)


def _starts(pieces: list[str]) -> list[int]:
    return list(accumulate(map(len, pieces), initial=0))


def _joined(spans: list[Span], new: str, old: str) -> list[Span]:
    """Join differences that are near one another on one line: the parts of a date, say.

    A joined difference is longer, so it may be near to one that its parts were not near to.
    """
    while True:
        joined = spans[:1]
        for span in spans[1:]:
            last = joined[-1]
            if _are_one(last, span, new, old):
                joined[-1] = Span(last.start, span.end, last.old_start, span.old_end)
            else:
                joined.append(span)
        if len(joined) == len(spans):
            return joined
        spans = joined


def _are_one(first: Span, second: Span, new: str, old: str) -> bool:
    """Whether two differences are parts of one.

    A difference of white space and another one are two matters; so are two values, each with its
    own name.
    """
    gap = new[first.end : second.start]
    half = (first.end - first.start + second.end - second.start) // 2
    if "\n" in gap or len(gap) > max(NEAR, half):
        return False
    if _is_blank(first, new, old) != _is_blank(second, new, old):
        return False
    return not are_two_values(new, (first.start, first.end), (second.start, second.end))


def _is_blank(span: Span, new: str, old: str) -> bool:
    """Whether nothing but white space differs."""
    return not (new[span.start : span.end].strip() or old[span.old_start : span.old_end].strip())
