"""One look at an engine: its page, read into quantities that have the same name for every engine.

What is not on the page is not in the reading. This file knows pages and the table of names. It does
not know what was there before.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from radixlab.observe.monitor.exposition import ExpositionError, Labels, Page, without
from radixlab.observe.monitor.names import ENGINES, KINDS, NOT_ADDED_UP, Engine, Source

HISTOGRAM_PARTS = ("bucket", "sum", "count")


@dataclass(frozen=True, slots=True)
class Reading:
    """The numbers of one moment."""

    time_s: float
    engine: Engine
    counters: Mapping[str, Mapping[Labels, float]]
    """Samples by quantity; a histogram is three of them, such as `ttft_s_bucket`."""
    gauges: Mapping[str, float]
    """Sums over all labels, or the largest value (`NOT_ADDED_UP`)."""
    started_at: float | None = None
    """When the process started, if the page says so."""
    notes: tuple[str, ...] = ()


def read_page(page: Page, time_s: float) -> Reading:
    """Find out whose page it is, and read its quantities.

    Raises `ExpositionError` if it is the page of none of the three engines.
    """
    engine = engine_of(page)
    counters: dict[str, Mapping[Labels, float]] = {}
    gauges: dict[str, float] = {}
    for quantity, source in engine.sources.items():
        if KINDS[quantity] == "histogram":
            for part in HISTOGRAM_PARTS:
                name = Source(f"{source.name}_{part}", source.where)
                _put(counters, f"{quantity}_{part}", _samples(page, engine, name))
        elif KINDS[quantity] == "counter":
            _put(counters, quantity, _samples(page, engine, source))
        elif values := _samples(page, engine, source):
            numbers = values.values()
            gauges[quantity] = max(numbers) if quantity in NOT_ADDED_UP else sum(numbers)
    started = page.samples.get("process_start_time_seconds", {})
    return Reading(time_s, engine, counters, gauges, next(iter(started.values()), None), page.notes)


def engine_of(page: Page) -> Engine:
    """Tell by the names of the metrics which engine wrote the page."""
    names = [*page.samples, *page.types]
    for engine in ENGINES:
        if any(name.startswith(engine.prefix) for name in names):
            return engine
    known = ", ".join(engine.prefix for engine in ENGINES)
    shown = ", ".join(sorted(names)[:3])
    raise ExpositionError(f"no metric begins with {known}; the page has {shown}")


def _put(
    counters: dict[str, Mapping[Labels, float]], name: str, values: Mapping[Labels, float] | None
) -> None:
    if values is not None:
        counters[name] = values


def _samples(page: Page, engine: Engine, source: Source) -> Mapping[Labels, float] | None:
    """Return a quantity's samples; none of a metric that is declared, None if it is absent."""
    wanted = set(source.where.items())
    found = {
        labels: value
        for labels, value in page.samples.get(source.name, {}).items()
        if labels >= wanted
    }
    if not found and (source.name not in page.types or source.where):
        return None
    found = _one_of_copies(found, engine.copies)
    if source.label is not None:
        return _numbers_of_labels(found, source.label)
    if source.per is None:
        return found
    unit = next(iter(page.samples.get(source.per, {}).values()), 0.0)
    return {labels: value / unit for labels, value in found.items()} if unit > 0 else None


def _numbers_of_labels(found: Mapping[Labels, float], label: str) -> dict[Labels, float] | None:
    """Take the numbers from a label; an engine may write `None` there."""
    texts = {labels: dict(labels).get(label, "") for labels in found}
    numbers = {labels: float(text) for labels, text in texts.items() if text.isdecimal()}
    return numbers or None


def _one_of_copies(values: Mapping[Labels, float], copies: tuple[str, ...]) -> dict[Labels, float]:
    """Of the samples that differ only in the labels of copies, keep the one of the lowest rank."""
    lowest: dict[Labels, tuple[tuple[str, ...], Labels]] = {}
    for labels in values:
        ranks = tuple(dict(labels).get(name, "").rjust(8) for name in copies)
        own = without(labels, copies)
        if own not in lowest or ranks < lowest[own][0]:
            lowest[own] = (ranks, labels)
    return {own: values[labels] for own, (_, labels) in lowest.items()}
