"""Every metric, recounted from the event log of the same run, by another way of counting."""

import itertools
import re
import shutil
import subprocess
from collections import Counter

import pytest

from radixlab.observe import State, attach, fold
from radixlab.serve.counting import MISS_REASONS
from tests.serve.helpers import SHEET, served, wait_until
from tests.serve.test_ends import LONG, streaming_socket

PROMPTS = [SHEET.prompt(fact) for fact in SHEET.facts]
SIZES = {
    "plain": {"num_blocks": 256},
    "small": {"num_blocks": 24, "max_running": 8},
    "with a host": {"num_blocks": 24, "swap_space": 2**20, "max_running": 8},
    "another block size": {"num_blocks": 200, "block_size": 4},
}


LONGER = [pytest.param(name, marks=pytest.mark.soak) for name in ("plain", "another block size")]


@pytest.fixture(scope="module", params=["small", "with a host", *LONGER])
def run(request):
    """A server's life: shared prefixes, salts, forks, preemptions, a client that leaves, a reset.

    Returns the events, the answers, and all metrics after every request.
    """
    events, answers, scrapes = [], [], []
    with served(lambda llm: attach(llm.manager, events.append), **SIZES[request.param]) as client:

        def ask(prompt, **fields):
            answers.append(client.complete(prompt, **fields))
            scrapes.append(client.metrics())

        for prompt in PROMPTS[:4]:
            ask(prompt, max_tokens=12)
        ask([9] * 45, max_tokens=40, n=3, temperature=1.0, ignore_eos=True)
        ask(PROMPTS[1], cache_salt="a", max_tokens=3)
        ask([PROMPTS[5], PROMPTS[6], PROMPTS[0]], max_tokens=100, ignore_eos=True)
        ask([[7] * 32, [7] * 33, [7] * 16], max_tokens=40, ignore_eos=True)
        peer = streaming_socket(client, {"prompt": PROMPTS[7], **LONG, "max_tokens": 200})
        assert wait_until(
            lambda: (
                client.metrics()["generation_tokens_total"] > scrapes[-1]["generation_tokens_total"]
            )
        )
        peer.close()
        assert wait_until(lambda: client.metrics()["num_requests_running"] == 0)
        for seed in range(6):
            ask([seed] * 90 + [9], max_tokens=5)
        ask([0] * 90 + [9], max_tokens=5)
        assert client.send("/reset_prefix_cache", {})[0] == 200
        ask(PROMPTS[0], max_tokens=2)
        client.send("/v1/completions", {"model": "tiny", "prompt": ""})
        scrapes.append(client.metrics())
        exposition = client.get("/metrics")
        stats = client.in_engine(lambda llm: llm.engine.stats())
        size = client.in_engine(lambda llm: llm.manager.config)
    return events, answers, scrapes, exposition, stats, size


def of(events, name):
    return [event for event in events if type(event).__name__ == name]


def blocks(runs):
    return sum(count for _, count in runs)


def test_tokens_are_recounted_from_the_events(run):
    events, _, scrapes, _, stats, size = run
    last = scrapes[-1]
    first_time = [event for event in of(events, "PrefixMatched") if not event.resumed]
    queries = sum(event.num_tokens for event in first_time)
    hits = sum(event.hit_tokens for event in first_time)
    on_host = sum(event.host_hit_tokens for event in first_time)
    assert last["prefix_cache_queries_total"] == last["prompt_tokens_total"] == queries
    assert last['prefix_cache_hits_total{tier="device"}'] == hits - on_host
    assert last['prefix_cache_hits_total{tier="host"}'] == on_host
    misses = Counter()
    for event in first_time:
        for start in range(event.hit_tokens, event.num_tokens):
            is_whole = start // size.block_size < event.num_tokens // size.block_size
            misses[event.miss_reason if is_whole else "tail"] += 1
    for reason in MISS_REASONS:
        assert last[f'prefix_cache_misses_total{{reason="{reason}"}}'] == misses[reason]
    assert hits > 0 and misses["tail"] > 0
    assert hits <= stats.cache.hit_tokens


def test_blocks_are_recounted_from_the_folded_state(run):
    events, _, scrapes, _, _, size = run
    last, state = scrapes[-1], State(size.num_blocks, size.block_size)
    state.num_host_blocks = size.num_host_blocks
    tables, reused = [], 0
    for event in events:
        name = type(event).__name__
        if name == "RequestFinished" and event.reason != "preempted":
            tables.append(len(state.sequences[event.sequence_id].block_table))
        fold(state, event)
        if name == "PrefixMatched" and not event.resumed:
            reused += event.hit_tokens // size.block_size
    assert last["allocated_blocks_total"] == sum(
        blocks(event.block_runs) for event in of(events, "BlocksAllocated")
    )
    assert last["reused_blocks_total"] == reused == last["prefix_match_blocks_sum"]
    evicted = sum(value for name, value in last.items() if name.startswith("evicted_blocks_total"))
    assert evicted == state.evicted_blocks
    assert last["dropped_blocks_total"] == state.dropped_blocks
    assert last["copied_blocks_total"] == state.copied_blocks > 0
    assert last["num_preemptions_total"] == len(of(events, "RequestPreempted"))
    assert last["request_blocks_count"] == len(tables)
    assert last["request_blocks_sum"] == sum(tables)
    assert last["tree_nodes"] == len([node for node in state.nodes.values() if node.resident])


def test_the_small_pools_evict_and_preempt(run):
    size, last = run[-1], run[2][-1]
    if size.num_blocks == 24:
        assert last['evicted_blocks_total{reason="least recent"}'] > 0
        assert last["num_preemptions_total"] > 0
    if size.num_host_blocks:
        assert last['prefix_cache_hits_total{tier="host"}'] > 0


def test_answers_are_recounted_from_what_clients_got(run):
    events, answers, scrapes, _, _, _ = run
    before = scrapes[7]
    usages = [answer["usage"] for answer in answers[:8]]
    assert before["generation_tokens_total"] == sum(u["completion_tokens"] for u in usages)
    assert before["prompt_tokens_total"] == sum(u["prompt_tokens"] for u in usages)
    cached = sum(u["prompt_tokens_details"]["cached_tokens"] for u in usages)
    tiers = [before[f'prefix_cache_hits_total{{tier="{tier}"}}'] for tier in ("device", "host")]
    assert sum(tiers) == cached
    last = scrapes[-1]
    reasons = Counter(c["finish_reason"] for answer in answers for c in answer["choices"])
    for reason in ("stop", "length"):
        assert last[f'request_success_total{{finished_reason="{reason}"}}'] == reasons[reason]
    assert last['request_success_total{finished_reason="abort"}'] == 1
    num_prompts = len([e for e in of(events, "PrefixMatched") if not e.resumed])
    for name in ("request_queue_time_seconds", "request_prompt_tokens", "prefix_match_blocks"):
        assert last[f"{name}_count"] == num_prompts
    assert last["time_to_first_token_seconds_count"] == num_prompts
    assert last["e2e_request_latency_seconds_count"] == num_prompts - 1  # one client left
    assert last["request_prompt_tokens_sum"] == last["prompt_tokens_total"]
    num_answers = sum(reasons.values()) + 1
    gaps = last["generation_tokens_total"] - num_answers
    assert 0 <= last["inter_token_latency_seconds_count"] - gaps <= num_answers - num_prompts


def test_every_scrape_adds_up_and_counters_never_fall(run):
    _, _, scrapes, exposition, _, size = run
    counters = re.findall(r"# TYPE radixlab:(\w+) (?:counter|histogram)", exposition)
    for earlier, later in itertools.pairwise(scrapes):
        for name in later:
            if name.partition("{")[0].removesuffix("_bucket").removesuffix("_sum") in counters:
                assert later[name] >= earlier.get(name, 0)
    for each in scrapes:
        states = ("free", "evictable", "in_use", "in_transfer")
        assert sum(each[f'blocks{{state="{state}"}}'] for state in states) == size.num_blocks
        hits = sum(each[f'prefix_cache_hits_total{{tier="{tier}"}}'] for tier in ("device", "host"))
        misses = sum(each[f'prefix_cache_misses_total{{reason="{r}"}}'] for r in MISS_REASONS)
        assert hits + misses == each["prefix_cache_queries_total"]
        assert each["num_requests_running"] == each["num_requests_waiting"] == 0
        assert each["kv_cache_usage_perc"] == each['blocks{state="in_use"}'] == 0


def test_labels_do_not_grow(run):
    scrapes = run[2]
    assert scrapes[0].keys() <= scrapes[-1].keys()
    new = scrapes[-1].keys() - scrapes[0].keys()
    assert all(name.startswith("evicted_blocks_total") for name in new)


def test_the_exposition_is_valid(run):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: Debian's package prometheus has it")
    done = subprocess.run(
        [promtool, "check", "metrics"], input=run[3], text=True, capture_output=True
    )
    assert "error" not in done.stderr and "parse" not in done.stderr, done.stderr
