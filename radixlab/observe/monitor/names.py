"""What each engine calls the same thing: one table for radixlab, vLLM 0.33.0 and SGLang 0.5.23.

A quantity that an engine does not publish is not in its table. A test finds every name of the
others in their wheels.

This file knows names. It does not know pages or figures.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a quantity stands on an engine's page."""

    name: str
    """The name of the sample; of a histogram, without `_bucket`, `_sum` and `_count`."""
    where: Mapping[str, str] = field(default_factory=dict)
    """Only samples with these labels."""
    per: str | None = None
    """A gauge that the number is divided by: SGLang counts tokens where others count blocks."""
    label: str | None = None
    """A label that holds the number; the value of the sample says nothing."""


KINDS: Mapping[str, Kind] = {
    "requests": "counter",
    "prompt_tokens": "counter",
    "generation_tokens": "counter",
    "queried_tokens": "counter",
    "hit_tokens": "counter",
    "missed_tokens": "counter",
    "allocated_blocks": "counter",
    "reused_blocks": "counter",
    "evicted_blocks": "counter",
    "preemptions": "counter",
    "running": "gauge",
    "waiting": "gauge",
    "usage": "gauge",
    "tree_nodes": "gauge",
    "free_blocks": "gauge",
    "evictable_blocks": "gauge",
    "in_use_blocks": "gauge",
    "in_transfer_blocks": "gauge",
    "num_blocks": "gauge",
    "block_size": "gauge",
    "match_blocks": "histogram",
    "ttft_s": "histogram",
    "inter_token_s": "histogram",
    "total_s": "histogram",
    "queue_s": "histogram",
}
"""Every quantity that the monitor reads, and what it is."""


NOT_ADDED_UP = ("usage", "block_size")
"""Gauges of which the largest counts, where a page has several engines; all others are summed."""


@dataclass(frozen=True, slots=True)
class Engine:
    """How one engine's page is read."""

    key: str
    title: str
    prefix: str
    """How all its metrics begin."""
    sources: Mapping[str, Source]
    copies: tuple[str, ...] = ()
    """Labels that tell processes apart which report the same thing; one of them counts."""

    @property
    def has_reasons(self) -> bool:
        """Whether it says why a prompt missed."""
        return "missed_tokens" in self.sources


def _ours(name: str, **where: str) -> Source:
    return Source(f"radixlab:{name}", where)


RADIXLAB = Engine(
    "radixlab",
    "radixlab",
    "radixlab:",
    {
        "requests": _ours("request_success_total"),
        "prompt_tokens": _ours("prompt_tokens_total"),
        "generation_tokens": _ours("generation_tokens_total"),
        "queried_tokens": _ours("prefix_cache_queries_total"),
        "hit_tokens": _ours("prefix_cache_hits_total"),
        "missed_tokens": _ours("prefix_cache_misses_total"),
        "allocated_blocks": _ours("allocated_blocks_total"),
        "reused_blocks": _ours("reused_blocks_total"),
        "evicted_blocks": _ours("evicted_blocks_total"),
        "preemptions": _ours("num_preemptions_total"),
        "running": _ours("num_requests_running"),
        "waiting": _ours("num_requests_waiting"),
        "usage": _ours("kv_cache_usage_perc"),
        "tree_nodes": _ours("tree_nodes"),
        "free_blocks": _ours("blocks", state="free"),
        "evictable_blocks": _ours("blocks", state="evictable"),
        "in_use_blocks": _ours("blocks", state="in_use"),
        "in_transfer_blocks": _ours("blocks", state="in_transfer"),
        "num_blocks": Source("radixlab:cache_config_info", label="num_blocks"),
        "block_size": Source("radixlab:cache_config_info", label="block_size"),
        "match_blocks": _ours("prefix_match_blocks"),
        "ttft_s": _ours("time_to_first_token_seconds"),
        "inter_token_s": _ours("inter_token_latency_seconds"),
        "total_s": _ours("e2e_request_latency_seconds"),
        "queue_s": _ours("request_queue_time_seconds"),
    },
)

VLLM = Engine(
    "vllm",
    "vLLM",
    "vllm:",
    {
        "requests": Source("vllm:request_success_total"),
        "prompt_tokens": Source("vllm:prompt_tokens_total"),
        "generation_tokens": Source("vllm:generation_tokens_total"),
        "queried_tokens": Source("vllm:prefix_cache_queries_total"),
        "hit_tokens": Source("vllm:prefix_cache_hits_total"),
        "preemptions": Source("vllm:num_preemptions_total"),
        "running": Source("vllm:num_requests_running"),
        "waiting": Source("vllm:num_requests_waiting"),
        "usage": Source("vllm:kv_cache_usage_perc"),
        "num_blocks": Source("vllm:cache_config_info", label="num_gpu_blocks"),
        "block_size": Source("vllm:cache_config_info", label="block_size"),
        "ttft_s": Source("vllm:time_to_first_token_seconds"),
        "inter_token_s": Source("vllm:inter_token_latency_seconds"),
        "total_s": Source("vllm:e2e_request_latency_seconds"),
        "queue_s": Source("vllm:request_queue_time_seconds"),
    },
)

_PAGE = "sglang:page_size"

SGLANG = Engine(
    "sglang",
    "SGLang",
    "sglang:",
    {
        "requests": Source("sglang:num_requests_total"),
        "prompt_tokens": Source("sglang:prompt_tokens_total"),
        "generation_tokens": Source("sglang:generation_tokens_total"),
        "queried_tokens": Source("sglang:prompt_tokens_total"),  # both grow when a request ends
        "hit_tokens": Source("sglang:cached_tokens_total"),
        "evicted_blocks": Source("sglang:evicted_tokens_total", per=_PAGE),
        "preemptions": Source("sglang:num_retracted_requests_total"),
        "running": Source("sglang:num_running_reqs"),
        "waiting": Source("sglang:num_queue_reqs"),
        "usage": Source("sglang:token_usage"),
        "free_blocks": Source("sglang:kv_available_tokens", per=_PAGE),
        "evictable_blocks": Source("sglang:kv_evictable_tokens", per=_PAGE),
        "in_use_blocks": Source("sglang:kv_used_tokens", per=_PAGE),
        "num_blocks": Source("sglang:max_total_num_tokens", per=_PAGE),
        "block_size": Source(_PAGE),
        "ttft_s": Source("sglang:time_to_first_token_seconds"),
        "inter_token_s": Source("sglang:inter_token_latency_seconds"),
        "total_s": Source("sglang:e2e_request_latency_seconds"),
        "queue_s": Source("sglang:queue_time_seconds"),
    },
    copies=("tp_rank", "pp_rank", "moe_ep_rank"),
)

ENGINES = (RADIXLAB, VLLM, SGLANG)
