"""The numbers of several engines added up to those of one, for `/metrics`."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import fields, replace
from typing import TypeVar

from radixlab.serve.counting import Histogram
from radixlab.serve.snapshot import Snapshot

T = TypeVar("T")


def total(snapshots: Iterable[Snapshot]) -> Snapshot:
    """Return the sum of several snapshots."""
    result = Snapshot()
    for each in snapshots:
        result = added(result, each)
    return result


def counts_only(snapshot: Snapshot) -> Snapshot:
    """Return what stays true of a replica that is gone: its counts, and none of its blocks."""
    return replace(Snapshot(), cache=snapshot.cache, timing=snapshot.timing)


def added(one: T, other: T) -> T:
    """Add two numbers, counters, histograms, or objects made of these."""
    if isinstance(one, int | float | Counter):
        return one + other  # type: ignore[operator,return-value]
    if isinstance(one, Histogram) and isinstance(other, Histogram):
        result = one.copy()
        result.counts = [a + b for a, b in zip(one.counts, other.counts, strict=True)]
        result.total += other.total
        return result  # type: ignore[return-value]
    names = [each.name for each in fields(one)]  # type: ignore[arg-type]
    parts = {name: added(getattr(one, name), getattr(other, name)) for name in names}
    return type(one)(**parts)
