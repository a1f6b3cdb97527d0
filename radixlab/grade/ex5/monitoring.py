"""Whether a monitor's figures are exact, and whether it keeps no more than its window.

The judge counts the figures from the same scrapes. Memory is measured from outside of the learner's
process: it may not grow while a server runs on and on.
"""

from collections import Counter
from itertools import pairwise
from math import isclose
from typing import Any

from radixlab.exercise.watching import FIGURES, endless_counts
from radixlab.grade.ex5.oracle import Figures, figures, ratios
from radixlab.grade.ex5.traffic import Watch, watches
from radixlab.grade.items import Failed, Trial
from radixlab.grade.reading import as_finite, rows, shown

HOST = "radixlab.exercise.watching"
PERIOD, NUM_PERIODS, ENDLESS_WINDOW = 1_500, 4, 7
MAX_LEAK_BYTES = 20 << 10
"""Most growth of the process in a period after the first. The period with the least growth counts,
because a leak grows in every period."""
MAX_LEAK_OBJECTS = PERIOD // 4
SHARES = {"figures": 0.4, "edges": 0.4, "memory": 0.2}
"""Shares of the points: exact figures on smooth runs, exact figures at restarts and in quiet times,
bounded memory."""
SMOOTH = 3
"""How many of the watches, counted from the first, have no restarts and no quiet times."""


def check_monitor(trial: Trial) -> float:
    """Compare the figures on smooth runs and on rough ones; then let a server run for weeks."""
    drawn = watches(trial.seed)
    smooth = _complaint(trial, drawn[:SMOOTH])
    rough = _complaint(trial, drawn[SMOOTH:]) or _both(trial, drawn[0], drawn[SMOOTH])
    if smooth:
        raise smooth
    endless = _endless(trial)
    earned = SHARES["figures"]
    for problem, share in ((rough, SHARES["edges"]), (endless, SHARES["memory"])):
        if problem is None:
            earned += share
        else:
            trial.notes.append(str(problem))
    return 1.0 if rough is None and endless is None else earned


def _complaint(trial: Trial, drawn: list[Watch]) -> Failed | None:
    for one in drawn:
        found = trial.call(f"{HOST}:watch", trial.learner.Monitor, one.window, list(one.texts))
        if problem := _wrong(one, found):
            return problem
    return None


def _both(trial: Trial, one: Watch, other: Watch) -> Failed | None:
    """Run two monitors in turns: what one has seen must not change the figures of the other."""
    num = min(len(one.texts), len(other.texts))
    pair = [Watch(each.name, each.window, each.texts[:num]) for each in (one, other)]
    found = trial.call(
        f"{HOST}:watch_both",
        trial.learner.Monitor,
        (one.window, other.window),
        [list(each.texts) for each in pair],
    )
    answers = found if type(found) is list and len(found) == 2 else [None, None]
    for each, answer in zip(pair, answers, strict=True):
        if problem := _wrong(each, answer, " beside another monitor"):
            return problem
    return None


def _wrong(one: Watch, found: Any, where: str = "") -> Failed | None:
    """Say what is wrong with the figures after some scrape, if anything is."""
    try:
        answers = rows("what update() returned", found, len(one.texts))
    except Failed as error:
        return error
    right = figures(one.texts, one.window)
    place = f"On “{one.name}”{where}, window {one.window}, after scrape"
    for number, (answer, wanted) in enumerate(zip(answers, right, strict=False), start=1):
        if type(answer) is not list or len(answer) != len(FIGURES):
            return Failed(
                f"{place} {number}: update() must return a dict of {', '.join(FIGURES)}; it "
                f"returned {shown(answer)}."
            )
        for name, mine, ours in zip(FIGURES, answer, wanted, strict=True):
            if not _same(mine, ours):
                return Failed(
                    f"{place} {number}: {name} must be {shown(ours)}; it is {shown(mine)}.",
                    expected=_listed(wanted),
                    actual=_listed(answer),
                )
    if len(answers) != len(right):
        return Failed(f"update() was called {len(right)} times and answered {len(answers)} times.")
    return None


def _same(mine: Any, ours: float | None) -> bool:
    if ours is None or mine is None:
        return mine is None and ours is None
    number = as_finite(mine)
    return number is not None and isclose(number, ours, rel_tol=1e-9, abs_tol=1e-12)


def _listed(answer: Any) -> str:
    if type(answer) not in (list, tuple) or len(answer) != len(FIGURES):
        return shown(answer)
    return ", ".join(f"{name} {shown(value)}" for name, value in zip(FIGURES, answer, strict=True))


def _endless(trial: Trial) -> Failed | None:
    """Let thousands of scrapes pass; the figures stay right, and nothing is kept for ever."""
    host = trial.call(f"{HOST}:make_endless", trial.learner.Monitor, ENDLESS_WINDOW)
    memory, kept = list[int](), list[int]()
    for period in range(NUM_PERIODS):
        found = host.run(PERIOD)
        if problem := _wrong_period(period, found):
            return problem
        memory.append(trial.usage().memory_bytes or 0)
        kept.append(found[1] if type(found[1]) is int else 0)
    grown = min(after - before for before, after in pairwise(memory))
    if trial.fresh is None:
        grown = 0  # in our own process, memory tells nothing of the monitor
    facts = []
    if grown > MAX_LEAK_BYTES:
        facts.append(f"its process grows by {grown >> 10:,} KB")
    if min(kept[1:]) > MAX_LEAK_OBJECTS:
        facts.append(f"it keeps {min(kept[1:]):,} more objects")
    if not facts:
        return None
    return Failed(
        f"Your monitor never stops growing: in every {PERIOD:,} scrapes {' and '.join(facts)}. It "
        f"needs only the last scrapes of its window."
    )


def _wrong_period(period: int, found: Any) -> Failed | None:
    first = period * PERIOD
    if type(found) not in (list, tuple) or len(found) != 2 or type(found[0]) is not list:
        return Failed(f"After {first:,} scrapes update() returned {shown(found)}.")
    answers = [found[0][start : start + 4] for start in range(0, len(found[0]), 4)]
    for number, answer in enumerate(answers, start=first):
        wanted = _endless_figures(number)
        if not all(map(_same, answer, wanted)):
            return Failed(
                f"After scrape {number + 1:,} the figures must be {_listed(wanted)}; they are "
                f"{_listed(answer)}."
            )
    if len(answers) != PERIOD:
        return Failed(f"Of {PERIOD:,} scrapes, {len(answers):,} were answered.")
    return None


def _endless_figures(number: int) -> Figures:
    """Return the figures after a scrape of a server whose counters never fall."""
    now, before = endless_counts(number), endless_counts(max(0, number - ENDLESS_WINDOW))
    total = Counter[str]()
    for series, value in now.items():
        total[series.partition("{")[0]] += value - before[series]  # type: ignore[assignment]
    return ratios(total)
