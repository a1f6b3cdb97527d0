"""Scripted series of three engines, healthy and in each incident, as promtool's tests want them.

An incident is a set of metrics by what they mean; each engine publishes those that it has.
"""

NAMES = {  # what it means: the series of each engine; None where an engine publishes nothing
    "prompt_tokens": {
        "radixlab": "radixlab:prefix_cache_queries_total",
        "vllm": "vllm:prompt_tokens_total",
        "sglang": "sglang:prompt_tokens_total",
    },
    "hit_tokens": {
        "radixlab": 'radixlab:prefix_cache_hits_total{tier="device"}',
        "vllm": "vllm:prompt_tokens_cached_total",
        "sglang": 'sglang:cached_tokens_total{cache_source="device"}',
    },
    "evicted_tokens": {"radixlab": 'radixlab:prefix_cache_misses_total{reason="evicted"}'},
    "unseen_tokens": {"radixlab": 'radixlab:prefix_cache_misses_total{reason="never_seen"}'},
    "below_block_tokens": {"radixlab": 'radixlab:prefix_cache_misses_total{reason="below_block"}'},
    "match_blocks": {"radixlab": "radixlab:prefix_match_blocks_sum"},
    "matches": {"radixlab": "radixlab:prefix_match_blocks_count"},
    "requests": {
        "radixlab": 'radixlab:request_success_total{finished_reason="stop"}',
        "vllm": 'vllm:request_success_total{finished_reason="stop"}',
        "sglang": 'sglang:num_requests_total{is_streaming="true"}',
    },
    "running": {
        "radixlab": "radixlab:num_requests_running",
        "vllm": "vllm:num_requests_running",
        "sglang": "sglang:num_running_reqs",
    },
    "waiting": {
        "radixlab": "radixlab:num_requests_waiting",
        "vllm": "vllm:num_requests_waiting",
        "sglang": "sglang:num_queue_reqs",
    },
    "usage": {
        "radixlab": "radixlab:kv_cache_usage_perc",
        "vllm": "vllm:kv_cache_usage_perc",
        "sglang": "sglang:token_usage",
    },
    "preemptions": {
        "radixlab": "radixlab:num_preemptions_total",
        "vllm": "vllm:num_preemptions_total",
        "sglang": "sglang:num_retracted_requests_total",
    },
    "fast_first_tokens": {
        engine: f'{engine}:time_to_first_token_seconds_bucket{{le="0.5"}}'
        for engine in ("radixlab", "vllm", "sglang")
    },
    "first_tokens": {
        engine: f'{engine}:time_to_first_token_seconds_bucket{{le="10.0"}}'
        for engine in ("radixlab", "vllm", "sglang")
    },
    "all_first_tokens": {
        engine: f'{engine}:time_to_first_token_seconds_bucket{{le="+Inf"}}'
        for engine in ("radixlab", "vllm", "sglang")
    },
    "queue_bucket": {
        "radixlab": 'radixlab:request_queue_time_seconds_bucket{le="0.5"}',
        "vllm": 'vllm:request_queue_time_seconds_bucket{le="0.5"}',
        "sglang": 'sglang:queue_time_seconds_bucket{le="0.5"}',
    },
    "queued": {
        "radixlab": 'radixlab:request_queue_time_seconds_bucket{le="+Inf"}',
        "vllm": 'vllm:request_queue_time_seconds_bucket{le="+Inf"}',
        "sglang": 'sglang:queue_time_seconds_bucket{le="+Inf"}',
    },
    "free_blocks": {"radixlab": 'radixlab:blocks{state="free"}'},
    "allocated": {"radixlab": "radixlab:allocated_blocks_total"},
    "reused": {"radixlab": "radixlab:reused_blocks_total"},
    "evicted": {"radixlab": 'radixlab:evicted_blocks_total{reason="make_room"}'},
}
COUNTERS = {  # growth a minute; the others are gauges
    "prompt_tokens", "hit_tokens", "evicted_tokens", "unseen_tokens", "below_block_tokens",
    "match_blocks", "matches", "requests", "preemptions", "fast_first_tokens", "first_tokens",
    "all_first_tokens", "queue_bucket", "queued", "allocated", "reused", "evicted",
}  # fmt: skip
HEALTHY = {
    "prompt_tokens": 60_000, "hit_tokens": 36_000, "unseen_tokens": 21_000,
    "below_block_tokens": 2_000, "evicted_tokens": 1_000, "match_blocks": 2_250, "matches": 60,
    "requests": 60, "running": 4, "waiting": 0, "usage": 0.4, "preemptions": 0,
    "fast_first_tokens": 60, "first_tokens": 60, "all_first_tokens": 60, "queue_bucket": 60,
    "queued": 60, "free_blocks": 100, "allocated": 1_500, "reused": 2_250, "evicted": 60,
}  # fmt: skip
INCIDENTS = {  # what changes after 75 healthy minutes, the alert that it fires, and whose
    "CacheThrash": ({"hit_tokens": 25_000, "evicted_tokens": 25_000, "unseen_tokens": 8_000},
                    ["radixlab"]),
    "PoolTooSmall": ({"usage": 0.98, "waiting": 12, "preemptions": 9}, None),
    "PrefixBrokenEarly": ({"hit_tokens": 0, "below_block_tokens": 40_000, "match_blocks": 0},
                          ["radixlab"]),
    "NoSharedPrefixes": ({"hit_tokens": 600, "unseen_tokens": 58_000, "below_block_tokens": 400},
                         ["radixlab"]),
    "HitRateFell": ({"hit_tokens": 12_000, "unseen_tokens": 45_000}, None),
    "BlockLeak": ({"requests": 0, "prompt_tokens": 0, "hit_tokens": 0, "running": 0,
                   "usage": 0.2}, None),
    "SlowFirstToken": ({"fast_first_tokens": 30}, None),
    "NothingArrives": ({"requests": 0, "prompt_tokens": 0, "hit_tokens": 0, "running": 0,
                        "usage": 0.0}, None),
    "EngineDown": ({"up": 0}, None),
}  # fmt: skip
"""`None`: every engine publishes what the alert needs."""
ENGINES = ("radixlab", "vllm", "sglang")


def labelled(name, engine):
    """Put job and instance among the labels of a series."""
    head, _, rest = name.partition("{")
    own = rest.rstrip("}")
    where = f'job="engine", instance="{engine}:8000"'
    return f"{head}{{{own + ', ' if own else ''}{where}}}"


def series(engine, change=None, before=75, after=45):
    """Yield `(series, values)` in promtool's notation: healthy minutes, then changed ones."""
    changed = {**HEALTHY, **(change or {})}
    up = f"1x{before} {(change or {}).get('up', 1)}x{after}"
    yield labelled("up", engine), up
    for meaning, healthy in HEALTHY.items():
        name = NAMES[meaning].get(engine)
        if name is None:
            continue
        then = changed[meaning]
        if meaning in COUNTERS:
            end = healthy * before
            values = f"0+{healthy}x{before} {end + then}+{then}x{after - 1}"
        else:
            values = f"{healthy}x{before} {then}x{after}"
        yield labelled(name, engine), values
