"""The pictures of exercise 8.5.3, and its stage, which plays the same however often."""

import pytest
from matplotlib.figure import Figure

from radixlab.exercise.workload import PATTERNS
from radixlab.grade.ex3 import scene
from radixlab.grade.ex3.oracle import PinOrder
from radixlab.lesson.props.plan_view import Stage, _pins, by_arrival


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_plan_can_be_played_again(pattern, capsys, monkeypatch):
    monkeypatch.setenv("RADIXLAB_STATIC", "1")  # no pauses
    stage = Stage(by_arrival, pattern, seed=7, num_requests=8)
    stage.play()
    once = capsys.readouterr().out
    stage.play()
    assert capsys.readouterr().out == once and " tokens found" in once


def test_a_void_pin_is_drawn_otherwise_than_one_that_holds():
    where = scene("document-qa", seed=7)
    first, second = (request.tokens for request in where.workload().requests[:2])
    pins = (PinOrder(first[:160], 1, 5), PinOrder(second[:160], 0, 5), PinOrder(first, 1, 9))
    figure = Figure()
    axes = figure.add_subplot()
    _pins(axes, pins, pins[1:])
    assert [line.get_linestyle() for line in axes.lines] == ["-", ":", ":"]
    assert axes.get_legend_handles_labels()[1] == ["pinned", "void pin"]
