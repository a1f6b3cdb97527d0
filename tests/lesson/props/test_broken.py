"""Lesson 03's suspects: each is convicted by the detectors that the lesson names, and no other."""

import inspect

import pytest

from radixlab.cache import CanaryError, OutOfBlocksError, check
from radixlab.lesson.props.autopsy import (
    CASES,
    SCRIPT,
    convictions,
    culprit,
    investigate,
    line_up,
    suspect,
    truth,
)

FIRST_ALARM = {  # step at which each speaks, 0 for never: the engine, canary, check, view, lamp
    "leak": (4, 0, 3, 0, 3),
    "duplicate not re-pointed": (0, 2, 1, 0, 1),
    "lock on one half of a split": (6, 4, 2, 2, 4),
    "stale entry": (0, 10, 4, 4, 10),
    "double free": (0, 10, 9, 0, 10),
    "use after free": (11, 8, 6, 0, 7),
    "evicting what is in use": (6, 4, 1, 0, 1),
    "keyed by the wrong thing": (0, 13, 0, 0, 12),
    "none: the real engine": (0, 0, 0, 0, 0),
}

CHECK_SAYS = {
    "A": "block 8 has leaked: it is not free, and has no owner",
    "C": "table [6, 7, 8, 9, 10, 11] does not begin with its path [0, 1, 2, 3, 4]",
    "D": "node 1 has 0 receipts, 2 are held",
    "E": "block 6 has 2 owners: node 3, node 4",
    "F": "block 7 has 2 owners: free, sequence 5",
    "G": "block 5 has ref_count 1, but 2 hold it",
    "H": "node 1 has 0 receipts, 2 are held",
}


@pytest.fixture(scope="module")
def verdicts():
    return convictions()


@pytest.mark.parametrize("bug", FIRST_ALARM)
def test_each_detector_speaks_at_the_step_the_lesson_says(verdicts, bug):
    assert verdicts[bug] == FIRST_ALARM[bug]


def test_nothing_is_tried_that_the_lesson_does_not_know(verdicts):
    assert verdicts.keys() == FIRST_ALARM.keys()


@pytest.mark.parametrize("letter", CHECK_SAYS)
def test_check_names_the_broken_rule(letter):
    assert CHECK_SAYS[letter] in str(investigate(suspect(letter), check))


def test_the_wrong_key_is_the_canarys_alone():
    found = investigate(suspect("B"), check)
    assert found.by(CanaryError) == 13 and "of another namespace" in str(found)


def test_a_leak_is_first_felt_as_a_full_pool():
    assert investigate(suspect("A")).by(OutOfBlocksError) == 4


def test_the_real_engine_serves_every_step():
    assert str(investigate(suspect(), check)) == f"all {len(SCRIPT)} steps, no alarm"


def test_the_real_engine_is_left_whole_after_a_trial():
    engine = suspect()
    investigate(engine, check)
    engine.reset()
    assert engine.allocator.num_free == engine.config.num_blocks


@pytest.mark.parametrize("letter", CASES)
def test_a_culprit_is_short_enough_to_read(letter):
    assert 4 <= len(inspect.getsource(culprit(letter)).splitlines()) <= 12


@pytest.mark.parametrize("letter", CASES)
def test_a_line_up_holds_the_truth_among_four(letter):
    names = line_up(letter)
    assert len(set(names)) == 4 and truth(letter) in names and names == sorted(names)
    assert set(names) <= {case.bug for case in CASES.values()}


AFTER_CHECK = "H"  # the lesson shows what check says before it asks for this one


@pytest.mark.parametrize("letter", CASES)
def test_a_guess_can_be_worked_out_from_what_is_shown(letter):
    """Bugs with one and the same symptom must not stand side by side in a line-up."""
    shown = [check] if letter == AFTER_CHECK else []
    evidence = str(investigate(suspect(letter), *shown))
    alike = [other for other in CASES if truth(other) in line_up(letter) and other != letter]
    assert evidence not in [str(investigate(suspect(other), *shown)) for other in alike]
