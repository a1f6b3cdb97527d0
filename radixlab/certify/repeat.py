"""Trying again: what others' traffic has spoilt once is rarely spoilt three times in one way."""

from collections.abc import Callable
from dataclasses import replace

from radixlab.certify.trial import MOST_TRIES, Trial, told_cached


def tried(trial: Trial, attempt: Callable[[], bool]) -> bool:
    """Run an attempt with fresh prompts until it is right, or certainly wrong, or thrice wrong.

    What failed before a right attempt is noted, and does not count. If all went wrong in the same
    way, and something was found, the proof is `repeated`.
    """
    start, saw = len(trial.seen), []
    for number in range(MOST_TRIES):
        begin = len(trial.seen)
        if attempt():
            if number:
                trial.seen[start:begin] = []
                trial.note(f"{number} earlier tries of this", "found less", "others' traffic", True)
            return True
        wrong = [each for each in trial.seen[begin:] if not each.is_right]
        if any(each.proof == "certain" for each in wrong):
            return False
        saw.append([each.saw for each in wrong])
    is_same = all(each == saw[0] for each in saw) and told_cached(0) not in saw[0]
    if is_same:
        trial.seen[start:] = [
            each if each.is_right else replace(each, proof="repeated")
            for each in trial.seen[start:]
        ]
    return False
