"""What a learner tries their code with, in the notebook: the checks' own machinery, open seeds."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from radixlab.exercise.metrics import Snapshot
from radixlab.exercise.site import LEDGER, Site
from radixlab.grade.ex5 import launching
from radixlab.grade.ex5.incidents import SCRAPE_S
from radixlab.grade.ex5.oracle import figures
from radixlab.grade.ex5.play import LoadedPlant, account_for, deploy_scripted
from radixlab.grade.ex5.rules import firing, read_rules, scripted
from radixlab.grade.ex5.traffic import (
    Load,
    Start,
    cases,
    loads,
    site,
    timelines,
)
from radixlab.grade.items import Failed, Trial


def open_site(seed: int) -> Site:
    """Return a site like the hidden ones.

    >>> open_site(3).host
    '127.0.0.1'
    """
    return site(np.random.default_rng(seed), "127.0.0.1", 8_000 + seed)


def try_deploy(deploy: Callable[..., Any], where: Site, start: Start) -> None:
    """Deploy to a scripted machine, and print how it went."""
    hopeless = start.ready_after_s > where.start_limit_s
    story = deploy_scripted(_trial(deploy=deploy), where, start, hopeless)
    settings = story.settings or {}
    print(", ".join(f"{name} {value}" for name, value in settings.items()))
    how = f"raised {story.raised}" if story.raised else "returned"
    ready = "ready" if story.was_ready else "not ready"
    print(f"{how} after {story.waited_s:.1f} s, with the server {ready}")
    for _, problem in launching._problems(where, start, story):
        print(f"  {problem}")


def open_load(name: str, seed: int) -> Load:
    """Return one of the loads, by name."""
    return next(load for load in loads(seed) if load.name == name)


def try_ledger(ledger: Callable[..., Any], name: str, seed: int) -> None:
    """Keep a ledger of a load, and print both sides and what they should be."""
    load = open_load(name, seed)
    try:
        mine, truth = account_for(_trial(ledger=ledger), load, LoadedPlant(load))
    except Failed as error:
        print(f"{name}: {error}")
        return
    for side, right in zip(("sent", "counted"), truth, strict=True):
        for number, one, other in zip(LEDGER, mine[side], right, strict=True):
            wrong = "" if one == other else f"; it must be {other:,}"
            print(f"{side:8} {number.replace('_', ' '):18} {one:6,}{wrong}")


def open_series(kind: str, seed: int) -> tuple[str, ...]:
    """Return the scrapes of a series: `healthy`, or one of `FAULTS` after eight minutes."""
    return timelines(seed)[kind]


def open_case(name: str, seed: int) -> Snapshot:
    """Return a window of scrapes like the hidden ones, by name."""
    return Snapshot({case.name: case.texts for case in cases(seed)}[name])


def right_figures(texts: Sequence[str], window: int) -> list[Any]:
    """Return the figures that a monitor must return after each scrape."""
    return list(figures(texts, window))


def try_rules(alert_rules: Callable[[], Any], seed: int) -> None:
    """Evaluate alert rules on every series, and print in which minutes they fire."""
    try:
        read = read_rules(alert_rules())
        for kind, texts in timelines(seed).items():
            series = scripted(texts)
            found = {name: firing(rule, series, len(texts)) for name, rule in read.items()}
            told = [f"{name} {_minutes(fires)}" for name, fires in found.items() if any(fires)]
            print(f"{kind:18}  {', '.join(told) or 'silent'}")
    except Failed as error:
        print(error)


def _minutes(fires: list[bool]) -> str:
    first, last = fires.index(True), len(fires) - fires[::-1].index(True)
    return f"from minute {(first + 1) * SCRAPE_S / 60:g} to {last * SCRAPE_S / 60:g}"


def try_diagnose(diagnose: Callable[[Snapshot], Any], seed: int) -> None:
    """Ask for a diagnosis of each window, and print it."""
    for case in cases(seed):
        print(f"{case.name:42} {diagnose(Snapshot(case.texts))}")


def _trial(**names: Any) -> Trial:
    return Trial(SimpleNamespace(**names), 0)
