"""Curves of a race: the numbers are those of the runs, and no label lies on another."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from radixlab.cache import POLICIES, CacheConfig
from radixlab.viz.race import apart, draw_race, rate_so_far
from radixlab.workloads import GENERATORS, make_manager, replay

RUNS = st.lists(
    st.tuples(st.integers(0, 500), st.floats(0, 1)).map(lambda p: (p[0], int(p[0] * p[1]))),
    min_size=1,
    max_size=300,
)


@given(RUNS)
def test_a_curve_ends_at_the_rate_of_the_whole_run(pairs):
    x, y = rate_so_far(pairs)
    assert x[-1] == len(pairs) and x == sorted(set(x)) and x[0] >= 1
    assert y[-1] == sum(hit for _, hit in pairs) / max(1, sum(prompt for prompt, _ in pairs))


@given(st.dictionaries(st.sampled_from(["lru", "mine", "belady"]), RUNS, min_size=1))
def test_a_label_says_what_a_table_says_of_the_same_run(runs):
    "A late change of fortune must not put lfu above belady beside a table that says otherwise."
    (axes,) = draw_race(runs).axes
    rates = {
        name: sum(hit for _, hit in pairs) / max(1, sum(prompt for prompt, _ in pairs))
        for name, pairs in runs.items()
    }
    labels = [text.get_text() for text in axes.texts]
    assert sorted(labels) == sorted(f"{name} {rate:.1%}" for name, rate in rates.items())


def test_the_label_is_the_token_hit_rate_of_a_replay():
    config, requests = CacheConfig(300), list(GENERATORS["phase-shift"](60, 1))
    runs = {n: replay(make_manager(n, config), requests) for n in ("lru", "lfu", "mru")}
    (axes,) = draw_race({name: run.by_request for name, run in runs.items()}).axes
    wanted = {f"{name} {run.token_hit_rate:.1%}" for name, run in runs.items()}
    assert {text.get_text() for text in axes.texts} == wanted


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12).map(sorted))
def test_labels_are_apart_and_in_order(places):
    moved = apart(places, 0.05)
    assert len(moved) == len(places)
    assert all(b - a >= 0.05 - 1e-6 for a, b in pairwise(moved))
    assert moved[0] >= 0 and moved[-1] <= 1 + 1e-6


def test_labels_that_do_not_touch_stay():
    assert apart([0.1, 0.4, 0.9], 0.05) == [0.1, 0.4, 0.9]


def test_both_panels_name_every_curve():
    runs = {"lru": [(10, i % 10) for i in range(50)], "belady": [(10, 9)] * 50}
    pools = {"lru": [(100, 0.2), (50, 0.1)], "belady": [(100, 0.5), (50, 0.4)]}
    figure = draw_race(runs, pools, "a title")
    for axes in figure.axes:
        assert {text.get_text().split()[0] for text in axes.texts} == {"lru", "belady"}
    assert figure.axes[1].lines[0].get_xdata().tolist() == [50, 100]


def test_a_tick_says_where_it_is():
    "Not 8 % at 7.5 %"
    figure = draw_race({"lru": [(10, 2)] * 30})
    axes = figure.axes[0]
    said = [axes.yaxis.get_major_formatter()(value) for value in (0.07, 0.075, 0.1)]
    assert said == ["7%", "7.5%", "10%"]


def test_every_policy_has_a_colour_of_its_own():
    figure = draw_race({name: [(10, 5)] for name in [*POLICIES, "belady"]})
    assert len({line.get_color() for line in figure.axes[0].lines}) == len(POLICIES) + 1


def test_one_request_is_drawn_too():
    assert len(draw_race({"lru": [(10, 5)]}).axes) == 1
