"""What a victim costs to find, and whether it is the same one every time."""

import math

from radixlab.grade.ex4.hosted import Hosted
from radixlab.grade.ex4.runs import Trace, host, replay_under
from radixlab.grade.ex4.small import Telling, serve_small
from radixlab.grade.items import Failed, Trial

SIZES = (128, 2_048)
NUM_VICTIMS = 200
MOST_PER_LEVEL = 6
"""Nodes examined for a victim, per doubling of the leaves: a heap needs none, or a few."""
MOST_GROWTH = 4.5
"""Of a victim's CPU time from the first size to the second: what goes through notes of its own
examines no node, and takes 10 times as long there. Right solutions: 1.0 to 1.9."""
LEAST_S = 1e-6
"""Less is no time to compare with."""


def check_examined(trial: Trial) -> None:
    """Fill caches with leaves, then evict: looking at all of them does not scale."""
    found, seconds = dict[int, float](), list[float]()
    for size in SIZES:
        found[size], took_s = _examined(trial, size)
        seconds.append(max(took_s, LEAST_S))
    for size, examined in found.items():
        most = MOST_PER_LEVEL * math.log2(size)
        if examined > most:
            counts = ", ".join(f"{n:,} leaves: {seen:,.1f}" for n, seen in found.items())
            raise Failed(
                f"victim() reads the fields of {examined:,.1f} nodes, in the mean, where {size:,} "
                f"leaves are evictable; {most:.0f} are enough. ({counts}.) Keep the candidates in "
                f"order as the hooks tell of them."
            )
    growth = seconds[-1] / seconds[0]
    if growth > MOST_GROWTH:
        few, many = SIZES
        raise Failed(
            f"With {many:,} evictable leaves victim() takes {growth:.0f} times the CPU time of one "
            f"with {few}, and should take hardly more. Does it go through a list or a dict of "
            f"yours? Keep the candidates in order as the hooks tell of them."
        )


def _examined(trial: Trial, num_leaves: int) -> tuple[float, float]:
    """Return the nodes examined per victim, and the CPU seconds."""
    theirs = host(trial, "MyPolicy")
    policy = Telling(theirs)
    prompts = [chr(0x4E00 + number) * 4 + "-" for number in range(num_leaves + NUM_VICTIMS)]
    serve_small(policy, prompts, num_leaves + 1)
    took_s = theirs.victim_s()
    if not isinstance(took_s, float):
        raise Failed("The time of a victim could not be measured.")
    return policy.counts.num_examined / max(1, policy.counts.num_victims), took_s


def check_deterministic(trial: Trial) -> None:
    """Replay one trace twice: the victims must be the same."""
    trace = Trace("scan-polluted", 800, int(trial.random.integers(1_000, 1_000_000)))
    requests = trace.requests()[:120]
    victims = []
    for _ in range(2):
        policy = Hosted(host(trial, "MyPolicy"))
        replay_under(policy, trace.config, requests)
        victims.append(policy.counts.victims)
    for number, (first, second) in enumerate(zip(*victims, strict=False)):
        if first != second:
            raise Failed(
                f"The same {len(requests)} requests twice, and victim {number} was node {first} "
                f"once and node {second} then. Chance, clocks and id() have no place in a policy."
            )
