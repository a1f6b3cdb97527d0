"""A page of metrics in Prometheus' text format, as samples by name.

`prometheus_client` reads the lines. This file adds what its parser does not look for: a page that
was cut off, a sample that is there twice, and numbers that are not numbers.

This file knows the format. It does not know which metrics an engine has.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

Labels = frozenset[tuple[str, str]]
"""The labels of a sample, as `(name, value)`."""


class MonitorError(ValueError):
    """A page of metrics that cannot be fetched or read; the message is one line."""


class ExpositionError(MonitorError):
    """A page that is not an exposition, or only the beginning of one."""


@dataclass(frozen=True, slots=True)
class Page:
    """What one page says."""

    samples: Mapping[str, Mapping[Labels, float]]
    """Values by the name of the sample and its labels; each is finite."""
    types: Mapping[str, str]
    """`counter`, `gauge` or `histogram` by the name of the metric, as its samples begin; a metric
    may be declared and have no sample yet."""
    notes: tuple[str, ...] = ()
    """What was left out, in a sentence each."""


def parse_page(text: str) -> Page:
    r"""Read a whole page; raise `ExpositionError` for anything that is not one.

    >>> page = parse_page("# TYPE seen_total counter\nseen_total{by=\"a\"} 3\n")
    >>> page.types, list(page.samples["seen_total"].values())
    ({'seen_total': 'counter'}, [3.0])
    """
    if not text.strip():
        raise ExpositionError("the page is empty")
    metrics = _metrics(text)
    if not text.endswith("\n"):
        last = text[text.rfind("\n") + 1 :]
        raise ExpositionError(f"the page is cut off: its last line, {_short(last)}, has no end")
    samples: dict[str, dict[Labels, float]] = {}
    not_numbers: dict[str, str] = {}
    for metric in metrics:
        for sample in metric.samples:
            values = samples.setdefault(sample.name, {})
            labels = frozenset(sample.labels.items())
            if labels in values:
                raise ExpositionError(f"the page has a sample of {sample.name} twice")
            if math.isfinite(sample.value):
                values[labels] = float(sample.value)
            else:
                not_numbers[sample.name] = str(sample.value)
        _check_whole(metric)
    types = {_sample_name(metric): metric.type for metric in metrics if metric.type != "untyped"}
    notes = tuple(
        f"{name} is {'NaN' if value == 'nan' else value}: taken as no data"
        for name, value in not_numbers.items()
    )
    return Page(samples, types, notes)


def _metrics(text: str) -> "list[Metric]":
    from prometheus_client.parser import text_string_to_metric_families

    try:
        return list(text_string_to_metric_families(text))
    except (ValueError, IndexError, TypeError, KeyError):
        raise ExpositionError(_what_is_wrong(text)) from None


def _what_is_wrong(text: str) -> str:
    """Name the first line that the parser refuses."""
    from prometheus_client.parser import text_string_to_metric_families

    for number, line in enumerate(text.splitlines(), start=1):
        try:
            list(text_string_to_metric_families(line + "\n"))
        except (ValueError, IndexError, TypeError, KeyError):
            is_cut = number == len(text.splitlines()) and number > 1 and not text.endswith("\n")
            what = "cut off" if is_cut else "not in Prometheus' text format"
            return f"the page is {what}: line {number} is {_short(line)}"
    return "the page is not in Prometheus' text format"


def _check_whole(metric: "Metric") -> None:
    """Refuse a histogram that has buckets and no count: the rest of the page is missing."""
    if metric.type != "histogram":
        return
    buckets, counts = (set(_groups(metric, end)) for end in ("_bucket", "_count"))
    if buckets - counts:
        raise ExpositionError(f"the page is cut off: {metric.name} has buckets and no count")


def _groups(metric: "Metric", end: str) -> Iterator[Labels]:
    for sample in metric.samples:
        if sample.name == metric.name + end:
            yield without(frozenset(sample.labels.items()), ("le",))


def without(labels: Labels, names: Iterable[str]) -> Labels:
    """Leave out the labels of these names."""
    dropped = set(names)
    return frozenset((name, value) for name, value in labels if name not in dropped)


def _sample_name(metric: "Metric") -> str:
    return f"{metric.name}_total" if metric.type == "counter" else str(metric.name)


def _short(line: str) -> str:
    shown = "".join(c if c.isprintable() else " " for c in line.strip())
    return repr(shown if len(shown) <= 60 else shown[:57] + "...")
