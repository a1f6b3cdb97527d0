"""What a measured value earns: a share that rises evenly, so that no gate is a cliff.

A gate that takes all points at one value turns a difference of a thousandth into a failed exercise.
`ramp` gives all points on the good side of a band, none on the bad side, and an even share between.
A value that is not a number, or that no float can hold, is never on the good side.
"""

from math import inf, isfinite, log

LEAST_COST = 1e-12
"""A cost of 0 has no logarithm."""


def ramp(value: float, nothing_at: float, all_at: float) -> float:
    """Return the share of the points that a value earns, from 0 to 1.

    >>> [ramp(value, nothing_at=0.03, all_at=0.01) for value in (0.0, 0.01, 0.02, 0.03, 0.5)]
    [1.0, 1.0, 0.5, 0.0, 0.0]
    """
    if not _is_finite(value):
        return 0.0
    way = (value - nothing_at) / (all_at - nothing_at)
    return min(1.0, max(0.0, way))


def slope(sizes: tuple[float, float], costs: tuple[float, float]) -> float:
    """Return the slope of a cost over a size where both axes are logarithmic.

    It is infinite if a cost is not finite.

    >>> slope((100, 1_000), (5.0, 50.0))
    1.0
    """
    if not all(map(_is_finite, costs)):
        return inf
    few, many = (max(cost, LEAST_COST) for cost in costs)
    return log(many / few) / log(sizes[1] / sizes[0])


def _is_finite(value: float) -> bool:
    try:
        return isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False
