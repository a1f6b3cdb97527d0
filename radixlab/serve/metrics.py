"""The metrics in Prometheus's format: names, labels and meanings, as close to vLLM's as they allow.

A collector of our own reads the last snapshot, so counting costs the engine plain additions. Labels
have fixed values only: no metric grows with traffic. `counting.py` says what is counted.
"""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from radixlab.serve.backend import Backend
from radixlab.serve.counting import MISS_REASONS, Histogram
from radixlab.serve.snapshot import Snapshot
from radixlab.serve.timing import FINISHED_REASONS

PREFIX = "radixlab:"


class Metrics(Collector):
    """All metrics of one server."""

    def __init__(
        self, llm: Backend, info: Mapping[str, str], others: Iterable[Collector] = ()
    ) -> None:
        self._llm = llm
        self._info = info
        self._registry = CollectorRegistry()
        for each in (self, *others):
            self._registry.register(each)

    def text(self) -> bytes:
        """Return what `/metrics` answers."""
        return generate_latest(self._registry)

    def describe(self) -> list[Metric]:
        """Return nothing: names are not checked against other collectors."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, all from the same snapshot."""
        snapshot = self._llm.snapshot
        yield from _tokens(snapshot)
        yield from _blocks(snapshot)
        yield from _requests(snapshot, self._llm.num_requests_waiting)
        yield from _histograms(snapshot)
        info = GaugeMetricFamily(
            f"{PREFIX}cache_config_info", "The sizes of the cache.", labels=list(self._info)
        )
        info.add_metric(list(self._info.values()), 1)
        yield info


def _tokens(snapshot: Snapshot) -> Iterator[Metric]:
    cache = snapshot.cache
    yield _counter("prefix_cache_queries", "Prompt tokens looked up.", cache.query_tokens)
    hits = {"device": cache.device_hit_tokens, "host": cache.host_hit_tokens}
    yield _counters("prefix_cache_hits", "Prompt tokens found, by where.", "tier", hits)
    misses = {reason: cache.miss_tokens[reason] for reason in MISS_REASONS}
    what = "Prompt tokens not found, by why; hits and misses are the queries."
    yield _counters("prefix_cache_misses", what, "reason", misses)
    yield _counter("prompt_tokens", "Prompt tokens of admitted requests.", cache.query_tokens)
    generated = snapshot.timing.generation_tokens
    yield _counter("generation_tokens", "Tokens of answers.", generated)


def _blocks(snapshot: Snapshot) -> Iterator[Metric]:
    cache = snapshot.cache
    states = {
        "free": snapshot.num_free_blocks,
        "evictable": snapshot.num_evictable_blocks,
        "in_use": snapshot.num_in_use_blocks,
        "in_transfer": snapshot.num_in_transfer_blocks,
    }
    blocks = GaugeMetricFamily(f"{PREFIX}blocks", "Blocks of the pool.", labels=["state"])
    for state, number in states.items():
        blocks.add_metric([state], number)
    yield blocks
    yield _counter("allocated_blocks", "Blocks taken for tokens.", cache.allocated_blocks)
    yield _counter("reused_blocks", "Cached blocks that prompts found.", cache.reused_blocks)
    what = "Blocks that left the device, by the policy's reason."
    yield _counters("evicted_blocks", what, "reason", cache.evicted_blocks)
    what = "Blocks dropped for lack of room, or corrupt, although there is a host tier."
    yield _counter("dropped_blocks", what, cache.dropped_blocks)
    yield _counter("copied_blocks", "Blocks copied on write.", cache.copied_blocks)
    yield GaugeMetricFamily(f"{PREFIX}tree_nodes", "Nodes of the tree.", snapshot.num_nodes)
    used = snapshot.num_blocks - snapshot.num_free_blocks - snapshot.num_evictable_blocks
    share = used / snapshot.num_blocks if snapshot.num_blocks else 0.0
    what = "The share of blocks in use or in transfer, from 0 to 1."
    yield GaugeMetricFamily(f"{PREFIX}kv_cache_usage_perc", what, share)


def _requests(snapshot: Snapshot, num_waiting: int) -> Iterator[Metric]:
    finished = {reason: snapshot.timing.finished[reason] for reason in FINISHED_REASONS}
    what = "Answers that ended, by why."
    yield _counters("request_success", what, "finished_reason", finished)
    yield _counter("num_preemptions", "Requests preempted.", snapshot.cache.preemptions)
    for name, what, number in (
        ("num_requests_running", "Answers that run.", snapshot.num_running),
        ("num_requests_waiting", "Answers that wait.", num_waiting),
    ):
        yield GaugeMetricFamily(f"{PREFIX}{name}", what, number)


def _histograms(snapshot: Snapshot) -> Iterator[Metric]:
    timing, cache = snapshot.timing, snapshot.cache
    for name, what, histogram in (
        ("time_to_first_token_seconds", "From arrival to the first token.", timing.first_token),
        ("inter_token_latency_seconds", "Between two tokens.", timing.inter_token),
        ("e2e_request_latency_seconds", "From arrival to the end.", timing.end_to_end),
        ("request_queue_time_seconds", "From arrival to admission.", timing.queue),
        ("request_prompt_tokens", "Tokens of a prompt.", timing.prompt_tokens),
        ("prefix_match_blocks", "Cached blocks a prompt found.", cache.prefix_match_blocks),
        ("request_blocks", "Blocks of a request at its end.", cache.request_blocks),
    ):
        buckets = [*_cumulated(histogram)]
        yield HistogramMetricFamily(f"{PREFIX}{name}", what, buckets, histogram.total)


def _cumulated(histogram: Histogram) -> Iterator[tuple[str, float]]:
    so_far = 0
    bounds = [*map(float, histogram.bounds), float("inf")]
    for bound, number in zip(bounds, histogram.counts, strict=True):
        so_far += number
        yield ("+Inf" if bound == float("inf") else str(bound)), so_far


def _counter(name: str, what: str, value: float) -> Metric:
    return CounterMetricFamily(f"{PREFIX}{name}", what, value)


def _counters(name: str, what: str, label: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"{PREFIX}{name}", what, labels=[label])
    for each, value in values.items():
        family.add_metric([each], value)
    return family
