"""What caching costs traffic that shares nothing, on the clock: with registering, and without.

The control is the same manager that registers nothing, so that no request leaves a block behind.
The difference is what caching costs: nodes made, and nodes evicted.
"""

import statistics
from collections.abc import Callable, Sequence
from typing import Any

from radixlab.bench.claims import Claim, share_added
from radixlab.bench.claims_traffic import unshared
from radixlab.bench.claims_trial import TWIN_BLOCKS
from radixlab.bench.measure import quiet_gc, ratios, spread
from radixlab.bench.table import Cell, Shown
from radixlab.cache import KVCacheManager
from radixlab.config import CacheConfig
from radixlab.workloads import Request, Workload, replay
from radixlab.workloads.replay import Manager

ADDED = Claim(
    "time added",
    "next to no overhead without sharing",
    "CPU time that registering adds ÷ what the tiny model takes for the same prompts",
    share_added, "≤", 0.01, "{:.2%}", "{:.{}f}".format,
)  # fmt: skip
HEADER = (
    "unshared twin of",
    "manager, µs/request",
    "÷ without registering",
    "with a listener ÷ without registering",
    "added ÷ the model's time",
    f"{ADDED.limit}",
)


def overhead_rows(
    traffic: Sequence[Workload],
    us_per_token: float,
    rounds: int,
    advance: Callable[[], object],
) -> list[list[Cell]]:
    """Replay each workload's unshared twin on three managers in turns; a row for each workload."""
    rows = []
    for workload in traffic:
        requests = list(unshared(workload.requests()))
        samples: list[list[float]] = [[], [], []]
        with quiet_gc():
            for turn in range(rounds):
                for index in ((turn + step) % 3 for step in range(3)):
                    samples[index].append(_us_per_request(_manager(index), requests))
                advance()
        mean_tokens = statistics.fmean(len(request.prompt) for request in requests)
        rows.append(_row(workload.name, samples, us_per_token * mean_tokens))
    return rows


def _row(name: str, samples: list[list[float]], model_us: float) -> list[Cell]:
    ours, listened, control = samples
    added = [a - b for a, b in zip(ours, control, strict=True)]
    figure = ADDED.compare(statistics.median(added), model_us)
    return [
        name,
        spread(ours),
        ratios(ours, control),
        ratios(listened, control),
        Shown(figure, "+.4%"),
        "holds" if ADDED.holds(figure) else "fails",
    ]


class Forgetful(KVCacheManager):
    """A manager that registers nothing: the same code without prefix caching."""

    def commit(self, *_: Any, **__: Any) -> None:
        """Leave the sequence's blocks out of the tree; they are freed when it ends."""


def _manager(index: int) -> Manager:
    """Make the manager, the manager with a listener that does nothing, or the control."""
    cache = CacheConfig(TWIN_BLOCKS)
    if index == 2:
        return Forgetful(cache)
    manager = KVCacheManager(cache)
    if index == 1:
        manager.emit = lambda event: None
    return manager


def _us_per_request(manager: Manager, requests: Sequence[Request]) -> float:
    return replay(manager, requests).cpu_us_per_request
