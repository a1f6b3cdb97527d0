"""The monitor: what it reads, what it computes, and what it says of each incident."""

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from radixlab.observe.monitor import (
    ENGINES,
    ExpositionError,
    Missing,
    Monitor,
    figures,
    parse_page,
    read_page,
)
from radixlab.observe.monitor.names import KINDS, RADIXLAB
from radixlab.observe.monitor.window import Window
from radixlab.workloads import GENERATORS
from tests.observe.incidents import END_S, INCIDENTS, arrivals, at, in_turn, on_documents, reports
from tests.observe.monitored import Server, watched

SEEDS = [range(3), pytest.param(range(3, 10), marks=pytest.mark.soak)]
OTHERS = ("vllm", "sglang")
NO_REASONS = ("thrash", "prefix_broken_early", "no_shared_prefixes")
"""What an engine without reasons cannot tell apart."""
WHEELS = os.environ.get("RADIXLAB_PEERS")


def served(name: str = "healthy", seed: int = 0) -> Server:
    """A server at the end of an incident."""
    server, requests = INCIDENTS[name](seed)
    for _ in server.serve(requests, END_S):
        pass
    return server


def counted(page: str, time_s: float = 0.0):
    return read_page(parse_page(page), time_s)


def told(*pages: str, every_s: float = 10.0, window_s: float = 60.0):
    """What a monitor reports after these pages."""
    waiting, times = iter(pages), iter(range(len(pages)))
    monitor = Monitor(lambda: next(waiting), window_s, clock=lambda: every_s * next(times))
    return [monitor.look() for _ in pages][-1]


def page(**counts: float) -> str:
    """Our page with some counters: `hits=3` is `prefix_cache_hits_total`."""
    names = {
        "requests": "request_success_total",
        "queries": "prefix_cache_queries_total",
        "hits": "prefix_cache_hits_total",
        "allocated": "allocated_blocks_total",
        "reused": "reused_blocks_total",
        "evicted": "evicted_blocks_total",
        "usage": "kv_cache_usage_perc",
        "running": "num_requests_running",
    }
    lines = [f"radixlab:{names[key]} {value}" for key, value in counts.items()]
    return "\n".join([*lines, ""])


# ---- diagnoses


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
@pytest.mark.parametrize("name", INCIDENTS)
def test_each_incident_is_diagnosed_over_ten_seeds(name: str, seeds: range) -> None:
    for seed in seeds:
        last = list(reports(name, seed))[-1]
        assert last.diagnosis.name == name, (seed, last.diagnoses)
        assert last.diagnosis.evidence and last.diagnosis.title


@pytest.mark.parametrize("engine", OTHERS)
@pytest.mark.parametrize("name", INCIDENTS)
def test_an_engine_without_reasons_says_what_it_cannot_tell_apart(name: str, engine: str) -> None:
    found = list(reports(name, 0, engine))[-1].diagnosis
    if name not in NO_REASONS:
        assert (found.name, found.cannot_tell) == (name, ())
        return
    assert found.name == "little_reuse" and name in found.cannot_tell
    assert "cannot be told apart" in found.evidence[-1]
    nothing_evicted = engine == "sglang" and name != "thrash"
    assert ("thrash" not in found.cannot_tell) == nothing_evicted


def test_a_healthy_hour_raises_nothing() -> None:
    rng = np.random.default_rng(7)
    traffic = at(arrivals(rng, 0.1), on_documents(rng, 6), 3600)
    looks = list(watched(Server(500), traffic, 3600, every_s=30, window_s=300))
    assert len(looks) == 121 and looks[-1].figures.evicted_blocks > 0
    assert {d.name for look in looks[1:] for d in look.diagnoses} == {"healthy"}
    assert looks[-1].figures.requests_per_s == pytest.approx(0.1, rel=0.5)


@pytest.mark.parametrize(
    "workload",
    [
        "document-qa",
        *(
            pytest.param(name, marks=pytest.mark.soak)
            for name in ("shared-prompt", "multi-turn-chat", "agent")
        ),
    ],
)
def test_a_large_pool_is_healthy_on_traffic_that_shares(workload: str) -> None:
    requests = at(arrivals(np.random.default_rng(1), 1.5), GENERATORS[workload](60, 1), END_S)
    looks = list(watched(Server(6000), requests, END_S, every_s=10, window_s=30))
    assert {d.name for look in looks[1:] for d in look.diagnoses} == {"healthy"}


def test_more_evicted_than_the_server_remembers_may_be_thrash() -> None:
    server, rng = Server(200), np.random.default_rng(0)
    traffic = at(arrivals(rng, 1.5), in_turn(rng, 40), END_S)  # a working set of many pools
    last = list(watched(server, traffic, END_S, window_s=30))[-1].diagnosis
    assert (last.name, last.cannot_tell) == ("no_shared_prefixes", ("thrash",))


def test_a_leak_is_not_said_after_a_single_look() -> None:
    held = page(requests=5, queries=50, usage=0.3, running=0)
    assert told(held).diagnosis.name == "healthy"
    assert told(held, held).diagnosis.name == "leak"
    falling = page(requests=5, queries=50, usage=0.2, running=0)
    assert told(held, falling).diagnosis.name != "leak"
    busy = page(requests=5, queries=50, usage=0.3, running=1)
    assert told(held, held, busy).diagnosis.name == "healthy"


def test_silence_is_worth_saying_after_a_while() -> None:
    still = page(requests=5, queries=50, usage=0, running=0)
    assert told(still, still).diagnosis.name == "healthy"
    assert told(*[still] * 4).diagnosis.name == "nothing_arrives"
    assert told(page(requests=0, queries=0)).diagnosis.name == "nothing_arrives"


def test_a_page_without_requests_and_tokens_says_nothing_about_health() -> None:
    found = told("vllm:num_requests_running 1\n").diagnosis
    assert (found.name, found.evidence) == (
        "unknown", ("of what the monitor reads, the page has 1 quantity",),
    )  # fmt: skip


SHARES = {
    "healthy": dict(hits=800, never_seen=150, tail=50),
    "thrash": dict(hits=300, evicted=600, never_seen=100),
    "prefix_broken_early": dict(hits=0, below_block=900, never_seen=100),
    "no_shared_prefixes": dict(hits=20, never_seen=900, tail=80),
}


@pytest.mark.parametrize("scale", [1, 1000])
@pytest.mark.parametrize("name", SHARES)
def test_a_page_of_a_whole_life_is_judged_by_its_reasons(name: str, scale: int) -> None:
    misses = {reason: n * scale for reason, n in SHARES[name].items()}
    hits, queries = misses.pop("hits"), scale * sum(SHARES[name].values())
    lines = [
        f'radixlab:prefix_cache_misses_total{{reason="{reason}"}} {n}\n'
        for reason, n in misses.items()
    ]
    whole = page(requests=100, queries=queries, hits=hits) + "".join(lines)
    assert told(whole).diagnosis.name == name
    few = page(requests=3, queries=queries, hits=hits) + "".join(lines)
    assert told(few).diagnosis.name == "healthy"
    assert name == "healthy" or "too early" in told(few).diagnosis.evidence[1]


@pytest.mark.parametrize("name", ["thrash", "pool_too_small"])
def test_the_page_of_an_incident_is_the_one_that_our_server_writes(name: str) -> None:
    pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")
    from radixlab.serve.counting import EventCounter
    from radixlab.serve.metrics import Metrics
    from radixlab.serve.snapshot import take_snapshot
    from radixlab.serve.timing import Timing

    server, requests = INCIDENTS[name](0)
    counter = EventCounter(block_size=16, has_host=False)
    server.listeners.append(counter)
    for _ in server.serve(requests, END_S):
        pass
    timing = Timing(server.counts["generated"], server.finished)
    snapshot = take_snapshot(server.engine, counter.counts, timing)
    waiting = len(server.engine.scheduler.waiting)
    real = Metrics(SimpleNamespace(snapshot=snapshot, num_requests_waiting=waiting), {})
    ours, theirs = counted(server.radixlab()), counted(real.text().decode())
    for quantity in ("queried_tokens", "hit_tokens", "missed_tokens", "allocated_blocks",
                     "reused_blocks", "evicted_blocks", "preemptions", "requests"):  # fmt: skip
        present = {k: v for k, v in theirs.counters[quantity].items() if v}
        assert {k: v for k, v in ours.counters[quantity].items() if v} == present, quantity
    assert {**theirs.gauges, **ours.gauges} == {**ours.gauges, **theirs.gauges}


# ---- figures


def test_the_figures_are_those_of_the_definitions() -> None:
    first = page(requests=10, allocated=100, reused=50, evicted=10, queries=400, hits=100)
    second = page(requests=14, allocated=130, reused=140, evicted=16, queries=600, hits=250)
    report = told(first, second)
    f = report.figures
    assert (f.requests, report.covered_s) == (4, 10)
    assert f.reuse_rate == 90 / 120
    assert f.blocks_per_request == 120 / 4
    assert f.eviction_rate == 6 / 120
    assert f.hit_rate == 150 / 200


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.key)
def test_what_is_absent_is_shown_as_absent_and_never_as_zero(engine) -> None:
    server = served()
    f = told(getattr(server, engine.key)()).figures
    of = {"reuse_rate": "reused_blocks", "eviction_rate": "allocated_blocks"} | {
        "mean_match_blocks": "match_blocks", "tree_nodes": "tree_nodes", "misses": "missed_tokens"
    }  # fmt: skip
    for figure, quantity in of.items():
        is_absent = getattr(f, figure) in (Missing.ABSENT, None)
        assert is_absent == (quantity not in engine.sources), figure
        assert (figure in f.as_json()["absent"]) == is_absent
        assert (f.as_json()[figure] is None) == is_absent


def test_every_metric_taken_off_the_page_makes_its_figures_absent_only() -> None:
    whole = served().radixlab()
    base = told(whole).figures.as_json()
    for family in text_string_to_metric_families(whole):
        lines = [line for line in whole.splitlines() if family.name not in line]
        f = told("\n".join([*lines, ""])).figures.as_json()
        for name, value in f.items():
            if name not in ("absent", "no_data") and value != base[name]:
                nothing = value is None or set(value.values()) == {None}
                assert nothing and name in f["absent"], (family.name, name)


def test_division_by_zero_is_no_data() -> None:
    same = page(requests=10, allocated=100, reused=50, evicted=10, queries=400, hits=100)
    f = told(same, same).figures
    rates = (f.reuse_rate, f.blocks_per_request, f.eviction_rate, f.hit_rate)
    assert rates == (Missing.NO_DATA,) * 4 and f.requests == 0


def test_a_histogram_gives_the_quantiles_of_the_window_only() -> None:
    def histogram(*counts: int) -> str:
        name = "radixlab:time_to_first_token_seconds"
        rows = zip(("0.1", "1", "+Inf"), np.cumsum(counts), strict=True)
        lines = [f'{name}_bucket{{le="{bound}"}} {number}' for bound, number in rows]
        return "\n".join([*lines, f"{name}_sum {sum(counts)}", f"{name}_count {sum(counts)}", ""])

    f = told(histogram(100, 0, 0), histogram(100, 10, 0)).figures
    assert f.ttft_s.p50 == pytest.approx(0.55) and f.ttft_s.mean == 1
    assert told(histogram(0, 0, 0)).figures.ttft_s.p50 is Missing.NO_DATA
    assert told(histogram(0, 0, 4)).figures.ttft_s.p99 == 1  # the histogram knows no more


def test_several_engines_on_one_page_are_added_up_and_copies_are_not() -> None:
    lines = [
        'vllm:prompt_tokens_total{engine="0"} 5', 'vllm:prompt_tokens_total{engine="1"} 7',
        'vllm:kv_cache_usage_perc{engine="0"} 0.2', 'vllm:kv_cache_usage_perc{engine="1"} 0.9',
    ]  # fmt: skip
    f = told("\n".join([*lines, ""])).figures
    assert (f.prompt_tokens, f.usage) == (12, 0.9)
    ranks = [f'sglang:num_running_reqs{{tp_rank="{rank}"}} 3' for rank in (10, 9, 0)]
    assert told("\n".join([*ranks, ""])).figures.running == 3


# ---- the window


def test_the_window_slides() -> None:
    pages = [page(requests=10 * i, allocated=100 * i, reused=i * i) for i in range(20)]
    report = told(*pages, every_s=10, window_s=30)
    assert report.covered_s == 30 and report.figures.requests == 30
    assert report.figures.reuse_rate == (19**2 - 16**2) / (300 + 19**2 - 16**2)


@pytest.mark.parametrize("after", [0, 3, 9])
def test_a_restart_is_recognised_and_not_averaged_through(after: int) -> None:
    before = [page(requests=100 + i, allocated=1000 * i, reused=10 * i) for i in range(5)]
    again = page(requests=after, allocated=after, reused=after)
    report = told(*before, again)
    assert report.num_restarts == 1 and "restarted once" in report.notes[0]
    assert (report.figures.requests, report.covered_s) == (after, 10)
    later = told(*before, again, page(requests=after + 4, allocated=after, reused=after))
    assert later.figures.requests == after + 4 and later.num_restarts == 1


def test_a_restart_that_is_not_seen_in_the_counters_is_seen_in_the_start_time() -> None:
    def started(at_s: float, **counts: float) -> str:
        return f"{page(**counts)}process_start_time_seconds {at_s}\n"

    report = told(started(1.5e9, requests=10), started(1.6e9, requests=25))
    assert (report.num_restarts, report.figures.requests) == (1, 25)
    assert told(started(1.5e9, requests=10), started(1.5e9, requests=25)).figures.requests == 15


def test_one_label_that_falls_is_a_restart_although_the_sum_grows() -> None:
    def reasons(**counts: int) -> str:
        name = "radixlab:prefix_cache_misses_total"
        return "".join(f'{name}{{reason="{r}"}} {number}\n' for r, number in counts.items())

    report = told(reasons(evicted=50, tail=3), reasons(evicted=2, tail=99))
    assert report.num_restarts == 1 and report.figures.misses == {"evicted": 2, "tail": 99}
    new = told(reasons(tail=3), reasons(tail=5, evicted=40))  # a label appears: it began at zero
    assert new.num_restarts == 0 and new.figures.misses == {"tail": 2, "evicted": 40}


def test_many_restarts_look_like_many_servers() -> None:
    report = told(*[page(requests=n) for n in (100, 5, 110, 9, 120, 11)])
    assert "several servers" in report.notes[0]


def test_a_page_that_fails_leaves_the_window_as_it_is() -> None:
    pages = iter([page(requests=1), "<html>", page(requests=4)])
    monitor = Monitor(lambda: next(pages), clock=iter((0.0, 5.0, 10.0)).__next__)
    monitor.look()
    with pytest.raises(ExpositionError):
        monitor.look()
    assert monitor.look().figures.requests == 3


# ---- pages that are not whole

NOT_PAGES = {
    "nothing": ("", "empty"),
    "html": ("<!doctype html>\n<title>404</title>\n", "not in Prometheus' text format: line 1"),
    "json": ('{"detail": "Not Found"}\n', "not in Prometheus' text format: line 1"),
    "words": ("hello world\n", "not in Prometheus' text format: line 1"),
    "another server": ("# TYPE up gauge\nup 1\n", "no metric begins with radixlab:, vllm:"),
    "a name alone": (page(requests=1) + "radixlab:tree_nodes\n", "line 2"),
    "no end": (page(requests=1) + "radixlab:tree_nodes 12", "cut off"),
    "twice": (page(requests=1, hits=1) * 2, "twice"),
}


@pytest.mark.parametrize("case", NOT_PAGES)
def test_what_is_not_a_page_is_refused_in_one_line(case: str) -> None:
    text, why = NOT_PAGES[case]
    with pytest.raises(ExpositionError) as refused:
        counted(text)
    assert why in str(refused.value) and "\n" not in str(refused.value)


def test_a_page_cut_anywhere_is_refused_or_has_only_true_numbers() -> None:
    whole = served().radixlab()
    full = counted(whole)
    for end in range(0, len(whole), 29):
        try:
            part = counted(whole[:end])
        except ExpositionError:
            continue
        assert whole[end - 1] == "\n"
        for quantity, values in part.counters.items():
            assert values.items() <= full.counters[quantity].items()
        states = [name for name in full.gauges if not name.endswith("_blocks")]
        assert all(part.gauges.get(name, full.gauges[name]) == full.gauges[name] for name in states)


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf"])
def test_what_is_not_a_number_is_no_data_and_said(value: str) -> None:
    report = told(page(requests=1) + f"radixlab:tree_nodes {value}\n")
    assert report.figures.tree_nodes is Missing.ABSENT
    assert "radixlab:tree_nodes is" in report.notes[0] and "no data" in report.notes[0]


# ---- names


def test_every_quantity_is_in_our_own_table() -> None:
    assert set(RADIXLAB.sources) == set(KINDS)
    assert all(set(engine.sources) <= set(KINDS) for engine in ENGINES)


@pytest.mark.skipif(not WHEELS, reason="no unpacked wheels (RADIXLAB_PEERS)")
@pytest.mark.parametrize("engine", ENGINES[1:], ids=lambda engine: engine.key)
def test_every_name_is_in_the_wheel_of_its_version(engine) -> None:
    root = Path(WHEELS or "") / engine.key
    folders = {"vllm": "v1/metrics", "sglang": "srt/observability"}
    source = "".join(p.read_text("utf-8") for p in (root / folders[engine.key]).rglob("*.py"))
    names = {s.name for s in engine.sources.values()}
    names |= {s.per for s in engine.sources.values() if s.per}
    missing = [
        n for n in names if f'"{n}"' not in source and f'"{n.removesuffix("_total")}"' not in source
    ]
    assert missing == []
    assert all(f'"{label}"' in source for label in engine.copies)
    if engine.key == "vllm":
        config = (root / "config/cache.py").read_text("utf-8")
        labels = {s.label for s in engine.sources.values() if s.label}
        assert labels and all(f"    {label}: int" in config for label in labels)


def test_the_window_of_one_reading_covers_all_since_the_start() -> None:
    window = Window(60)
    window.add(counted(page(requests=9, allocated=3, reused=1)))
    assert window.covered_s is None and figures(window).reuse_rate == 0.25
