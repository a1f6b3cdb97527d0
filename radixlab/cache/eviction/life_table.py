"""How long until a block is used again: learned from those that were, and those that were not.

A *span* is the time between one use of a node and the next. Spans are told apart by *kind*, how
often the node had been used before, and by age, as an insurer tells lives apart. A life table says
what share of the blocks that reach an age are used again at that age; it also learns from spans
that have not ended, because they reached the age they have.

This file knows spans. It does not know nodes, leaves or victims.
"""

from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

NUM_KINDS = 10
"""Used 0, 1, 2 to 3, 4 to 7 … times before, the last 256 times and more."""
AGES = sorted({round(2 ** (step / 2)) for step in range(41)})
"""Ticks at which the next age begins: two to an octave, as far as a million."""
NUM_AGES = len(AGES) + 1
WIDTHS: FloatArray = np.diff([0, *AGES, 2 * AGES[-1]]).astype(np.float64)
KIND_TRUST = 2
"""A kind is believed over all kinds together once its own spans are more than so many."""
PRIOR_CHANCE = 0.2
"""Chance of a use at each age before anything is known. The ages double, so the density falls with
age, alike for all kinds: the least recently used is worth least, as LRU has it."""
PRIOR_TRUST = 4
"""All kinds together are believed over that once their spans are more than so many."""
MEMORY = 0.75
"""What an old span counts after each look at the table."""


@dataclass(slots=True)
class Span:
    """Blocks that wait to be used again."""

    key: int
    """What they hold."""
    num_hits: int
    """How often they were used again before."""
    since: int
    """Tick of their last use."""
    num_blocks: int

    @property
    def kind(self) -> int:
        """The row of the table, by powers of two."""
        return min(self.num_hits.bit_length(), NUM_KINDS - 1)


def age_at(ticks: int) -> int:
    """Return the column of the table for a span that is so old."""
    return bisect_right(AGES, ticks)


class LifeTable:
    """Blocks by the kind and age of their spans at the end, decaying."""

    def __init__(self) -> None:
        self._hits: FloatArray = np.zeros((NUM_KINDS, NUM_AGES))
        self._ended: FloatArray = np.zeros((NUM_KINDS, NUM_AGES))

    def end(self, span: Span, now: int, *, hit: bool) -> None:
        """Count a span that ends in a use, or is given up."""
        where = span.kind, age_at(now - span.since)
        self._ended[where] += span.num_blocks
        if hit:
            self._hits[where] += span.num_blocks

    def hit_density(self, waiting: Collection[Span], now: int) -> list[list[float]]:
        """Return the hits that a block of each kind and age promises, per tick that it is kept.

        `waiting` are the spans that have not ended; those that have count less from here on.
        """
        reached = self._ended.copy()  # [kinds, ages]
        for span in waiting:
            reached[span.kind, age_at(now - span.since)] += span.num_blocks
        of_a_span = (1 + sum(span.num_blocks for span in waiting)) / (1 + len(waiting))
        prior = np.full(NUM_AGES, PRIOR_CHANCE)
        of_all = _chances(self._hits.sum(0), reached.sum(0), prior, PRIOR_TRUST * of_a_span)
        of_kind = _chances(self._hits, reached, of_all, KIND_TRUST * of_a_span)
        self._hits *= MEMORY
        self._ended *= MEMORY
        return _best_densities(of_kind)


def _chances(hits: FloatArray, reached: FloatArray, prior: FloatArray, trust: float) -> FloatArray:
    """Return the chance of a hit at each age, for those that reach it, `[..., ages]`.

    Spans that stop at an age without a hit were there half of the time.
    """
    entered = np.cumsum(reached[..., ::-1], axis=-1)[..., ::-1]
    return (hits + trust * prior) / (entered - (reached - hits) / 2 + trust)


def _best_densities(chances: FloatArray) -> list[list[float]]:
    """Return chance of a hit ÷ ticks kept, for each age, if given up at the best time after it.

    The best time to stop makes it Gittins' index (1979), which is the right order in which to
    spend on things that each pay off at an unknown time.
    """
    densities = np.zeros_like(chances)
    for age in range(NUM_AGES):
        ahead = chances[:, age:]
        unused = np.cumprod(1 - ahead, axis=1)  # still without a hit at the end of each age
        before = np.hstack([np.ones((len(ahead), 1)), unused[:, :-1]])
        ticks = np.cumsum((before + unused) / 2 * WIDTHS[age:], axis=1)
        densities[:, age] = ((1 - unused) / ticks).max(axis=1)
    lists: list[list[float]] = densities.tolist()
    return lists
