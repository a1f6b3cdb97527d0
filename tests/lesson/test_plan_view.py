"""The stage of exercise 8.5.3: what it plays does not depend on what was played before."""

import pytest

from radixlab.exercise.workload import PATTERNS
from radixlab.lesson.plan_view import Stage, by_arrival


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_plan_can_be_played_again(pattern, capsys, monkeypatch):
    monkeypatch.setenv("RADIXLAB_STATIC", "1")  # no pauses
    stage = Stage(by_arrival, pattern, seed=7, num_requests=8)
    stage.play()
    once = capsys.readouterr().out
    stage.play()
    assert capsys.readouterr().out == once and " tokens found" in once
