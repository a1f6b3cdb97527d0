"""The metrics of an engine, counted from its events and written as Prometheus text.

It counts for the scripted servers of this exercise, whose engines run no model; the real server has
metrics of its own, with the same names. Times are left out: nothing here may depend on a clock.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator

from radixlab.cache.runs import num_blocks_in
from radixlab.engine import Engine, NewToken
from radixlab.events import (
    BlockCopied,
    BlockRemoved,
    BlocksAllocated,
    Event,
    PrefixMatched,
    RequestFinished,
    RequestPreempted,
    WrittenBack,
)
from radixlab.exercise.metrics import PREFIX

Labels = tuple[tuple[str, str], ...]
EDGES = (0, 1, 2, 4, 8, 16, 32, 64, 128)
"""Upper edges of the histograms' buckets, in blocks."""


class Histogram:
    """A count, a sum, and how many values were at most each edge."""

    def __init__(self) -> None:
        self.count, self.sum = 0, 0
        self._buckets = [0] * (len(EDGES) + 1)

    def observe(self, value: int) -> None:
        """Count a value."""
        self.count += 1
        self.sum += value
        self._buckets[bisect_left(EDGES, value)] += 1

    def lines(self, name: str) -> Iterator[str]:
        """Write the series of the histogram."""
        below = 0
        for edge, num in zip([*map(float, EDGES), "+Inf"], self._buckets, strict=True):
            below += num
            yield f'{name}_bucket{{le="{edge}"}} {float(below)}'
        yield f"{name}_count {float(self.count)}"
        yield f"{name}_sum {float(self.sum)}"


class Meter:
    """Listens to an engine and writes its metrics; attach it before the first request."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._counts = Counter[tuple[str, Labels]]()
        self._histograms = {"prefix_match_blocks": Histogram(), "request_blocks": Histogram()}
        self._tables = Counter[int]()
        engine.manager.emit = self.hear

    def hear(self, event: Event) -> None:
        """Count what an event tells."""
        match event:
            case PrefixMatched():
                self._match(event)
            case BlocksAllocated():
                self._add("allocated_blocks_total", num := num_blocks_in(event.block_runs))
                self._tables[event.sequence_id] += num
            case BlockRemoved() | WrittenBack():
                is_on_host = isinstance(event, WrittenBack)
                reason = f"{event.reason}, to the host" if is_on_host else event.reason
                self._add("evicted_blocks_total", num_blocks_in(event.block_runs), reason=reason)
            case BlockCopied():
                self._add("copied_blocks_total")
            case RequestPreempted():
                self._add("num_preemptions_total")
            case RequestFinished():
                num = self._tables.pop(event.sequence_id, 0)
                if event.reason == "released":
                    self._histograms["request_blocks"].observe(num)

    def _match(self, event: PrefixMatched) -> None:
        block_size = self._engine.manager.config.block_size
        num_hit = event.hit_tokens // block_size
        self._tables[event.sequence_id] += num_hit
        if event.resumed:
            return  # it finds its own blocks again, which does not count as a hit
        missed = event.num_tokens - event.hit_tokens
        tail = missed if event.miss_reason is None else missed % block_size
        self._add("prefix_cache_queries_total", event.num_tokens)
        on_device = event.hit_tokens - event.host_hit_tokens
        self._add("prefix_cache_hits_total", on_device, tier="device")
        self._add("prefix_cache_hits_total", event.host_hit_tokens, tier="host")
        self._add("prefix_cache_misses_total", tail, reason="tail")
        self._add("prefix_cache_misses_total", missed - tail, reason=event.miss_reason or "tail")
        self._add("prompt_tokens_total", event.num_tokens)
        self._add("reused_blocks_total", num_hit)
        self._histograms["prefix_match_blocks"].observe(num_hit)

    def told(self, news: Iterable[NewToken]) -> None:
        """Count the tokens that a step returned."""
        for new in news:
            self._add("generation_tokens_total", new.token_id is not None)
            if new.finish_reason:
                self._add("request_success_total", finished_reason=new.finish_reason)

    def _add(self, name: str, num: int = 1, **labels: str) -> None:
        if num:
            self._counts[name, tuple(labels.items())] += num

    def text(self) -> str:
        """Write all metrics, as a server does when it is scraped."""
        lines = list[str]()
        for name in _COUNTERS:
            lines += [f"# HELP {PREFIX}{name} {_COUNTERS[name]}", f"# TYPE {PREFIX}{name} counter"]
            if not any(known == name for known, _ in self._counts) and name not in _LABELLED:
                lines.append(f"{PREFIX}{name} 0.0")
            for (known, labels), value in sorted(self._counts.items()):
                if known == name:
                    lines.append(f"{PREFIX}{name}{_written(labels)} {float(value)}")
        for name, histogram in self._histograms.items():
            lines.append(f"# TYPE {PREFIX}{name} histogram")
            lines += histogram.lines(f"{PREFIX}{name}")
        for name, labels, number in self._gauges():
            if f"# TYPE {PREFIX}{name} gauge" not in lines:
                lines.append(f"# TYPE {PREFIX}{name} gauge")
            lines.append(f"{PREFIX}{name}{_written(labels)} {float(number)}")
        return "\n".join(lines) + "\n"

    def _gauges(self) -> Iterator[tuple[str, Labels, float]]:
        stats = self._engine.stats()
        cache = stats.cache
        idle = cache.num_free_blocks + cache.num_evictable_blocks + cache.num_in_transfer_blocks
        in_use = cache.num_blocks - idle
        yield "blocks", (("state", "free"),), cache.num_free_blocks
        yield "blocks", (("state", "evictable"),), cache.num_evictable_blocks
        yield "blocks", (("state", "in_use"),), in_use
        yield "blocks", (("state", "in_transfer"),), cache.num_in_transfer_blocks
        yield "tree_nodes", (), cache.num_nodes
        yield "kv_cache_usage_perc", (), in_use / cache.num_blocks
        yield "num_requests_running", (), stats.num_running
        yield "num_requests_waiting", (), stats.num_waiting


def _written(labels: Labels) -> str:
    inside = ",".join(f'{name}="{value}"' for name, value in labels)
    return f"{{{inside}}}" if inside else ""


_LABELLED = {
    "prefix_cache_hits_total",
    "prefix_cache_misses_total",
    "request_success_total",
    "evicted_blocks_total",
}
"""A series with labels is not there before it is counted for the first time."""
_COUNTERS = {
    "prefix_cache_queries_total": "Prompt tokens that were looked up.",
    "prefix_cache_hits_total": "Prompt tokens that were found, by tier.",
    "prefix_cache_misses_total": "Prompt tokens that were not found, by reason.",
    "prompt_tokens_total": "Prompt tokens of all requests.",
    "generation_tokens_total": "Tokens that were generated.",
    "request_success_total": "Requests that finished, by reason.",
    "num_preemptions_total": "Requests that gave up their blocks to others.",
    "allocated_blocks_total": "Blocks that requests took.",
    "reused_blocks_total": "Blocks that requests found in the cache.",
    "evicted_blocks_total": "Blocks that were evicted, by reason.",
    "copied_blocks_total": "Blocks that were copied before a write.",
}
