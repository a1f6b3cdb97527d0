"""An engine on a simulated clock, and its page of metrics as each of three servers would write it.

The incidents are real: requests go through the engine, its cache evicts, preempts and explains, and
the numbers on the page are counted from its events.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)

from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.config import SchedulerConfig
from radixlab.engine import Engine
from radixlab.events import (
    BlockRemoved,
    BlocksAllocated,
    PrefixMatched,
    RequestPreempted,
    WrittenBack,
)
from radixlab.model.counting import CountingRunner
from radixlab.observe.monitor import Monitor, Report
from radixlab.workloads import Request

BLOCK = 16
BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
STEP_S = 0.1
"""Simulated seconds of a step …"""
TOKEN_S = 0.0002
"""… and of each token that it computes."""


class Histogram:
    """Counts by upper bound."""

    def __init__(self, bounds: Iterable[float]) -> None:
        self.bounds = [*bounds, float("inf")]
        self.counts = [0] * len(self.bounds)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.counts[next(i for i, bound in enumerate(self.bounds) if value <= bound)] += 1
        self.sum += value

    def family(self, name: str) -> HistogramMetricFamily:
        totals = np.cumsum(self.counts).tolist()
        labels = ["+Inf" if b == float("inf") else str(b) for b in self.bounds]
        pairs = list(zip(labels, totals, strict=True))
        return HistogramMetricFamily(name, name, buckets=pairs, sum_value=self.sum)


class Server:
    """Serves requests at simulated times, and writes pages."""

    def __init__(self, num_blocks: int, **scheduler: int) -> None:
        config = CacheConfig(num_blocks, BLOCK, explain=True)
        self.manager = KVCacheManager(config, self._hear)
        runner = CountingRunner(config, vocab_size=200_000, canary=False)
        self.engine = Engine(self.manager, runner, SchedulerConfig(**scheduler))
        self.time_s = 0.0
        self.counts: Counter[str] = Counter()
        self.misses: Counter[str] = Counter()
        self.finished: Counter[str] = Counter()
        self.ttft, self.total = Histogram(BOUNDS), Histogram(BOUNDS)
        self.match_blocks = Histogram((0, 1, 2, 4, 8, 16, 32, 64, 128))
        self._arrived: dict[int, float] = {}
        self.listeners: list[Callable[[object], None]] = []
        """Who else hears the events."""

    def _hear(self, event: object) -> None:
        for listener in self.listeners:
            listener(event)
        if isinstance(event, PrefixMatched) and not event.resumed:
            whole = event.num_tokens // BLOCK * BLOCK
            self.counts["queries"] += event.num_tokens
            self.counts["hits"] += event.hit_tokens
            self.counts["reused"] += event.hit_tokens // BLOCK
            self.match_blocks.observe(event.hit_tokens // BLOCK)
            self.misses["tail"] += event.num_tokens - whole
            if event.miss_reason:
                self.misses[event.miss_reason] += whole - event.hit_tokens
        elif isinstance(event, BlocksAllocated):
            self.counts["allocated"] += sum(length for _, length in event.block_runs)
        elif isinstance(event, BlockRemoved | WrittenBack):
            self.counts["evicted"] += sum(length for _, length in event.block_runs)
        elif isinstance(event, RequestPreempted):
            self.counts["preemptions"] += 1

    def ask(self, request: Request) -> None:
        asked = self.engine.add_request(
            request.prompt, max(1, len(request.output)), namespace=request.namespace
        )
        self._arrived[asked.id] = self.time_s

    def step(self) -> None:
        """Compute one batch; the clock goes on."""
        before = self.engine.runner.num_computed_tokens
        requests = dict(self.engine.requests)
        news = self.engine.step()
        self.time_s += STEP_S + TOKEN_S * (self.engine.runner.num_computed_tokens - before)
        for new in news:
            request = requests[new.request_id]
            waited = self.time_s - self._arrived[new.request_id]
            if len(request.output) == 1:
                self.ttft.observe(waited)
            if new.finish_reason:
                self.total.observe(waited)
                self.finished[new.finish_reason] += 1
                self.counts["prompt"] += request.num_prompt_tokens
                self.counts["generated"] += len(request.output)

    def serve(self, requests: Iterable[Request], until_s: float) -> Iterator[float]:
        """Serve what arrives up to a time; yields after each step, and each second when idle."""
        waiting = iter(requests)
        coming = next(waiting, None)
        while self.time_s < until_s:
            while coming is not None and (coming.arrival_s or 0.0) <= self.time_s:
                self.ask(coming)
                coming = next(waiting, None)
            if self.engine.has_work:
                self.step()
            else:
                ahead = coming.arrival_s if coming else None
                self.time_s = min(until_s, self.time_s + 1, ahead or until_s)
            yield self.time_s

    # ---- pages

    def states(self) -> dict[str, int]:
        cache = self.manager.stats()
        free, evictable = cache.num_free_blocks, cache.num_evictable_blocks
        transfer = cache.num_in_transfer_blocks
        in_use = cache.num_blocks - free - evictable - transfer
        return {"free": free, "evictable": evictable, "in_use": in_use, "in_transfer": transfer}

    def _info(self, name: str, label: str) -> GaugeMetricFamily:
        family = GaugeMetricFamily(name, name, labels=["block_size", label])
        family.add_metric([str(BLOCK), str(self.manager.config.num_blocks)], 1)
        return family

    def radixlab(self) -> str:
        states, num_blocks = self.states(), self.manager.config.num_blocks
        families = [
            counter("radixlab:request_success", self.finished, "finished_reason"),
            counter("radixlab:prompt_tokens", self.counts["prompt"]),
            counter("radixlab:generation_tokens", self.counts["generated"]),
            counter("radixlab:prefix_cache_queries", self.counts["queries"]),
            counter("radixlab:prefix_cache_hits", {"device": self.counts["hits"]}, "tier"),
            counter("radixlab:prefix_cache_misses", self.misses, "reason"),
            counter("radixlab:allocated_blocks", self.counts["allocated"]),
            counter("radixlab:reused_blocks", self.counts["reused"]),
            counter("radixlab:evicted_blocks", {"least recent": self.counts["evicted"]}, "reason"),
            counter("radixlab:num_preemptions", self.counts["preemptions"]),
            gauge("radixlab:num_requests_running", len(self.engine.scheduler.running)),
            gauge("radixlab:num_requests_waiting", len(self.engine.scheduler.waiting)),
            gauge("radixlab:kv_cache_usage_perc", states["in_use"] / num_blocks),
            gauge("radixlab:tree_nodes", self.manager.stats().num_nodes),
            gauge("radixlab:blocks", states, "state"),
            self._info("radixlab:cache_config_info", "num_blocks"),
            self.match_blocks.family("radixlab:prefix_match_blocks"),
            self.ttft.family("radixlab:time_to_first_token_seconds"),
            self.total.family("radixlab:e2e_request_latency_seconds"),
        ]
        return page(families)

    def vllm(self) -> str:
        usage = self.states()["in_use"] / self.manager.config.num_blocks
        families = [
            counter("vllm:request_success", self.finished, "finished_reason"),
            counter("vllm:prompt_tokens", self.counts["prompt"]),
            counter("vllm:generation_tokens", self.counts["generated"]),
            counter("vllm:prefix_cache_queries", self.counts["queries"]),
            counter("vllm:prefix_cache_hits", self.counts["hits"]),
            counter("vllm:num_preemptions", self.counts["preemptions"]),
            gauge("vllm:num_requests_running", len(self.engine.scheduler.running)),
            gauge("vllm:num_requests_waiting", len(self.engine.scheduler.waiting)),
            gauge("vllm:kv_cache_usage_perc", usage),
            self._info("vllm:cache_config_info", "num_gpu_blocks"),
            self.ttft.family("vllm:time_to_first_token_seconds"),
        ]
        return page(families)

    def sglang(self) -> str:
        states = {name: BLOCK * number for name, number in self.states().items()}
        families = [
            counter("sglang:num_requests", self.finished.total()),
            counter("sglang:prompt_tokens", self.counts["queries"]),
            counter("sglang:generation_tokens", self.counts["generated"]),
            counter("sglang:cached_tokens", {"device": self.counts["hits"]}, "cache_source"),
            counter("sglang:evicted_tokens", BLOCK * self.counts["evicted"]),
            counter("sglang:num_retracted_requests", self.counts["preemptions"]),
            gauge("sglang:num_running_reqs", len(self.engine.scheduler.running)),
            gauge("sglang:num_queue_reqs", len(self.engine.scheduler.waiting)),
            gauge("sglang:token_usage", states["in_use"] / sum(states.values())),
            gauge("sglang:page_size", BLOCK),
            gauge("sglang:max_total_num_tokens", sum(states.values())),
            gauge("sglang:kv_available_tokens", states["free"]),
            gauge("sglang:kv_evictable_tokens", states["evictable"]),
            gauge("sglang:kv_used_tokens", states["in_use"]),
        ]
        return page(families)


def watched(
    server: Server,
    requests: Iterable[Request],
    until_s: float,
    every_s: float = 5.0,
    window_s: float = 60.0,
    write: Callable[[], str] | None = None,
) -> Iterator[Report]:
    """Serve requests, and look at the server's page from time to time."""
    monitor = Monitor(write or server.radixlab, window_s, clock=lambda: server.time_s)
    next_look = 0.0
    for now in server.serve(requests, until_s):
        if now >= next_look:
            yield monitor.look()
            next_look += every_s


def counter(name: str, values: float | dict[str, int], label: str = "") -> CounterMetricFamily:
    return _fill(CounterMetricFamily(name, name, labels=[label] * bool(label)), values)


def gauge(name: str, values: float | dict[str, int], label: str = "") -> GaugeMetricFamily:
    return _fill(GaugeMetricFamily(name, name, labels=[label] * bool(label)), values)


def _fill(family, values):
    for label, value in values.items() if isinstance(values, dict) else [(None, values)]:
        family.add_metric([label] * (label is not None), value)
    return family


def page(families: Iterable[object]) -> str:
    class Collector:
        def collect(self):
            return list(families)

        def describe(self):
            return []

    registry = CollectorRegistry()
    registry.register(Collector())
    return generate_latest(registry).decode()
