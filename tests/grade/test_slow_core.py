"""A right solution keeps full marks on 5 % of a core: 19 others want the same one all the time."""

import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from tests.grade.zoo import ZOOS

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="processes cannot be pinned to a core here"
)
BUSY = """
import os, sys, time
parent, core, end_s = int(sys.argv[1]), int(sys.argv[2]), time.monotonic() + float(sys.argv[3])
os.sched_setaffinity(0, {core})
while os.getppid() == parent and time.monotonic() < end_s:
    for _ in range(100_000):
        pass
"""
"""Ends with whoever started it, and after some time in any case."""
RIGHT = [(id, name) for id, zoo in ZOOS.items() for name in list(zoo.right)[1:4]]


@contextmanager
def share_a_core(num_others, most_s=1800.0):
    """Pin this process, and what it starts, to one core with so many busy processes."""
    cores = os.sched_getaffinity(0)
    core = max(cores)
    asked = [sys.executable, "-S", "-c", BUSY, str(os.getpid()), str(core), str(most_s)]
    others = []
    try:
        for _ in range(num_others):
            others.append(subprocess.Popen(asked))
        os.sched_setaffinity(0, {core})
        yield others
    finally:
        for other in others:
            other.kill()
        for other in others:
            other.wait()
        os.sched_setaffinity(0, cores)


def lost(exercise, name, only=None):
    report = ZOOS[exercise].report(ZOOS[exercise].right[name], 0, only)
    return [
        f"{item.item.id}: {item.verdict.message}" for item in report.items if item.verdict.share < 1
    ]


@pytest.mark.soak
@pytest.mark.parametrize(("exercise", "name"), RIGHT)
def test_a_right_solution_keeps_full_marks_on_a_twentieth_of_a_core(exercise, name):
    with share_a_core(19):
        assert lost(exercise, name) == []


def test_a_right_solution_keeps_its_marks_on_a_third_of_a_core():
    with share_a_core(2):
        assert lost("8.5.1", "master", ["match", "split"]) == []


def test_those_others_end_whatever_happens():
    cores = os.sched_getaffinity(0)
    with pytest.raises(ZeroDivisionError), share_a_core(2) as others:
        assert [other.poll() for other in others] == [None, None]
        _ = 1 / 0
    assert None not in [other.poll() for other in others]
    assert os.sched_getaffinity(0) == cores


def test_they_end_with_the_process_that_started_them():
    ask = """if True:
        import os, subprocess, sys
        subprocess.Popen([*sys.argv[1:5], str(os.getpid()), *sys.argv[5:]])
    """
    core = str(min(os.sched_getaffinity(0)))
    starter = [sys.executable, "-c", ask, sys.executable, "-S", "-c", BUSY, core, "3600"]
    assert (
        subprocess.check_output(starter, timeout=600) == b""
    )  # it reads until nobody is left who could write
