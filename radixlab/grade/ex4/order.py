"""The second item: LeastRecent evicts what LRU evicts, in its order, on caches of letters."""

from collections.abc import Iterator

from radixlab.exercise.policy import PolicyHost
from radixlab.grade.ex4.reference import LeastRecent
from radixlab.grade.ex4.runs import host
from radixlab.grade.ex4.small import Telling, serve_small
from radixlab.grade.items import Failed, Trial

Case = tuple[list[str], int]
"""Prompts, and the blocks of the pool."""

BY_HAND: tuple[Case, ...] = (
    (["aaaa-", "bbbb-", "aaaa-", "cccc-"], 3),  # first in is not first out
    (["aaaa-", "bbbb-", "cccc-"], 3),  # nor is last in
    (["aaaabbbb-", "cccc-", "aaaa-", "dddd-", "eeee-"], 4),  # a parent is older than it looks
    (["aaaabbbb-", "aaaacccc-", "dddd-", "aaaabbbb-", "eeee-"], 5),
)
NUM_RANDOM = 60


def check_order(trial: Trial) -> None:
    """Compare what is evicted with LRU on hand-made and random prompts."""
    for case in _cases(trial):
        if _differs(trial, case):
            raise _failed(trial, _shrunk(trial, case))


def _cases(trial: Trial) -> Iterator[Case]:
    yield from BY_HAND
    rng = trial.random
    for _ in range(NUM_RANDOM):
        prompts = [
            "".join(4 * "abcd"[int(letter)] for letter in rng.integers(0, 4, rng.integers(1, 4)))
            for _ in range(int(rng.integers(4, 14)))
        ]
        yield [f"{prompt}-" for prompt in prompts], int(rng.integers(4, 8))


def _right(case: Case) -> list[str]:
    return serve_small(Telling(PolicyHost(LeastRecent())), *case)


def _theirs(trial: Trial, case: Case) -> list[str]:
    return serve_small(Telling(host(trial, "LeastRecent")), *case)


def _differs(trial: Trial, case: Case) -> bool:
    try:
        return _theirs(trial, case) != _right(case)
    except Failed:
        return True


def _shrunk(trial: Trial, case: Case) -> Case:
    prompts, num_blocks = case
    for prompt in list(prompts):
        fewer = list(prompts)
        fewer.remove(prompt)
        if _differs(trial, (fewer, num_blocks)):
            prompts = fewer
    return prompts, num_blocks


def _failed(trial: Trial, case: Case) -> Failed:
    prompts, num_blocks = case
    right = _right(case)
    try:
        theirs = str(_theirs(trial, case))
    except Failed as error:
        theirs = str(error)
    return Failed(
        f"Of {num_blocks} blocks of 4 letters, LeastRecent must evict {right}.",
        scenario="from radixlab.grade.ex4 import evicted\n"
        f"evicted(LeastRecent(), {prompts}, num_blocks={num_blocks})",
        expected=str(right),
        actual=theirs,
    )
