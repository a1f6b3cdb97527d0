"""A prompt beside its reference: the differences, what each one is, and what each one has cost."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from radixlab.why.alignment import Change, changes_between
from radixlab.why.diff import Span
from radixlab.why.found import Stretch, conversation, stretches
from radixlab.why.groups import Groups
from radixlab.why.judge import First, Verdict, judge
from radixlab.why.order import split_moved
from radixlab.why.prompt import Prompt
from radixlab.why.words import parameter

LEAST_AGREED = 64
"""Tokens, and share of what was not found: prompts that agree in less are not alike."""
LEAST_COMMON = 0.1


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two prompts, and all that is known of their differences."""

    new: Prompt
    old: Prompt
    old_number: int
    changes: list[Change]
    verdicts: list[Verdict]
    rows: list[Stretch]
    same_conversation: bool

    @property
    def same_scope(self) -> bool:
        """Whether no parameter differs."""
        return self.old.request.scope == self.new.request.scope

    @property
    def agreed(self) -> int:
        """Tokens behind the first difference that the earlier prompt has too."""
        return sum(row.tokens for row in self.rows)

    def is_alike(self, num_tokens: int) -> bool:
        """Whether two prompts agree again, in the `num_tokens` tokens behind their prefix.

        Prompts that have nothing to do with each other agree in a few words.
        """
        least = min(LEAST_AGREED, LEAST_COMMON * num_tokens)
        return self.same_conversation or self.agreed >= least

    def causes(self, stays: str | None) -> Iterator[tuple[Verdict, Change, int]]:
        """Yield the differences that have cost something: verdict, first difference, tokens.

        Faults with less than a block between them share what is behind the last one: it is only
        found if all of them are mended. So do a difference and another parameter, or what `stays`:
        the cause for which the reference would not be found even without differences.
        """
        close: dict[Verdict, Change] = {}
        for row in self._costly():
            verdicts = self._verdicts(row, stays)
            close |= {each: self.changes[row.first] for each in verdicts if each not in close}
            if verdicts and row.tokens:
                yield from _shared(list(close.items()), row.tokens)
                close = {}

    def _costly(self) -> list[Stretch]:
        """Return the rows up to the last one that has cost tokens."""
        num = max((number for number, row in enumerate(self.rows, 1) if row.tokens), default=0)
        return self.rows[:num]

    def _verdicts(self, row: Stretch, stays: str | None) -> list[Verdict]:
        """Return what a difference is, and what else must be mended; nothing for new text.

        A value that differs between two conversations may be the conversation's own, whatever
        their parameters are.
        """
        verdict = self.verdicts[row.first]
        if verdict.cause == "never_seen":
            return []
        verdicts = [verdict]
        if not self.same_scope and (self.same_conversation or verdict.cause != "value"):
            name = parameter(self.new.request, self.old.request)[0]
            verdicts.append(Verdict("model_changed", "model_changed", (name,)))
        return [*verdicts, Verdict(stays, stays, ("",))] if stays else verdicts

    def undoable(self, groups: Groups) -> tuple[tuple[Span, int], ...]:
        """Return each difference with the number of its group, or −1 if it is new text.

        Differences of order that follow one another are one: items that changed places are put back
        all together or not at all.
        """
        pairs: list[tuple[Span, int]] = []
        for number, (change, verdict) in enumerate(zip(self.changes, self.verdicts, strict=True)):
            span = change.span
            if verdict.cause == "order_changed" and number and self.verdicts[number - 1] == verdict:
                first = pairs.pop()[0]
                span = Span(first.start, span.end, first.old_start, span.old_end)
            is_new = verdict.cause == "never_seen"
            pairs.append((span, -1 if is_new else groups.of(verdict).number))
        return tuple(pairs)


def _shared(
    faults: list[tuple[Verdict, Change]], num_tokens: int
) -> Iterator[tuple[Verdict, Change, int]]:
    """Yield each fault with its share of the tokens; the first ones get what does not divide."""
    for number, (verdict, change) in enumerate(faults):
        yield verdict, change, (num_tokens + len(faults) - 1 - number) // len(faults)


def compare(
    new: Prompt, old: Prompt, old_number: int, known: int, block_size: int, first: First
) -> Comparison:
    """Compare a prompt with another; its first `known` tokens already have a cause.

    `first` reads the first prompt of the conversation that the other one belongs to.
    """
    changes = split_moved(changes_between(new, old), new, old)
    same = conversation(changes, new, old)
    verdicts = judge(changes, new, old, same, first)
    changes, verdicts = _moved_first(changes, verdicts)
    rows = stretches(changes, verdicts, new, old, known, block_size)
    return Comparison(new, old, old_number, changes, verdicts, rows, same)


def _moved_first(
    changes: list[Change], verdicts: list[Verdict]
) -> tuple[list[Change], list[Verdict]]:
    """Put messages that moved away from a place before what is new there.

    If the order is undone they come back, and what is new follows them.
    """
    pairs = list(zip(changes, verdicts, strict=True))
    for number in range(1, len(pairs)):
        change, verdict = pairs[number]
        while number and verdict.cause == "order_changed" and _is_removed(change):
            before, other = pairs[number - 1]
            if other.cause != "never_seen" or not _is_added(before):
                break
            if (before.span.end, before.span.old_end) != (change.span.start, change.span.old_start):
                break
            start, old_end = before.span.start, change.span.old_end
            first = replace(change, span=replace(change.span, start=start, end=start))
            second = replace(before, span=replace(before.span, old_start=old_end, old_end=old_end))
            pairs[number - 1 : number + 1] = [(first, verdict), (second, other)]
            number, change = number - 1, first
    return [change for change, _ in pairs], [verdict for _, verdict in pairs]


def _is_removed(change: Change) -> bool:
    return change.is_whole and change.span.start == change.span.end


def _is_added(change: Change) -> bool:
    return change.is_whole and change.span.old_start == change.span.old_end
