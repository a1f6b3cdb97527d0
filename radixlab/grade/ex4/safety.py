"""The first item: whatever happens, a victim is an unlocked leaf, and memory does not leak."""

from typing import Any

import numpy as np

from radixlab.cache import CacheError, KVCacheManager
from radixlab.cache.errors import PolicyError
from radixlab.config import CacheConfig
from radixlab.grade.ex4.hosted import Hosted, IllegalVictim
from radixlab.grade.ex4.runs import host
from radixlab.grade.items import Failed, Trial

NUM_OPERATIONS = 5_000
NUM_BLOCKS = 64
MAX_RUNNING = 4
MAX_WEIGHT = 16 * NUM_BLOCKS
"""Entries that a policy may keep: sixteen for each block of the pool."""


def check_safety(trial: Trial) -> None:
    """Run thousands of random operations on a small cache; then weigh what the policy keeps."""
    theirs = host(trial, "MyPolicy")
    policy = Hosted(theirs)
    try:
        _drive(KVCacheManager(CacheConfig(NUM_BLOCKS, 4), policy=policy), trial.random)
    except IllegalVictim as error:
        raise _explained(trial, policy, error) from None
    policy.flush()
    weight = theirs.weight()
    if type(weight) is not int or weight > MAX_WEIGHT:
        raise Failed(
            f"After {NUM_OPERATIONS:,} operations on {NUM_BLOCKS} blocks your policy keeps "
            f"{weight:,} entries in its lists, dicts and sets; {MAX_WEIGHT:,} are plenty. Forget a "
            f"node in on_remove, and bound what you remember of those that are gone."
        )


def _drive(manager: KVCacheManager, rng: np.random.Generator) -> None:
    prefixes = [rng.integers(0, 50, size=4 * int(rng.integers(1, 7))) for _ in range(12)]
    running: list[Any] = []
    for _ in range(NUM_OPERATIONS):
        if running and (len(running) == MAX_RUNNING or rng.random() < 0.4):
            sequence = running.pop(int(rng.integers(len(running))))
            manager.commit(sequence, sequence.num_tokens)
            manager.release(sequence)
            continue
        tail = rng.integers(0, 50, size=int(rng.integers(1, 12)))
        prompt = np.concatenate([prefixes[int(rng.integers(12))], tail]).astype(np.int32)
        try:
            running.append(manager.allocate(prompt))
            if rng.random() < 0.3:
                manager.commit(running[-1], len(prompt))
        except PolicyError as error:
            raise (error.__cause__ or error) from None
        except CacheError:  # the others hold too much
            continue


def _explained(trial: Trial, policy: Hosted, error: IllegalVictim) -> Failed:
    """Show the fewest events after which the same fault shows."""
    events = _shrunk(trial, policy.story)
    if events is None:
        return Failed(str(error))
    lines = [f"    {event!r}," for event in events]
    code = ["from radixlab.exercise.policy import PolicyHost", "host = PolicyHost(MyPolicy())"]
    code += ["host.victim([", *lines, "])  # the node's id, and how many were examined"]
    legal = sorted(_candidates(events))
    expected = f"one of the candidates, nodes {legal}" if legal else "None: there is no candidate"
    actual = _told(trial, events)
    return Failed(str(error), scenario="\n".join(code), expected=expected, actual=actual)


def _shrunk(trial: Trial, story: list[tuple[Any, ...]]) -> list[tuple[Any, ...]] | None:
    """Leave out one node after the other, for as long as the fault still shows."""
    story = story[-400:] if _shows(trial, story[-400:]) else story
    if not _shows(trial, story):
        return None
    for id in list(dict.fromkeys(event[1] for event in story)):
        fewer = [event for event in story if id not in event[1:3]]
        if fewer and _shows(trial, fewer):
            story = fewer
    return _whole(story)


def _shows(trial: Trial, events: list[tuple[Any, ...]]) -> bool:
    try:
        victim, _ = host(trial, "MyPolicy").victim(_whole(events))
    except Exception:
        return False
    candidates = _candidates(_whole(events))
    return victim not in candidates if candidates else victim is not None


def _whole(events: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Leave out what concerns nodes whose beginning was cut off."""
    known: set[int] = set()
    kept = []
    for event in events:
        if event[0] == "on_insert" or (event[0] == "on_split" and event[2] in known):
            known.add(event[1])
        elif event[1] not in known:
            continue
        kept.append(event)
    return kept


def _candidates(events: list[tuple[Any, ...]]) -> set[int]:
    found: set[int] = set()
    for event in events:
        if event[0] == "on_evictable":
            found.add(event[1])
        elif event[0] in ("on_protected", "on_remove"):
            found.discard(event[1])
    return found


def _told(trial: Trial, events: list[tuple[Any, ...]]) -> str:
    victim, _ = host(trial, "MyPolicy").victim(events)
    return "None" if victim is None else f"node {victim!s:.80}"
