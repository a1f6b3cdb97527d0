"""What is learned from spans: chances by kind and age, and what a block promises for its room."""

from itertools import pairwise

import numpy as np
import pytest

from radixlab.cache.eviction.life_table import (
    AGES,
    NUM_AGES,
    WIDTHS,
    LifeTable,
    Span,
    _best_densities,
    _chances,
    age_at,
)


def spans(num: int, num_hits: int = 0, num_blocks: int = 10) -> list[Span]:
    return [Span(key, num_hits, 0, num_blocks) for key in range(num)]


def learned(*endings: tuple[list[Span], int, bool], waiting=(), now: int = 0) -> list[list[float]]:
    table = LifeTable()
    for ended, at, hit in endings:
        for span in ended:
            table.end(span, at, hit=hit)
    return table.hit_density(list(waiting), now)


def test_ages_have_no_holes():
    assert [age_at(AGES[0] - 1), *map(age_at, AGES)] == list(range(NUM_AGES))
    assert all(width > 0 for width in WIDTHS)


def test_with_nothing_learned_all_kinds_are_alike_and_the_old_are_worth_less():
    "So the least recently used goes first."
    densities = learned()
    assert all(kind == densities[0] for kind in densities)
    assert all(old <= young + 1e-12 for young, old in pairwise(densities[0]))
    assert densities[0][-1] < 0.01 * densities[0][0]


def test_what_is_never_used_again_is_worth_less_than_what_is():
    "A scan beside a hot set: read once, and gone at last; read before, and read again."
    never, always = (spans(50), 40, False), (spans(50, num_hits=1), 40, True)
    densities = learned(never, always)
    assert densities[0][age_at(10)] < 0.2 * densities[1][age_at(10)]


def test_a_new_span_is_judged_by_what_comes_after_its_age():
    "Always used at 40 ticks: at 30 it is due, at 1 it is far, past 60 its time is over."
    (densities, *_) = learned((spans(200), 40, True))
    far, due, over = (densities[age_at(ticks)] for ticks in (1, 30, 60))
    assert over < far < due


def test_spans_that_still_wait_count_as_unused_so_far():
    hits = (spans(10), 40, True)
    few, many = learned(hits), learned(hits, waiting=spans(90), now=100)
    assert many[0][age_at(40)] < 0.5 * few[0][age_at(40)]


def test_what_ended_long_ago_is_outvoted():
    table, kind, age = LifeTable(), 0, age_at(40)
    for span in spans(100):
        table.end(span, 40, hit=True)
    before = table.hit_density([], 0)[kind][age]
    for _ in range(20):
        for span in spans(10):
            table.end(span, 40, hit=False)
        after = table.hit_density([], 0)[kind][age]
    assert after < 0.1 * before


def test_chances_are_those_counted_by_hand():
    "Ten blocks reach age 1, where four are used and two leave; the other four reach age 2."
    hits, reached = np.array([0.0, 4.0, 0.0]), np.array([0.0, 6.0, 4.0])
    chances = _chances(hits, reached, np.zeros(3), 1e-12)
    assert chances == pytest.approx([0, 4 / 9, 0])


def test_the_density_is_the_best_over_all_times_to_give_up():
    chances = np.random.default_rng(0).random((2, NUM_AGES)) * 0.5
    found = _best_densities(chances)
    for kind, age in ((0, 0), (1, 7), (0, NUM_AGES - 1)):
        best, waiting, ticks = 0.0, 1.0, 0.0
        for chance, width in zip(chances[kind, age:], WIDTHS[age:], strict=True):
            ticks += waiting * (1 - chance / 2) * width
            waiting *= 1 - chance
            best = max(best, (1 - waiting) / ticks)
        assert found[kind][age] == pytest.approx(best)
