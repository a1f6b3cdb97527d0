"""What a policy costs as caches grow and time passes, measured from outside of its process.

Fields read and entries kept are counted beside the learner's code: they make a better message, but
the learner's code could change them. It cannot change CPU time and memory as the system counts
them: where these grow, a policy that claims to examine and keep nothing fails as well. Time that
a policy wastes where there are few leaves would hide how much more it takes where there are many,
so that time is also compared with a policy of ours, in a process that the learner's code never saw.

Figures behind the limits, which stand half-way on a logarithmic scale:

| measure                                          | right solutions | wrong ones      |
|--------------------------------------------------|-----------------|-----------------|
| entries kept for 64 blocks                       | 84 to 473       | 1,700 and more  |
| KB that the process grows in its best period     | 0 to 8          | 56 to 160       |
| CPU time of a victim, 32,768 leaves against 256  | 0.6 to 1.6      | 24 and more     |
| the same, against `oracle.LeastRecent` with 256  | 0.7 to 2.8      | 38 and more     |
"""

import inspect
import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise
from statistics import median
from types import SimpleNamespace
from typing import Any

from radixlab.grade.ex4.oracle import LeastRecent
from radixlab.grade.ex4.play import WrongVictim, answer, make_host
from radixlab.grade.ex4.traffic import ManyLeaves
from radixlab.grade.gates import ramp
from radixlab.grade.items import Failed, Trial
from radixlab.grade.reading import shown

SIZES = (256, 32_768)
NUM_VICTIMS = 40
NUM_ROUNDS = 5
"""The median of these is the CPU time: one may hold the rebuilding of a heap."""
MOST_PER_LEVEL = 6
"""Nodes examined for a victim, per doubling of the leaves: a heap needs none, or a few."""
MOST_GROWTH, MOST_OF_LRU = 4.0, 7.0
"""Of the CPU time of a victim among many leaves, for all points: as a multiple of what it takes
among few, and of what LRU takes among few."""
WORST = 2.0
"""This many times as much earns nothing."""
LEAST_S = 2.5e-3
"""A shorter time for NUM_VICTIMS counts as this one. About as much goes to and fro between the
processes; without a box nothing does, and the system may count CPU time in steps as long."""
NUM_TO_WARM_UP = 4_096
"""Leaves after which a process is as fast as it will be."""
EVENTS_A_MESSAGE = 4_000

MAX_WEIGHT = 1_024
"""Entries that a policy may keep: sixteen for each of the 64 blocks of the pool."""
NUM_PERIODS = 3
MAX_LEAK_BYTES = 20 << 10
"""By which the process may grow in the best of the periods after the first: a leak never rests."""


def check_memory(trial: Trial, host: Any, run: Callable[[], object]) -> None:
    """Let a period pass, then more: the process may not grow, and the policy keeps little."""
    before = _weight(host)
    run()
    memory = [trial.usage().memory_bytes or 0]
    for _ in range(NUM_PERIODS):
        run()
        memory.append(trial.usage().memory_bytes or 0)
    kept = _weight(host) - before
    if kept > MAX_WEIGHT:
        raise Failed(
            f"On a cache of 64 blocks your policy keeps {kept:,} entries in the end; at most "
            f"{MAX_WEIGHT:,} are allowed. Forget a node in on_remove, and bound what you remember "
            f"of nodes that are gone."
        )
    if trial.fresh is None:
        return  # in our own process, memory tells nothing of the policy
    grown = min(after - before for before, after in pairwise(memory))
    if grown > MAX_LEAK_BYTES:
        raise Failed(
            f"On a cache of 64 blocks the memory of your process grew by {grown >> 10:,} KB or "
            f"more in each of {NUM_PERIODS} periods after the policy was warm; at most "
            f"{MAX_LEAK_BYTES >> 10} KB are allowed. Something remembers every node that was ever "
            f"there."
        )


def _weight(host: Any) -> int:
    weight = host.weight()
    return weight if type(weight) is int else 0


def check_examined(trial: Trial) -> float:
    """Find victims among few leaves and among many: looking at all of them does not scale."""
    few, many = SIZES
    seconds = _seconds(trial, NUM_TO_WARM_UP, few, many)
    with _least_recent(trial) as ours:
        usual_s = _seconds(ours, NUM_TO_WARM_UP, few)[few]
    return min(
        _share(trial, seconds[many] / seconds[few], MOST_GROWTH, "it takes"),
        _share(trial, seconds[many] / usual_s, MOST_OF_LRU, "a plain LRU takes"),
    )


def _seconds(trial: Trial, *sizes: int) -> dict[int, float]:
    """Return the CPU seconds of some victims by the number of leaves; few nodes may be read."""
    found, seconds = dict[int, float](), dict[int, float]()
    for size in sizes:
        found[size], seconds[size] = _cost(trial, size)
        most = MOST_PER_LEVEL * math.log2(size)
        if found[size] > most:
            counts = ", ".join(f"{n:,} leaves: {seen:,.1f}" for n, seen in found.items())
            raise Failed(
                f"victim() reads the fields of {found[size]:,.1f} nodes on average where {size:,} "
                f"leaves are evictable; at most {most:.0f} are allowed. ({counts}.) Keep the "
                f"candidates in order as the hooks tell of them."
            )
    return seconds


def _least_recent(trial: Trial) -> AbstractContextManager[Trial]:
    """Open a trial of our LeastRecent, under the name of the learner's policy."""
    if trial.fresh is None:
        return nullcontext(Trial(SimpleNamespace(MyPolicy=LeastRecent), trial.seed))
    imports = "import heapq\nfrom radixlab.exercise.policy import Node\n"
    return trial.fresh(f"{imports}{inspect.getsource(LeastRecent)}\nMyPolicy = LeastRecent\n")


def _share(trial: Trial, growth: float, most: float, whose: str) -> float:
    few, many = SIZES
    share = ramp(growth, WORST * most, most)
    message = (
        f"With {many:,} evictable leaves a victim takes {growth:.1f} times the CPU time that "
        f"{whose} with {few}; at most {most:g} times earns all points."
    )
    if not share:
        raise Failed(
            f"{message} Does it go through a list or a dict of yours? Keep the candidates in order "
            f"as the hooks tell of them."
        )
    if share < 1:
        trial.notes.append(message)
    return share


def _cost(trial: Trial, num_leaves: int) -> tuple[float, float]:
    """Return the nodes examined per victim, and the CPU seconds that the process took for it."""
    host, cache = make_host(trial, "MyPolicy"), ManyLeaves(trial.random)
    events = [event for _ in range(num_leaves) for event in cache.grow()]
    for start in range(0, len(events), EVENTS_A_MESSAGE):
        host.hear(events[start : start + EVENTS_A_MESSAGE])
    events, examined, seconds = [], 0, list[float]()
    for _ in range(NUM_ROUNDS):
        start_s = trial.usage().cpu_s or 0.0
        for _ in range(NUM_VICTIMS):
            id, num = answer(host, events)
            if type(id) is not int or id not in cache.leaves:
                raise WrongVictim(
                    f"Among {num_leaves:,} leaves victim() returned {shown(id)}, which is not "
                    f"one of them."
                )
            examined += num
            events = cache.remove(id) + cache.grow()
        seconds.append(max(LEAST_S, (trial.usage().cpu_s or 0.0) - start_s))
    return examined / (NUM_ROUNDS * NUM_VICTIMS), median(seconds)
