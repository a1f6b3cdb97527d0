"""Every victim is checked: it must be legal, and for LeastRecent it must be LRU's."""

from collections.abc import Callable
from typing import Any

from radixlab.exercise.policy import PolicyHost
from radixlab.grade.box import BoxClosed
from radixlab.grade.ex4.growth import check_memory
from radixlab.grade.ex4.oracle import Events, LeastRecent, candidates, least_recent
from radixlab.grade.ex4.play import (
    Hosted,
    InOrder,
    WrongVictim,
    answer,
    make_host,
    serve_letters,
)
from radixlab.grade.ex4.traffic import BY_HAND, Case, Drive
from radixlab.grade.items import Failed, Trial
from radixlab.grade.reading import shown

NUM_OPERATIONS = 5_000
NUM_BLOCKS = 64
NUM_DRAWN_POOLS = 3
NUM_SMALL_POOLS = 12
LARGE_POOLS = ((9_000, 11_000), (500, 2_500))
"""Blocks of a pool, and operations on it: thousands of leaves, then many evictions."""
TAILS = (100, 400, 1_600, 6_400)
"""Events from the end of the story among which the cause of a fault is sought."""
MAX_REPLAYED = 300_000
"""Events that are replayed to find the fewest that show a fault: a second or two."""

Right = Callable[[Events], dict[int, int]]
"""Which node ids are right after some events."""


def check_safety(trial: Trial) -> None:
    """Run random operations on small caches of several kinds; every victim must be legal."""
    rng = trial.random
    pools = [
        (int(rng.integers(6, 300)), int(rng.choice((1, 2, 4, 16, 32))))
        for _ in range(NUM_DRAWN_POOLS)
    ]
    host = make_host(trial, "MyPolicy")
    policy = Hosted(host, trial.seed)
    drive = Drive(policy, rng, NUM_BLOCKS, block_size=4)
    try:
        check_memory(trial, host, lambda: _run(drive, policy))
        for num_blocks, block_size in pools:
            policy = Hosted(make_host(trial, "MyPolicy"), trial.seed)
            Drive(policy, rng, num_blocks, block_size).run(NUM_OPERATIONS // 4)
    except WrongVictim as error:
        raise _explained(trial, "MyPolicy", policy.story, error, candidates) from None


def _run(drive: Drive, policy: Hosted) -> None:
    drive.run(NUM_OPERATIONS)
    policy.flush()


def check_order(trial: Trial) -> None:
    """Compare what is evicted with LRU, in caches of letters and of thousands of leaves."""
    for case in BY_HAND:
        _check_letters(trial, case)
    rng = trial.random
    small = ((int(rng.integers(4, 40)), 300) for _ in range(NUM_SMALL_POOLS))
    for num_blocks, num_operations in (*small, *LARGE_POOLS):
        policy = InOrder(make_host(trial, "LeastRecent"), trial.seed)
        try:
            Drive(policy, rng, num_blocks, int(rng.integers(1, 9))).run(num_operations)
        except WrongVictim as error:
            raise _explained(trial, "LeastRecent", policy.story, error, least_recent) from None


def _check_letters(trial: Trial, case: Case) -> None:
    right = theirs = str(serve_letters(PolicyHost(LeastRecent()), case))
    try:
        theirs = str(serve_letters(make_host(trial, "LeastRecent"), case))
    except WrongVictim as error:
        theirs = str(error)
    if theirs != right:
        prompts, num_blocks = case
        raise Failed(
            f"With a pool of {num_blocks} blocks of 4 letters, LeastRecent must evict {right}.",
            scenario="from radixlab.grade.ex4 import evicted\n"
            f"evicted(LeastRecent(), {prompts}, num_blocks={num_blocks})",
            expected=right,
            actual=theirs,
        )


def _explained(trial: Trial, name: str, story: Events, error: Failed, right: Right) -> Failed:
    """Return the fault with the fewest events that show it."""
    events = _Shrinking(trial, name, right).shrunk(story)
    if events is None:
        return Failed(str(error))
    lines = [f"    {event!r}," for event in events]
    code = ["from radixlab.exercise.policy import PolicyHost", f"host = PolicyHost({name}())"]
    code += ["host.victim([", *lines, "])  # the node's id, and how many were examined"]
    legal = ", ".join(map(str, sorted(right(events))[:10]))
    expected = f"node {legal}" if legal else "None: there is no candidate"
    victim, _ = answer(make_host(trial, name), events)
    return Failed(str(error), scenario="\n".join(code), expected=expected, actual=shown(victim))


class _Shrinking:
    def __init__(self, trial: Trial, name: str, right: Right) -> None:
        self._trial, self._name, self._right = trial, name, right
        self._num_left = MAX_REPLAYED

    def shrunk(self, story: Events) -> Events | None:
        """Leave out nodes, many at first, for as long as the fault still shows."""
        tails = (_whole(story[-size:]) for size in TAILS)
        events = next((tail for tail in tails if self._shows(tail)), None)
        if events is None:
            return None
        for step in (256, 64, 16, 4, 1, 1):
            ids = list(dict.fromkeys(event[1] for event in events))
            for start in range(0, len(ids), step):
                out = set(ids[start : start + step])
                fewer = _whole([event for event in events if not out & set(event[1:3])])
                if fewer and self._shows(fewer):
                    events = fewer
        return events

    def _shows(self, events: Events) -> bool:
        self._num_left -= len(events)
        if self._num_left < 0:
            return False
        try:
            victim, _ = answer(make_host(self._trial, self._name), events)
        except BoxClosed:
            raise
        except Exception:  # the learner's, on events that were cut
            return False
        right = self._right(events)
        return victim is not None if not right else type(victim) is not int or victim not in right


def _whole(events: Events) -> Events:
    """Leave out what concerns nodes whose beginning was cut off."""
    known: set[Any] = set()
    kept = []
    for event in events:
        if event[0] == "on_insert" or (event[0] == "on_split" and event[2] in known):
            known.add(event[1])
        elif event[1] not in known:
            continue
        kept.append(event)
    return kept
