"""Lesson 09's claims: what is shown fits the page and says what was computed."""

import pytest
from matplotlib.text import Text

from radixlab.bench.claims_pictures import dots, lines
from radixlab.lesson.props.claims import (
    CLAIMS,
    CONDITIONS,
    LENGTH,
    draw_conditions,
    draw_workloads,
    try_claims,
    under,
    verdicts,
)
from radixlab.viz.claims_plot import draw_dots, draw_lines
from radixlab.workloads import GENERATORS


@pytest.fixture(scope="module")
def trial():
    return try_claims(8)


def test_every_claim_is_tried_on_every_generator(trial) -> None:
    assert [row.traffic for row in trial.rows] == list(GENERATORS)
    assert all([case.claim for case in row.cases] == list(CLAIMS) for row in trial.rows)


def test_verdicts_are_printed_as_computed(trial, capsys) -> None:
    conditions = under("tokens of answer"), under(LENGTH)
    verdicts(trial, *conditions)
    printed = capsys.readouterr().out
    words = " ".join(printed.split())
    assert max(map(len, printed.split("\n"))) <= 90
    for verdict in trial.verdicts(*conditions):
        assert verdict.claim.says in words and str(verdict) in words


def test_the_same_trial_draws_the_same_bytes(trial) -> None:
    pictures = draw_workloads(trial), draw_conditions(*(under(what) for what in [*CONDITIONS][:2]))
    assert draw_workloads(trial).png == pictures[0].png
    assert all(len(line) <= 90 for picture in pictures for line in picture.text.split("\n"))
    assert str(trial) == pictures[0].text
    assert draw_conditions(under(LENGTH)).text == str(under(LENGTH))


def test_the_smallest_letters_are_10_pixels_high_on_the_page(trial) -> None:
    """Where a notebook shows the picture; a font size is the height of a letter with its rest."""
    figures = (
        draw_dots(dots(trial)),
        draw_lines(lines([under(LENGTH), under("blocks in the pool")])),
    )
    for figure, picture in zip(
        figures, (draw_workloads(trial), draw_conditions(under(LENGTH))), strict=True
    ):
        sizes = [text.get_fontsize() for text in figure.findobj(Text) if text.get_text()]
        assert min(sizes) / 72 * picture.width / figure.get_figwidth() >= 10


def test_an_unknown_condition_is_refused() -> None:
    with pytest.raises(KeyError):
        under("tokens shared")


ORDERS = [
    [LENGTH],
    ["tokens of answer", LENGTH],
    [LENGTH, "blocks in the pool", "tokens of answer"],
    [*CONDITIONS, LENGTH],
]


@pytest.mark.parametrize("names", ORDERS, ids=[f"{names[0]}, {len(names)}" for names in ORDERS])
def test_every_curve_is_named_once_and_keeps_its_colour(names) -> None:
    trials = [under(name) for name in names]
    axes = draw_lines(lines(trials)).axes
    curves = [curve for ax in axes for curve in ax.lines if not curve.get_label().startswith("_")]
    colours = {(curve.get_label(), curve.get_color()) for curve in curves}
    claims = {sweep.claim.name for trial in trials for sweep in trial.sweeps}
    assert len(colours) == len({colour for _, colour in colours}) == len(claims)
    legends = [ax.get_legend() for ax in axes if ax.get_legend()]
    named = [text.get_text() for legend in legends for text in legend.get_texts()]
    assert sorted(named) == sorted(claims)
