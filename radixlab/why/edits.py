"""A log without some of its faults: each request as if its reference's text had not changed.

An edit says how a prompt differs from its reference. To take a fault out, the differences with that
cause are undone: the reference's text replaces them, after the same fault was taken out of it. So a
volatile value keeps the first value that the log has, tools stand in the first order, and messages
that were left out come back. A prompt that merely continues an edited one continues the edited
text.
"""

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from radixlab.why.diff import Span
from radixlab.why.source import Source

MOST_CHARACTERS = 32_000_000
"""Most characters of edited prompts that are kept, because later ones continue them."""
MOST_DEPTH = 200
"""Most references that are followed, from one to the next, to edit one prompt again."""


@dataclass(frozen=True, slots=True)
class Edit:
    """How a prompt differs from its reference."""

    reference: int
    common: int
    """Characters of the common prefix; what is compared beyond it is in `changes`."""
    changes: tuple[tuple[Span, int], ...] = ()
    """Each difference with the number of its group; none if the prompt only continues."""
    scope_from: int | None = None
    """The request whose scope this one would have if no parameter had changed."""


@dataclass(frozen=True, slots=True)
class Edited:
    """A prompt without some faults, and where its pieces come from.

    A piece is either text of the prompt itself, or it replaces some. A position inside a replaced
    piece has no counterpart: what ends there ends before the piece, what begins there begins
    behind it.
    """

    text: str
    starts: list[int]
    """Positions in the prompt of the log at which a piece begins, ascending."""
    goes: list[int]
    """Where each piece begins in the edited prompt."""
    replaced: list[bool]

    def left(self, position: int) -> int:
        """Return where the text before a position of the prompt ends in the edited one."""
        return self._at(bisect_left(self.starts, position) - 1, position, False)

    def right(self, position: int) -> int:
        """Return where the text from a position on begins in the edited one."""
        return self._at(bisect_right(self.starts, position) - 1, position, True)

    def around(self, position: int) -> tuple[int, int] | None:
        """Return the range of the replaced piece that a position is inside of, if it is."""
        piece = bisect_left(self.starts, position) - 1
        if piece < 0 or not self.replaced[piece]:
            return None
        end = self.starts[piece + 1]
        return (self.starts[piece], end) if position < end else None

    def _at(self, piece: int, position: int, behind: bool) -> int:
        if piece < 0:
            return 0
        if piece + 1 == len(self.starts):
            return len(self.text)
        end = self.goes[piece + 1]
        if not self.replaced[piece]:
            return min(self.goes[piece] + position - self.starts[piece], end)
        if behind:
            return self.goes[piece] if position == self.starts[piece] else end
        return end if position == self.starts[piece + 1] else self.goes[piece]


class Editor:
    """Makes prompts without the faults of some groups."""

    def __init__(self, source: Source, edits: Mapping[int, Edit], groups: frozenset[int]) -> None:
        self._source, self._edits, self._groups = source, edits, groups
        self._kept: OrderedDict[int, Edited | None] = OrderedDict()
        self._num_kept = 0

    def edited(self, number: int, depth: int = 0) -> Edited | None:
        """Return a prompt without the faults; None if it stays as it is."""
        if number in self._kept:
            return self._kept[number]
        edit = self._edits.get(number)
        if edit is None or depth > MOST_DEPTH:
            return None
        base = self.edited(edit.reference, depth + 1)
        undone = any(group in self._groups for _, group in edit.changes)
        if not undone and base is None:
            return None
        edited = self._undo(number, edit, base or self._as_it_is(edit.reference))
        self._kept[number] = edited
        self._num_kept += len(edited.text)
        while self._num_kept > MOST_CHARACTERS and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._num_kept -= len(oldest.text) if oldest else 0
        return edited

    def _as_it_is(self, number: int) -> Edited:
        text = self._source.prompt(number).text
        return Edited(text, [0, len(text)], [0, len(text)], [False, False])

    def _undo(self, number: int, edit: Edit, base: Edited) -> Edited:
        """Put a prompt together from its own text and its reference's edited one."""
        own, made = self._source.prompt(number).text, _Making()
        if not edit.changes:
            common = self._whole(own, edit, base)
            made.from_base(base, 0, 0, common)
            made.own(own, common, len(own))
            return made.done(len(own))
        position = old_position = 0
        before = False
        for span, group in edit.changes:
            undone = group in self._groups
            made.agreed(base, own, position, (old_position, span.old_start), (before, undone))
            if undone:
                made.undo(base, span)
            else:
                made.own(own, span.start, span.end)
                made.pass_over(base, span)
            position, old_position, before = span.end, span.old_end, undone
        end = old_position + len(own) - position
        made.agreed(base, own, position, (old_position, end), (before, False))
        return made.done(len(own))

    def _whole(self, own: str, edit: Edit, base: Edited) -> int:
        """Return where a common prefix ends that has all of a replaced piece or nothing of it."""
        piece = base.around(edit.common)
        if piece is None:
            return edit.common
        text = self._source.prompt(edit.reference).text[slice(*piece)]
        return piece[own.startswith(text, piece[0])]


class _Making:
    """Builds an edited prompt."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._starts: list[int] = []
        self._goes: list[int] = []
        self._replaced: list[bool] = []
        self._length = 0
        self._used = 0
        """Up to where the base's text was used, so that nothing comes twice."""

    def undo(self, base: Edited, span: Span) -> None:
        """Add what the base has in place of a difference."""
        first = max(self._used, base.left(span.old_start))
        self._used = max(first, base.right(span.old_end))
        self._piece(span.start, base.text[first : self._used], replaced=True)

    def pass_over(self, base: Edited, span: Span) -> None:
        """Leave out what the base has in place of a difference."""
        self._used = max(self._used, base.right(span.old_end))

    def _piece(self, start: int, text: str, replaced: bool = False) -> None:
        """Add a text that stands for what begins at `start` of the prompt."""
        self._mark(start, self._length, replaced)
        self._texts.append(text)
        self._length += len(text)

    def _mark(self, start: int, goes: int, replaced: bool) -> None:
        self._starts.append(start)
        self._goes.append(goes)
        self._replaced.append(replaced)

    def own(self, text: str, start: int, end: int) -> None:
        """Add a stretch of the prompt itself."""
        self._piece(start, text[start:end])

    def agreed(
        self,
        base: Edited,
        own: str,
        start: int,
        old: tuple[int, int],
        undone: tuple[bool, bool],
    ) -> None:
        """Add what agrees with a range of the reference, between two differences.

        Where it begins or ends inside something that the base has replaced, the difference there
        brings the replacement if it is undone; otherwise the prompt's own text stays.
        """
        first, last = old
        piece = base.around(first) if first else None
        if piece:
            first = min(piece[1], last)
            if not undone[0]:
                self.own(own, start, start + first - old[0])
        tail = last
        if next_piece := base.around(last):
            tail = max(next_piece[0], first)
        if first < tail or piece or next_piece:
            has_end = tail < last or not undone[1]
            self.from_base(base, start + first - old[0], first, tail, piece is not None, has_end)
        if tail < last and not undone[1]:
            self.own(own, start + tail - old[0], start + last - old[0])

    def from_base(
        self,
        base: Edited,
        start: int,
        old_start: int,
        old_end: int,
        has_start: bool = True,
        has_end: bool = True,
    ) -> None:
        """Add what agrees with [old_start, old_end) of the reference, as the base has it.

        What the base has put in at an end of this range comes with it, if the difference there
        does not bring it.
        """
        has_start |= not old_start
        first = max(self._used, base.left(old_start) if has_start else base.right(old_start))
        last = self._used = max(first, base.right(old_end) if has_end else base.left(old_end))
        here = self._length
        self._piece(start, base.text[first:last])
        for each in range(bisect_right(base.starts, old_start), bisect_right(base.starts, old_end)):
            most = last if base.starts[each] < old_end else last - 1
            if first <= base.goes[each] <= most:
                position = start + base.starts[each] - old_start
                self._mark(position, here + base.goes[each] - first, base.replaced[each])

    def done(self, length: int) -> Edited:
        """Return the edited prompt of one that has this length: the end is a piece without text."""
        self._mark(length, self._length, False)
        return Edited("".join(self._texts), self._starts, self._goes, self._replaced)
