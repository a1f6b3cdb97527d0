"""Trying again, because other users' traffic can spoil one attempt."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from radixlab.certify.trial import MOST_TRIES, Trial


def tried(trial: Trial, attempt: Callable[[], bool]) -> bool:
    """Run an attempt with fresh prompts until it is right, certainly wrong, or wrong 3 times.

    What failed before a right attempt is noted, and does not count.
    """
    start = len(trial.seen)
    for number in range(MOST_TRIES):
        begin = len(trial.seen)
        if attempt():
            if number:
                trial.seen[start:begin] = []
                trial.note(f"{number} earlier tries of this", "found less", "others' traffic", True)
            return True
        if any(not each.is_right and each.proof == "certain" for each in trial.seen[begin:]):
            return False
    return False


def all_tried(trial: Trial, attempts: Sequence[Callable[[], bool]]) -> None:
    """Try several things; traffic does not make all of them miss by the same number."""
    results = [tried(trial, attempt) for attempt in attempts]
    if any(results) or len(set(trial.missing)) != 1:
        return
    trial.seen[:] = [
        replace(each, proof="repeated") if not each.is_right and each.proof == "single" else each
        for each in trial.seen
    ]
