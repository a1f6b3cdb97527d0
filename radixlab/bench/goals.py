"""Goals for the figures of a benchmark, and the verdict: whether a figure meets its goal."""

from dataclasses import dataclass
from typing import Literal

from radixlab.bench.measure import Spread

LEAST_ROUNDS = 5
"""A median of fewer rounds is too easily luck to judge by."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound on a figure, and a second one that would be better still.

    >>> goal = Goal("≤", 4, beyond=2.5, of="÷ floor")
    >>> goal.judge(3.1, rounds=9)
    '÷ floor ≤ 4 (beyond: 2.5): met'
    >>> goal.judge(3.1, rounds=2)
    '÷ floor ≤ 4 (beyond: 2.5): too few rounds to say'
    """

    relation: Literal["≤", "≥"]
    bound: float
    beyond: float | None = None
    of: str = ""
    """Which figure of its row the goal is about, where the table does not say."""

    def __str__(self) -> str:
        beyond = "" if self.beyond is None else f" (beyond: {self.beyond:g})"
        return f"{self.of} {self.relation} {self.bound:g}{beyond}".strip()

    def verdict(self, figure: Spread | float, rounds: int) -> str:
        """Say by the median whether the figure holds: met, beyond, missed, or too few rounds."""
        value = figure.median if isinstance(figure, Spread) else figure
        if rounds < LEAST_ROUNDS:
            return "too few rounds to say"
        if self.beyond is not None and self._holds(value, self.beyond):
            return "beyond"
        return "met" if self._holds(value, self.bound) else "missed"

    def judge(self, figure: Spread | float, rounds: int) -> str:
        """Return the goal and its verdict as a cell of a table."""
        return f"{self}: {self.verdict(figure, rounds)}"

    def _holds(self, value: float, bound: float) -> bool:
        return value <= bound if self.relation == "≤" else value >= bound
