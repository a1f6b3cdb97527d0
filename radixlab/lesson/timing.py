"""Timing in a cell: medians in microseconds, to be compared only with each other."""

import time
from collections.abc import Callable
from statistics import median


def median_us(action: Callable[[], object], rounds: int = 300) -> float:
    """Call `action` many times and return the median, which ignores warm-up and interruptions."""
    return median(times_us(action, rounds))


def times_us(action: Callable[[], object], rounds: int) -> list[float]:
    """Call `action` repeatedly and return the time of each call, in order."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter_ns()
        action()
        times.append((time.perf_counter_ns() - begin) / 1_000)
    return times
