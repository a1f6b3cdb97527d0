"""The claims on the clock: the contenders serve what they should; no time is judged."""

import pytest

pytest.importorskip("torch", reason="a model computes")

from radixlab.bench.claims_overhead import Forgetful, overhead_rows
from radixlab.bench.claims_times import TimeTrial, _ask, _drain, _engine, load, time_settings
from radixlab.bench.claims_traffic import Setting, Shape
from radixlab.config import CacheConfig
from radixlab.workloads import open_workload, replay

SMALL = Setting(Shape(num_prefixes=1, per_prefix=3, shared=48, own=8, answer=2))


def test_a_round_times_both_and_prints_as_a_table() -> None:
    calls: list[int] = []
    model = load("tiny")
    (timed,) = time_settings(model, {"small": SMALL}, 2, lambda: calls.append(1))
    samples = timed.first_us, timed.control_first_us, timed.all_us, timed.control_all_us
    assert [len(each) for each in samples] == [2] * 4 and len(calls) == 4
    assert timed.counted.hit_tokens == 2 * 48
    assert all(word in str(TimeTrial((timed,))) for word in ("small", "≥ 2.0×", "≥ 4.0×"))


@pytest.mark.parametrize("is_on", [True, False])
def test_without_the_cache_nothing_is_found(is_on: bool) -> None:
    model = load("tiny")
    engine = _engine(model, SMALL.cache)
    for number, request in enumerate(SMALL.shape.requests(model.config.vocab_size)):
        _ask(engine, number, request, 1, is_on)
        _drain(engine)
    assert engine.stats().cached_tokens == (2 * 48 if is_on else 0)


def test_a_manager_that_registers_nothing_finds_nothing_and_leaks_nothing() -> None:
    manager = Forgetful(CacheConfig(4_000))
    assert replay(manager, open_workload("shared-prompt", 10).requests()).hit_tokens == 0
    assert manager.stats().num_free_blocks == 4_000


def test_a_row_for_each_workload_says_whether_the_claim_holds() -> None:
    traffic = [open_workload(name, 5) for name in ("diverse", "shared-prompt")]
    free = overhead_rows(traffic, us_per_token=1e9, rounds=2, advance=lambda: None)
    assert [(row[0], row[-1]) for row in free] == [("diverse", "holds"), ("shared-prompt", "holds")]
