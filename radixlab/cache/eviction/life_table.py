"""How long until a block is used again: learned from blocks that were, and that were not.

A *span* is the time between one use of a node and the next. Spans are grouped by *kind*, which is
how often the node was used before, and by age, as an insurer groups lives. For each age, a life
table gives the share of the blocks reaching that age that are used again at it. It also learns from
spans that have not ended, because they have reached their current age.

This file knows spans. It does not know nodes, leaves or victims.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

NUM_KINDS = 10
"""The kinds: used 0, 1, 2 to 3, 4 to 7 … times before, the last kind 256 times or more."""
AGES = sorted({round(2 ** (step / 2)) for step in range(41)})
"""The ticks at which the next age begins: two per octave, up to a million."""
NUM_AGES = len(AGES) + 1
WIDTHS: FloatArray = np.diff([0, *AGES, 2 * AGES[-1]]).astype(np.float64)
KIND_TRUST = 2
"""With more spans than this, a kind outweighs the estimate from all kinds together."""
PRIOR_CHANCE = 0.2
"""The prior probability of a use at each age. The ages double, so the density falls with age,
equally for all kinds: the least recently used leaf is worth least, as in LRU."""
PRIOR_TRUST = 4
"""With more spans than this, the estimate from all kinds outweighs the prior."""
MEMORY = 0.75
"""The factor by which the weight of old spans shrinks at each update."""


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
    """Return the table's column for a span of this age."""
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

    def counts(self, waiting: Iterable[Span], now: int) -> tuple[FloatArray, FloatArray]:
        """Return the blocks that were used again and all that were watched, `[kinds, ages]` each.

        `waiting` are the spans that have not ended: they count up to the age that they have.
        """
        reached = self._ended.copy()
        for span in waiting:
            reached[span.kind, age_at(now - span.since)] += span.num_blocks
        return self._hits.copy(), reached

    def hit_density(self, waiting: Collection[Span], now: int) -> list[list[float]]:
        """Return the expected hits of a block of each kind and age, per tick that it is kept.

        `waiting` are the spans that have not ended. The weight of ended spans shrinks with this
        call.
        """
        hits, reached = self.counts(waiting, now)
        of_a_span = (1 + sum(span.num_blocks for span in waiting)) / (1 + len(waiting))
        prior = np.full(NUM_AGES, PRIOR_CHANCE)
        of_all = _chances(hits.sum(0), reached.sum(0), prior, PRIOR_TRUST * of_a_span)
        of_kind = _chances(hits, reached, of_all, KIND_TRUST * of_a_span)
        self._hits *= MEMORY
        self._ended *= MEMORY
        return _best_densities(of_kind)


def unused(hits: FloatArray, reached: FloatArray) -> FloatArray:
    """Return the share of blocks that is still unused after each age, `[..., ages]`."""
    chances = _chances(hits, reached, np.zeros(NUM_AGES), 1e-9)
    return np.cumprod(1 - chances, axis=-1, dtype=np.float64)


def _chances(hits: FloatArray, reached: FloatArray, prior: FloatArray, trust: float) -> FloatArray:
    """Return the probability of a hit at each age, for spans that reach it, `[..., ages]`.

    A span that stops at an age without a hit counts as half present at that age.
    """
    entered = np.cumsum(reached[..., ::-1], axis=-1)[..., ::-1]
    return (hits + trust * prior) / (entered - (reached - hits) / 2 + trust)


def _best_densities(chances: FloatArray) -> list[list[float]]:
    """Return probability of a hit ÷ ticks kept, by age, if evicted at the best later time.

    With the best stopping time this is the Gittins index (1979), which gives the optimal order for
    projects that each pay off at an unknown time.
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
