"""NumPy throughout: a row of counters per scrape, a ring of increases, masks for incidents."""

import re

import numpy as np

from radixlab.exercise.metrics import FAULTS


def deploy(site, machine):
    tokens = np.array(site.document_tokens)
    rest = tokens % site.block_size
    own = np.ceil((rest.max() + site.own_tokens) / site.block_size)
    num_blocks = (tokens // site.block_size).sum() + site.max_running * own
    machine.start(
        dict(
            host=site.host,
            port=np.int64(site.port),
            block_size=site.block_size,
            max_running=site.max_running,
            num_blocks=np.int64(num_blocks),
            max_queue=np.int64(np.floor(site.max_running * site.max_wait_ms / site.answer_ms)),
        )
    )
    for _second in np.arange(0, site.start_limit_s, 0.25):
        try:
            if machine.get("/ready") == 200:
                return
        except ConnectionError:
            pass
        machine.sleep(0.25)
    raise TimeoutError("not ready")


SIDES = ("requests", "prompt_tokens", "generation_tokens", "cached_tokens")
COUNTERS = (
    "request_success_total",
    "prompt_tokens_total",
    "generation_tokens_total",
    "prefix_cache_hits_total",
)
LINE = re.compile(r"^radixlab:(\w+)(\{.*\})? (\S+)$", re.MULTILINE)


def row(text, names):
    found = np.zeros(len(names))
    for name, _, value in LINE.findall(text):
        if name in names:
            found[names.index(name)] += float(value)
    return found


def ledger(prompts, send, scrape):
    rows, answers = [row(scrape(), COUNTERS)], []
    for prompt in prompts:
        answers.append(send(prompt))
        rows.append(row(scrape(), COUNTERS))
    steps = np.diff(rows, axis=0)
    after = np.array(rows[1:])
    counted = np.where(steps < 0, after, steps).sum(axis=0)
    keys = ("prompt_tokens", "completion_tokens", "cached_tokens")
    good = [[1, *(a[key] for key in keys)] for a in answers if a["status"] == 200]
    sent = np.array(good, dtype=int).reshape(-1, 4).sum(axis=0)
    return {
        "sent": dict(zip(SIDES, sent, strict=False)),
        "counted": dict(zip(SIDES, counted.astype(int), strict=False)),
    }


NAMES = (
    "allocated_blocks_total",
    "reused_blocks_total",
    "evicted_blocks_total",
    "request_success_total",
    "prefix_match_blocks_sum",
    "prefix_match_blocks_count",
)


class Monitor:
    def __init__(self, window):
        self.ring = np.zeros((window, len(NAMES)))
        self.turn, self.last = 0, None

    def update(self, text):
        now = row(text, NAMES)
        if self.last is not None:
            step = now - self.last
            self.ring[self.turn % len(self.ring)] = np.where(step < 0, now, step)
            self.turn += 1
        self.last = now
        allocated, reused, evicted, requests, found, prompts = self.ring.sum(axis=0)
        pairs = {
            "reuse": (reused, allocated + reused),
            "blocks_per_request": (allocated + reused, requests),
            "prefix_match_blocks": (found, prompts),
            "eviction_rate": (evicted, allocated + reused),
        }
        return {name: np.float64(a / b) if b else None for name, (a, b) in pairs.items()}


def alert_rules():
    reasons = {
        "thrash": "evicted",
        "no_shared_prefixes": "never_seen",
        "prefix_broken": "below_block",
    }
    exprs = {
        fault: (
            f'rate(radixlab:prefix_cache_misses_total{{reason="{reason}"}}[6m])'
            " / ignoring(reason) rate(radixlab:prefix_cache_queries_total[6m]) > 0.45"
        )
        for fault, reason in reasons.items()
    }
    exprs["pool_too_small"] = "avg_over_time(radixlab:num_requests_waiting[5m]) > 4"
    exprs["leak"] = (
        'min_over_time(radixlab:blocks{state="in_use"}[5m])'
        " > on() max_over_time(radixlab:num_requests_running[5m]) * 1000"
    )
    return [
        {"alert": f, "expr": e, "for": "2m", "annotations": {"summary": f"Find out about {f}."}}
        for f, e in exprs.items()
    ]


def diagnose(snapshot):
    running = np.array(snapshot.values("num_requests_running"))
    waiting = np.array(snapshot.values("num_requests_waiting"))
    in_use = np.array(snapshot.values("blocks", state="in_use"))
    if (in_use[(running == 0) & (waiting == 0)] > 0).any():
        return "leak"
    if np.median(waiting) >= 2:
        return "pool_too_small"
    missed = np.array(
        [
            snapshot.increase("prefix_cache_misses_total", reason=reason)
            for reason in ("evicted", "never_seen", "below_block")
        ]
    )
    total = snapshot.increase("radixlab:prefix_cache_queries_total")
    return FAULTS[int(missed.argmax())] if missed.max() > total / 2 else None
