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


def check_examined(trial: Trial) -> None:
    """Fill caches with leaves, then evict: looking at all of them does not scale."""
    found = {size: _examined(trial, size) for size in SIZES}
    for size, examined in found.items():
        most = MOST_PER_LEVEL * math.log2(size)
        if examined > most:
            counts = ", ".join(f"{n:,} leaves: {seen:,.1f}" for n, seen in found.items())
            raise Failed(
                f"victim() reads the fields of {examined:,.1f} nodes, in the mean, where {size:,} "
                f"leaves are evictable; {most:.0f} are enough. ({counts}.) Keep the candidates in "
                f"order as the hooks tell of them."
            )


def _examined(trial: Trial, num_leaves: int) -> float:
    policy = Telling(host(trial, "MyPolicy"))
    prompts = [chr(0x4E00 + number) * 4 + "-" for number in range(num_leaves + NUM_VICTIMS)]
    serve_small(policy, prompts, num_leaves + 1)
    return policy.counts.num_examined / max(1, policy.counts.num_victims)


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
