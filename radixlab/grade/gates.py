"""What a measured value earns: shares that rise in steps or evenly, so that no gate is a cliff.

A gate that takes all points at one value turns a difference of a thousandth into a failed exercise.
`ramp` gives full marks on the good side of a band, none on the bad side, and an even share between.
"""

from math import log


def ramp(value: float, nothing_at: float, all_at: float) -> float:
    """Return the share of the points that a value earns, from 0 to 1.

    >>> [ramp(value, nothing_at=0.03, all_at=0.01) for value in (0.0, 0.01, 0.02, 0.03, 0.5)]
    [1.0, 1.0, 0.5, 0.0, 0.0]
    """
    way = (value - nothing_at) / (all_at - nothing_at)
    return min(1.0, max(0.0, way))


def slope(sizes: tuple[float, float], costs: tuple[float, float]) -> float:
    """Return the slope of a cost over a size where both axes are logarithmic.

    >>> slope((100, 1_000), (5.0, 50.0))
    1.0
    """
    few, many = (max(cost, 1e-12) for cost in costs)
    return log(many / few) / log(sizes[1] / sizes[0])
