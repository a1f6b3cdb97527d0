"""The life table's picture says what the policy has counted, and no curve rises."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.cache.eviction import Adaptive
from radixlab.cache.eviction.life_table import AGES, Span
from radixlab.lesson.props.life import KINDS, draw_lives, lives
from radixlab.lesson.workload import describe
from radixlab.workloads import GENERATORS, open_workload, replay, summarize

ENDED = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 3_000), st.integers(1, 50), st.booleans()),
    min_size=1,
    max_size=60,
)


def taught(ended: list[tuple[int, int, int, bool]]) -> Adaptive:
    """Return a policy that has seen blocks: uses before, ticks until the end, how many, a hit?"""
    policy = Adaptive()
    for key, (num_hits, ticks, num_blocks, hit) in enumerate(ended):
        policy._table.end(Span(key, num_hits, 0, num_blocks), ticks, hit=hit)
    return policy


def test_shares_are_those_counted_by_hand() -> None:
    "Of 20 blocks 5 are used again after 4 ticks; 10 leave after 64; the last 5 are used after 100."
    (life,) = lives(taught([(0, 4, 5, True), (0, 64, 10, False), (0, 100, 5, True)]))
    assert (life.uses, life.num_blocks) == ("used once", 20)
    assert life.used_within(3) == 0
    assert life.used_within(16) == pytest.approx(0.25)
    assert life.used_within(1_000) == pytest.approx(1)


@given(ENDED)
def test_curves_never_rise_and_know_all_blocks(ended: list[tuple[int, int, int, bool]]) -> None:
    found = lives(taught(ended))
    assert [life.uses for life in found] == [
        uses
        for uses, (low, high) in KINDS.items()
        if any(low <= num.bit_length() < high for num, *_ in ended)
    ]
    assert sum(life.num_blocks for life in found) == sum(num for _, _, num, _ in ended)
    for life in found:
        assert list(life.ages) == AGES[: len(life.unused)]
        assert all(0 <= later <= share <= 1 for share, later in pairwise([1.0, *life.unused]))


@given(ENDED)
def test_without_a_hit_nothing_is_used_again_and_with_hits_alone_everything_is(
    ended: list[tuple[int, int, int, bool]],
) -> None:
    never = lives(taught([(*facts, False) for *facts, _ in ended]))
    assert all(share == 1 for life in never for share in life.unused)
    always = lives(taught([(num, ticks, 1, True) for num, ticks, *_ in ended]))
    assert all(life.used_within(AGES[-1]) == pytest.approx(1, abs=0.02) for life in always)


def test_blocks_that_wait_count_as_far_as_they_have_come() -> None:
    policy = taught([(0, 4, 10, True)])
    policy._spans[0], policy._now = Span(0, 0, 0, 30), 50
    (life,) = lives(policy)
    assert life.num_blocks == 40 and life.used_within(30) == pytest.approx(0.25)


def test_an_untaught_policy_has_no_curve() -> None:
    assert lives(Adaptive()) == [] and draw_lives({"nothing": []}).text == ""


def test_the_picture_names_every_curve() -> None:
    served = KVCacheManager(CacheConfig(900), policy=Adaptive())
    replay(served, GENERATORS["scan-polluted"](150, 7))
    picture = draw_lives({"scan-polluted": lives(served.tree.policy)})
    assert [line.partition(":")[0] for line in picture.text.splitlines()] == [
        f"scan-polluted, {uses}" for uses in KINDS
    ]
    assert picture.png.startswith(b"\x89PNG")


def test_a_workload_is_described_in_words_and_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    by_name, opened = describe("few-shot", 60, 3), describe(open_workload("few-shot", 60, 3))
    first, second = capsys.readouterr().out.split("60 requests of few-shot")[1:]
    assert first == second and by_name == opened
    assert "distinct blocks: the working set" in first
    summary = summarize(GENERATORS["few-shot"](60, 3))
    shared, median = f"{summary.shared_share:.1%}", summary.quantile(0.5)
    assert by_name.text == f"shared share {shared}, median reuse distance {median:,} blocks"
