"""How to measure without fooling oneself: spreads, a quiet collector, the machine by name.

It knows clocks, not caches.
"""

import gc
import os
import platform
import statistics
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from radixlab.build import cache_build


@dataclass(frozen=True, slots=True)
class Spread:
    """A median and the range around it; never a single time."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{_digits(self.median)} ({_digits(self.low)} - {_digits(self.high)})"


def spread(samples: Iterable[float]) -> Spread:
    """Summarise samples, of which there is at least one.

    >>> str(spread([3.0, 1.0, 2.0]))
    '2.0 (1.0 - 3.0)'
    """
    ordered = sorted(samples)
    return Spread(statistics.median(ordered), ordered[0], ordered[-1])


def ratios(over: Iterable[float], under: Iterable[float]) -> Spread:
    """Divide round by round, then summarise: what slows a whole round down cancels out.

    >>> str(ratios([2.0, 40.0, 6.0], [1.0, 20.0, 2.0]))
    '2.0 (2.0 - 3.0)'
    """
    return spread(a / b for a, b in zip(over, under, strict=True))


@contextmanager
def settled() -> Iterator[None]:
    """Set what is loaded already aside from the garbage collector; it runs as users have it.

    Of a process that has set objects aside before, they stay so.
    """
    had_some_aside = gc.get_freeze_count() > 0
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        if not had_some_aside:
            gc.unfreeze()


@contextmanager
def quiet_gc() -> Iterator[None]:
    """Set what exists aside from the garbage collector, and collect nothing inside."""
    was_enabled = gc.isenabled()
    with settled():
        gc.disable()
        try:
            yield
        finally:
            if was_enabled:
                gc.enable()


def machine() -> dict[str, str]:
    """Say on what and when: without it a figure means nothing."""
    return {
        "cpu": _cpu_model(),
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "cache": cache_build(),
        "system": platform.system(),
        "date": date.today().isoformat(),
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _digits(value: float) -> str:
    return (
        f"{value:,.0f}"
        if abs(value) >= 100
        else f"{value:.1f}"
        if abs(value) >= 1
        else f"{value:.2f}"
    )
