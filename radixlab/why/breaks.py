"""The breaks that cost most, and what each request adds to the group of its cause."""

from collections import Counter
from dataclasses import dataclass, replace
from heapq import heappush, heappushpop

from radixlab.why.cache import Asked, Layers
from radixlab.why.groups import Groups
from radixlab.why.judge import Verdict
from radixlab.why.report import Break
from radixlab.why.request import Request

MOST_BREAKS = 300


@dataclass(slots=True)
class Loss:
    """Tokens of one request that were lost to one cause."""

    verdict: Verdict
    earlier: Request | None
    tokens: int
    place: tuple[str, str, str]
    """Where, the value before, and the value after."""
    around: tuple[str, str] = ("", "")
    """The text just before and just behind it."""


class Breaks:
    """A bounded heap of breaks: those with most tokens stay."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups
        self._heap: list[tuple[int, int, int, Break]] = []
        """Tokens lost, minus the request's number, the group, the break."""

    def note(self, request: Request, asked: Asked, layers: Layers, loss: Loss) -> None:
        """Count a loss in its group, and keep the break if it is among the largest.

        A value that has cost nothing helps to decide the cause of its group, but is not kept.
        """
        group, seen = self._groups.of(loss.verdict), layers.seen_anywhere
        node = seen.path[-1] if seen.path else None
        self._groups.note(group, loss.verdict, loss.tokens, loss.place, node)
        if not loss.tokens:
            return
        found = Break(
            request.line,
            None if loss.earlier is None else loss.earlier.line,
            "",
            *loss.place,
            len(asked.tokens),
            layers.found,
            loss.tokens,
            *loss.around,
        )
        entry = loss.tokens, -asked.number, group.number, found
        if len(self._heap) < MOST_BREAKS:
            heappush(self._heap, entry)
        elif entry[:3] > self._heap[0][:3]:
            heappushpop(self._heap, entry)

    def largest(self) -> tuple[Break, ...]:
        """Return the breaks, most tokens first, each with the cause that its group turned out."""
        groups = self._groups.all
        ordered = sorted(self._heap, key=lambda entry: (-entry[0], -entry[1], entry[2]))
        named = (replace(found, cause=groups[group].cause) for _, _, group, found in ordered)
        return tuple(each for each in named if each.cause != "never_seen")

    def by_request(self) -> dict[int, Counter[str]]:
        """Return the causes of the breaks, by the number of the request."""
        causes: dict[int, Counter[str]] = {}
        for tokens, minus_number, group, _ in self._heap:
            cause = self._groups.all[group].cause
            if cause != "never_seen":
                causes.setdefault(-minus_number, Counter())[cause] += tokens
        return causes
