r"""Where two texts differ: by lines, then by clauses, then by words.

Values stay whole: `12:03:44`, `2026-11-28`, a UUID and an address are one word each. Each level is
compared only where the level above differs, so that long texts cost little.
White space is not compared with anything but white space. A line that is indented otherwise, ends
otherwise or writes a character otherwise (`\u00e9` for é) is still the same line.

This file knows two strings. It does not know prompts.
"""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from radixlab.why.anchors import share_windows
from radixlab.why.counting import visible_word
from radixlab.why.matching import gaps
from radixlab.why.values import are_two_values

_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|[\"\\/bfnrt])")
_LINES = re.compile(r"[^\n]+")
_CLAUSES = re.compile(r"[^.,;{}\[\]\s][^.,;{}\[\]\n]*[.,;]?|[.,;{}\[\]]")
_ID_LINES, _IDS = re.compile(r"[^\n]*\n|[^\n]+"), re.compile(r"\d+\s")


def words_in(text: str) -> Iterator[re.Match[str]]:
    """Yield the words and marks of a text."""
    return visible_word(text).finditer(text)


LEVELS = _LINES.finditer, _CLAUSES.finditer, words_in
"""A text is the sequence of its lines, of its clauses, or of its words; between them is nothing but
white space."""
ID_LEVELS = _ID_LINES.finditer, _IDS.finditer
"""Token ids are compared by lines and then as whole ids, each with what follows it."""
Levels = Sequence[Callable[[str], Iterator[re.Match[str]]]]
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
    first, last = _equal_lines(new, old)
    inner = new[first : len(new) - last], old[first : len(old) - last]
    spans = [span.moved(first, first) for span in _compare(*inner, levels)]
    return _joined(_with_edges(spans, new, old), new, old)


def normalised(text: str) -> str:
    r"""Return a text without what white space, escapes and Unicode's forms can change.

    >>> normalised('{"a":  "caf\\u00e9"}') == normalised('{"a":"café"}')
    True
    """
    if "\\" in text:
        text = _ESCAPE.sub(_unescaped, text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("\ufeff", "")
    return "".join(text.split())


def _unescaped(found: re.Match[str]) -> str:
    return str(json.loads(f'"{found[0]}"'))


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


def _equal_lines(new: str, old: str) -> tuple[int, int]:
    """Return how many characters of whole lines two texts have in common, at both ends.

    Whole texts are compared faster than lines. A line more may be equal at the end.
    """
    start = new.rfind("\n", 0, num_common(new, old)) + 1
    new, old = new[start:], old[start:]
    end = num_common_at_end(new, old)
    first = new.find("\n", len(new) - end)
    return start, len(new) - first - 1 if first >= 0 else 0


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


def _compare(new: str, old: str, levels: Levels) -> Iterator[Span]:
    """Yield what differs at the first level, and inside of that at the next ones."""
    pieces, old_pieces = _pieces(new, levels[0]), _pieces(old, levels[0])
    texts, old_texts = ([each[0] for each in side] for side in (pieces, old_pieces))
    same = set(texts).intersection(old_texts)  # most; only the others are worth normalising
    keys, old_keys = (
        [each if each in same else _key(each, levels) for each in side]
        for side in (texts, old_texts)
    )
    differ = [*opcodes(keys, old_keys), (len(keys), len(keys), len(old_keys), len(old_keys))]
    end = old_end = number = old_number = 0
    for j1, j2, i1, i2 in differ:
        if number < j1:  # most agree in white space too
            last, old_last = pieces[j1 - 1].end(), old_pieces[i1 - 1].end()
            if new[end:last] == old[old_end:old_last]:
                end, old_end, number, old_number = last, old_last, j1, i1
        for piece, old_piece in zip(pieces[number:j1], old_pieces[old_number:i1], strict=True):
            yield from _blank(Span(end, piece.start(), old_end, old_piece.start()), new, old)
            if piece[0] != old_piece[0]:  # only in its form
                yield from _inside(Span(*piece.span(), *old_piece.span()), new, old, levels)
            end, old_end = piece.end(), old_piece.end()
        stop = pieces[j2].start() if j2 < len(pieces) else len(new)
        old_stop = old_pieces[i2].start() if i2 < len(old_pieces) else len(old)
        yield from _inside(Span(end, stop, old_end, old_stop), new, old, levels)
        end, old_end, number, old_number = stop, old_stop, j2, i2


def _pieces(text: str, level: Callable[[str], Iterator[re.Match[str]]]) -> list[re.Match[str]]:
    return [piece for piece in level(text) if not piece[0].isspace()]


def _key(piece: str, levels: Levels) -> str:
    """Return what makes a piece the same as another."""
    return piece if _are_ids(levels) else normalised(piece)


def _are_ids(levels: Levels) -> bool:
    return levels[-1] is ID_LEVELS[-1]


def _blank(span: Span, new: str, old: str) -> Iterator[Span]:
    """Yield the white space between two pieces if it differs."""
    if new[span.start : span.end] != old[span.old_start : span.old_end]:
        yield span


def _inside(span: Span, new: str, old: str, levels: Levels) -> Iterator[Span]:
    """Yield what differs where other pieces stand, and the white space around them."""
    text, before = new[span.start : span.end], old[span.old_start : span.old_end]
    lead, tail = ((0, 0), (0, 0)) if _are_ids(levels) else _white_around(text, before)
    start, old_start = span.start + lead[0], span.old_start + lead[1]
    end, old_end = span.end - tail[0], span.old_end - tail[1]
    yield from _blank(Span(span.start, start, span.old_start, old_start), new, old)
    text, before = new[start:end], old[old_start:old_end]
    if len(levels) > 1 and text and before and share_windows(text, before):
        for each in _compare(text, before, levels[1:]):
            yield each.moved(start, old_start)
    elif text or before:
        yield Span(start, end, old_start, old_end)
    yield from _blank(Span(end, span.end, old_end, span.old_end), new, old)


def _white_around(text: str, before: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the lengths of the white space at the beginnings and at the ends of two texts.

    White space inside one line that differs stays with what is visible, which may be a value. If
    one side has nothing else, the other one's text was put in between.
    """
    visible, old_visible = text.strip(), before.strip()
    if not visible or not old_visible:
        first = _num_blank_common(text, before)
        rest, old_rest = text[first:], before[first:]
        last = _num_blank_common(rest[::-1], old_rest[::-1])
        if last == min(len(rest), len(old_rest)):
            return (first, first), (last, last)
        return (len(text) - len(text.lstrip()), len(before) - len(before.lstrip())), (0, 0)
    lead = _of_edge(text[: text.index(visible)], before[: before.index(old_visible)])
    ends = len(text.rstrip()), len(before.rstrip())
    tail = _of_edge(text[ends[0] :][::-1], before[ends[1] :][::-1])
    return lead, tail


def _of_edge(blank: str, old_blank: str) -> tuple[int, int]:
    """Return how much of the white space beside two visible texts is not a part of them."""
    if "\n" in blank + old_blank:
        return len(blank), len(old_blank)
    common = num_common(blank, old_blank)
    return common, common


def _num_blank_common(text: str, before: str) -> int:
    """Return the length of the white space with which two texts begin alike."""
    common = num_common(text, before)
    return common - len(text[:common].lstrip())


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


def _with_edges(spans: list[Span], new: str, old: str) -> list[Span]:
    """Join white space to what differs beside it, unless white space differs elsewhere too."""
    found: list[Span] = []
    forms = [_is_form(span, new, old) for span in spans]
    for number, span in enumerate(spans):
        touches = bool(number) and _touch(spans[number - 1], span)
        touches_next = number + 1 < len(spans) and _touch(span, spans[number + 1])
        beside = (touches and not forms[number - 1]) or (touches_next and not forms[number + 1])
        if forms[number] and not beside:
            return spans
        if touches and forms[number] != forms[number - 1]:
            last = found.pop()
            span = Span(last.start, span.end, last.old_start, span.old_end)
        found.append(span)
    return found


def _touch(first: Span, second: Span) -> bool:
    return (first.end, first.old_end) == (second.start, second.old_start)


def _are_one(first: Span, second: Span, new: str, old: str) -> bool:
    """Whether two differences are parts of one.

    A difference of form and another one are two matters; so are two values, each with its
    own name.
    """
    gap = new[first.end : second.start]
    half = (first.end - first.start + second.end - second.start) // 2
    if "\n" in gap or len(gap) > max(NEAR, half):
        return False
    if _is_form(first, new, old) != _is_form(second, new, old):
        return False
    return not are_two_values(new, (first.start, first.end), (second.start, second.end))


def _is_form(span: Span, new: str, old: str) -> bool:
    """Whether nothing but white space or the way of writing differs."""
    text, before = new[span.start : span.end], old[span.old_start : span.old_end]
    return normalised(text) == normalised(before)
