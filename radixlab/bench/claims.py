"""What people claim of prefix caching, and the judge: verdicts follow from figures alone.

Each claim is a comparison of the cache with a control that does without it, and a bound. A case is
one such comparison on one traffic. This file knows claims and figures. It measures nothing.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Word = Literal["holds", "holds only if", "fails"]
MOST_DECIMALS = 12
"""So many tell any two figures apart that counts of this size make."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim in its own words, and the figure by which it is judged."""

    name: str
    """The column's title."""
    says: str
    figure: str
    """What is divided by what."""
    compare: Callable[[float, float], float]
    """Makes the figure of what the cache counts and what the control counts."""
    relation: Literal["≥", "≤"]
    bound: float
    pattern: str
    """Formats a figure."""
    needs: Callable[[float, int], str]
    """Says in words how much traffic must have of what the claim depends on; the second number is
    how many decimals it takes."""

    def holds(self, figure: float) -> bool:
        """Whether a figure is within the bound."""
        return figure >= self.bound if self.relation == "≥" else figure <= self.bound

    def shown(self, figure: float) -> str:
        """Format a figure, and say whether it holds.

        A figure that fails never looks like the bound: it gets as many decimals as that takes.

        >>> FASTER.shown(2.34), FASTER.shown(1), FASTER.shown(1.96)
        ('2.3× holds', '1.0× fails', '1.96× fails')
        """
        if self.holds(figure):
            return f"{self.pattern.format(figure)} holds"
        patterns = map(self._with_decimals, range(MOST_DECIMALS))
        told = [(each.format(figure), each.format(self.bound)) for each in patterns]
        return f"{next((text for text, bound in told if text != bound), told[-1][0])} fails"

    def _with_decimals(self, num_more: int) -> str:
        """Return the pattern with more decimals."""
        return re.sub(r"[.](\d)", lambda found: f".{int(found[1]) + num_more}", self.pattern)

    @property
    def limit(self) -> str:
        """The bound with its relation.

        >>> SMALLER.limit
        '≥ 50%'
        """
        return f"{self.relation} {self.pattern.format(self.bound)}"


def times_less(cache: float, control: float) -> float:
    """Divide what the control spends by what the cache spends; 1 if neither spends anything."""
    return control / cache if cache else float("inf") if control else 1.0


def share_saved(cache: float, control: float) -> float:
    """Return the share of the control's expense that the cache saves."""
    return 1 - cache / control if control else 0.0


def share_added(cache: float, control: float) -> float:
    """Return what the cache does beside what the control does, as a share of the latter."""
    return cache / control if control else 0.0


def _found(share: float, num_decimals: int) -> str:
    return f"{share:.{num_decimals}%} of the tokens are found"


def _long(num_blocks: float, num_decimals: int) -> str:
    return f"{num_blocks:.{num_decimals}f} blocks are taken for a request"


FASTER = Claim(
    "tokens",
    "2–5× on shared prefixes",
    "tokens computed, prompts and answers: without ÷ with the cache",
    times_less, "≥", 2, "{:.1f}×", _found,
)  # fmt: skip
SMALLER = Claim(
    "memory",
    "50–80 % less memory at high sharing",
    "blocks that the running requests hold at the peak: the share that the cache saves",
    share_saved, "≥", 0.5, "{:.0%}", _found,
)  # fmt: skip
SOONER = Claim(
    "first token",
    "2–3 s → 0.3–0.5 s to the first token",
    "prompt tokens to compute before it, of the median request: without ÷ with the cache",
    times_less, "≥", 4, "{:.1f}×", _found,
)  # fmt: skip
UNBURDENED = Claim(
    "overhead",
    "next to no overhead without sharing",
    "operations of the tree ÷ blocks taken and given back, on traffic that shares nothing",
    share_added, "≤", 0.05, "{:.1%}", _long,
)  # fmt: skip
CLAIMS = (FASTER, SMALLER, SOONER, UNBURDENED)
"""The bounds are the weakest that the words allow: 2×, 50 %, from 2 s to 0.5 s. For the last claim
the words give no number; ours is one operation of the tree to 20 of the allocator."""


@dataclass(frozen=True, slots=True)
class Case:
    """One claim on one traffic: what the cache spends, and the control beside it."""

    claim: Claim
    traffic: str
    cache: float
    control: float
    depends: float
    """How much the traffic has of what the claim depends on."""

    @property
    def figure(self) -> float:
        """The figure by which the claim is judged."""
        return self.claim.compare(self.cache, self.control)

    @property
    def holds(self) -> bool:
        """Whether the claim holds here."""
        return self.claim.holds(self.figure)

    @property
    def margin(self) -> float:
        """How many times its bound the figure reaches; below 1 the claim fails."""
        bound = self.claim.bound
        if self.claim.relation == "≥":
            return self.figure / bound
        return bound / self.figure if self.figure else float("inf")

    def __str__(self) -> str:
        return self.claim.shown(self.figure)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the cases of one claim say together."""

    claim: Claim
    word: Word
    condition: str
    """When it holds; empty if it always or never does."""
    num_holding: int
    num_cases: int

    def __str__(self) -> str:
        return f"{self.word} {self.condition}".strip()


def judge(cases: Sequence[Case], more: Sequence[Case] = ()) -> Verdict:
    """Judge one claim by its cases, of which there is at least one.

    If the claim holds in some cases only, the verdict has a condition: the least amount, in any
    case that holds, of what the claim depends on. Failing cases that have as much are named,
    because that amount alone does not decide. The cases of `more` were made to break the claim.
    They are judged too, but not named: if they leave no such least amount, the condition is that
    of `cases` alone.
    """
    claim = cases[0].claim
    holding, failing = _sorted_out(cases)
    all_holding, all_failing = _sorted_out([*cases, *more])
    word: Word = "fails" if not all_holding else "holds" if not all_failing else "holds only if"
    condition = ""
    if all_holding and all_failing:
        if _most(all_failing) < _least(all_holding) or not (holding and failing):
            holding, failing = all_holding, all_failing
        condition = _condition(claim, holding, failing)
    return Verdict(claim, word, condition, sum(case.holds for case in cases), len(cases))


def _sorted_out(cases: Sequence[Case]) -> tuple[list[Case], list[Case]]:
    """Return the cases that hold, and those that fail."""
    return [case for case in cases if case.holds], [case for case in cases if not case.holds]


def _least(cases: Sequence[Case]) -> float:
    return min(case.depends for case in cases)


def _most(cases: Sequence[Case]) -> float:
    return max(case.depends for case in cases)


def _condition(claim: Claim, holding: Sequence[Case], failing: Sequence[Case]) -> str:
    least, most = _least(holding), _most(failing)
    if most < least:
        for num_decimals in range(MOST_DECIMALS):  # as many as tell the two apart
            needed, fails = (claim.needs(value, num_decimals) for value in (least, most))
            if needed != fails:
                break
        return f"at least {needed} (at {fails.split()[0]} it fails)"
    needed = f"at least {claim.needs(least, 0)}"
    names = ", ".join(case.traffic for case in failing if case.depends >= least)
    return f"{needed}; even so it fails on {names}"


@dataclass(frozen=True, slots=True)
class Sweep:
    """One claim while one thing about the traffic changes step by step."""

    claim: Claim
    what: str
    """What changes, with its unit."""
    steps: tuple[tuple[int, Case], ...]

    @property
    def limit(self) -> str:
        """From which step to which the claim holds; every change of the verdict is named."""
        words = [(step, case.holds) for step, case in self.steps]
        if len({holds for _, holds in words}) == 1:
            return "always" if words[0][1] else "never"
        spans, start = [], None
        for index, (step, holds) in enumerate(words):
            if holds and start is None:
                start = step
            if holds and (index + 1 == len(words) or not words[index + 1][1]):
                spans.append(_span(start, step, words))
                start = None
        return ", ".join(spans)


def _span(start: int | None, end: int, words: list[tuple[int, bool]]) -> str:
    assert start is not None
    if end == words[-1][0]:
        return f"from {start:,}"
    if start == words[0][0]:
        return f"up to {end:,}"
    return f"at {start:,}" if start == end else f"{start:,} to {end:,}"
