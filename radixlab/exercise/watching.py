"""How the grader of 8.5.5 asks a monitor and a diagnosis: where the learner's code runs.

It runs beside the learner's code, so its answers are worth no more than any other; memory is
measured from outside.
"""

import gc
import sys
from collections.abc import Callable, Sequence
from typing import Any

from radixlab.exercise.metrics import PREFIX, Snapshot
from radixlab.exercise.plain import MAX_TEXT, plain_number, plain_text

FIGURES = ("reuse", "blocks_per_request", "prefix_match_blocks", "eviction_rate")
"""What `Monitor.update` returns, by name: a number, or None where there is nothing to divide by."""


def watch(make_monitor: Callable[[int], Any], window: int, texts: Sequence[str]) -> list[Any]:
    """Hand scrapes to a monitor; return its figures after each."""
    monitor = make_monitor(window)
    return [_figures(monitor.update(text)) for text in texts]


def watch_both(
    make_monitor: Callable[[int], Any], windows: tuple[int, int], texts: Sequence[Sequence[str]]
) -> list[Any]:
    """Hand the scrapes of two servers to two monitors, by turns; return the figures of each."""
    monitors = [make_monitor(window) for window in windows]
    found: list[list[Any]] = [[], []]
    for pair in zip(*texts, strict=True):
        for monitor, text, figures in zip(monitors, pair, found, strict=True):
            figures.append(_figures(monitor.update(text)))
    return found


def _figures(found: Any) -> Any:
    """Return the figures as a list of numbers and None, and anything else as text."""
    if not isinstance(found, dict):
        return plain_text(found)
    values = [found.get(name, "missing") for name in FIGURES]
    return [None if value is None else plain_number(value) for value in values]


class Endless:
    """A monitor of a server that runs for weeks."""

    def __init__(self, make_monitor: Callable[[int], Any], window: int) -> None:
        self._monitor, self._num = make_monitor(window), 0

    def run(self, num_scrapes: int) -> tuple[list[Any], int]:
        """Go on for so many scrapes.

        Returns the figures after each, and how many more objects Python holds than before.
        """
        figures: list[Any] = [None] * (4 * num_scrapes)
        gc.collect()
        before = sys.getallocatedblocks()
        for number in range(num_scrapes):
            found = _figures(self._monitor.update(endless_text(self._num)))
            self._num += 1
            own = [_copied(one) for one in found] if type(found) is list else [found] * 4
            figures[4 * number : 4 * number + 4] = own
        gc.collect()
        kept = sum(type(figure) in (float, str) for figure in figures)
        return figures, sys.getallocatedblocks() - before - kept


def _copied(figure: Any) -> Any:
    """Return an equal number that is an object of its own, so that what is kept can be counted."""
    return figure + 0.0 if type(figure) is float else figure


def make_endless(make_monitor: Callable[[int], Any], window: int) -> Endless:
    """Make a monitor, and what runs it."""
    return Endless(make_monitor, window)


def endless_counts(num: int) -> dict[str, float]:
    """Return the counters at the scrape with a number; none of them ever falls."""
    return {
        "allocated_blocks_total": 7.0 * num + num % 5,
        "reused_blocks_total": 11.0 * num + num % 3,
        'evicted_blocks_total{reason="least recent"}': 4.0 * num + num % 4,
        'request_success_total{finished_reason="stop"}': 2.0 * num + num % 2,
        'request_success_total{finished_reason="length"}': 1.0 * num,
        "prefix_match_blocks_count": 3.0 * num,
        "prefix_match_blocks_sum": 11.0 * num + num % 7,
    }


def endless_text(num: int) -> str:
    """Write the scrape with a number."""
    return "".join(f"{PREFIX}{name} {value}\n" for name, value in endless_counts(num).items())


def diagnoses(diagnose: Callable[[Snapshot], Any], windows: Sequence[Sequence[str]]) -> list[Any]:
    """Ask for a diagnosis of each of some windows of scrapes."""
    return [_as_plain(diagnose(Snapshot(texts))) for texts in windows]


def _as_plain(found: Any) -> str | None:
    if isinstance(found, str):
        return str.__getitem__(found, slice(MAX_TEXT))  # a plain one, of whatever type it is
    return None if found is None else plain_text(found)
