"""Reads the text by hand, word by word, and keeps plain lists."""


def numbers(text, *names):
    """Return the sums of some metrics, in order."""
    totals = [0.0] * len(names)
    for line in text.split("\n"):
        if not line or line[0] == "#":
            continue
        series, _, value = line.rpartition(" ")
        name = series.split("{", 1)[0].split(":", 1)[1]
        for index, wanted in enumerate(names):
            if name == wanted:
                totals[index] += float(value)
    return totals


def deploy(site, machine):
    blocks, most = 0, 0
    for length in site.document_tokens:
        rest = length
        while rest >= site.block_size:
            rest -= site.block_size
            blocks += 1
        most = max(most, rest + site.own_tokens)
    own = most // site.block_size + (most % site.block_size > 0)
    waiting = site.max_wait_ms * site.max_running / site.answer_ms
    settings = {}
    settings["host"], settings["port"] = site.host, site.port
    settings["block_size"], settings["max_running"] = site.block_size, site.max_running
    settings["num_blocks"] = blocks + own * site.max_running + 8
    settings["max_queue"] = int(waiting * 0.9)
    machine.start(settings)
    begun = machine.clock()
    status = 0
    while status != 200:
        if machine.clock() - begun > site.start_limit_s:
            raise TimeoutError(f"/ready answered {status}")
        machine.sleep(1.5)
        try:
            status = machine.get("/ready")
        except ConnectionError:
            status = 0


LEDGER = (
    "request_success_total",
    "prompt_tokens_total",
    "generation_tokens_total",
    "prefix_cache_hits_total",
)


def ledger(prompts, send, scrape):
    sent, counted = [0, 0, 0, 0], [0, 0, 0, 0]
    old = numbers(scrape(), *LEDGER)
    for prompt in prompts:
        answer = send(prompt)
        new = numbers(scrape(), *LEDGER)
        for index in range(4):
            if new[index] < old[index]:
                old[index] = 0
            counted[index] += int(new[index] - old[index])
        old = new
        if answer["status"] == 200:
            sent[0] += 1
            sent[1] += answer["prompt_tokens"]
            sent[2] += answer["completion_tokens"]
            sent[3] += answer["cached_tokens"]

    def named(values):
        requests, prompt_tokens, generation_tokens, cached_tokens = values
        return {
            "requests": requests,
            "prompt_tokens": prompt_tokens,
            "generation_tokens": generation_tokens,
            "cached_tokens": cached_tokens,
        }

    return {"sent": named(sent), "counted": named(counted)}


FIGURES = (
    "allocated_blocks_total",
    "reused_blocks_total",
    "evicted_blocks_total",
    "request_success_total",
    "prefix_match_blocks_sum",
    "prefix_match_blocks_count",
)


class Monitor:
    __slots__ = ("_old", "_steps", "_window")

    def __init__(self, window):
        self._window, self._old, self._steps = window, None, []

    def update(self, metrics_text):
        new = numbers(metrics_text, *FIGURES)
        if self._old is not None:
            step = []
            for index in range(len(FIGURES)):
                fell = new[index] < self._old[index]
                step.append(new[index] if fell else new[index] - self._old[index])
            self._steps.append(step)
            if len(self._steps) > self._window:
                self._steps.pop(0)
        self._old = new
        sums = [0.0] * len(FIGURES)
        for step in self._steps:
            for index, value in enumerate(step):
                sums[index] += value
        allocated, reused, evicted, requests, blocks_found, lookups = sums
        result = {
            "reuse": None,
            "blocks_per_request": None,
            "prefix_match_blocks": None,
            "eviction_rate": None,
        }
        if allocated + reused > 0:
            result["reuse"] = reused / (allocated + reused)
            result["eviction_rate"] = evicted / (allocated + reused)
        if requests > 0:
            result["blocks_per_request"] = (allocated + reused) / requests
        if lookups > 0:
            result["prefix_match_blocks"] = blocks_found / lookups
        return result


def alert_rules():
    return [
        {
            "alert": "thrash",
            "expr": """
                sum without (instance, reason) (
                  increase(radixlab:prefix_cache_misses_total{reason="evicted"}[5m])
                )
                > 0.4 * increase(radixlab:prefix_cache_queries_total[5m])
            """,
            "for": "4m",
            "annotations": {
                "summary": "The pool is smaller than the documents that are asked about."
            },
        },
        {
            "alert": "no_shared_prefixes",
            "expr": 'rate(radixlab:prefix_cache_misses_total{reason=~"never_seen"}[5m])'
            " > ignoring(reason) rate(radixlab:prefix_cache_queries_total[5m]) * 0.6",
            "for": "4m",
            "annotations": {"summary": "Ask who sends prompts that share nothing."},
        },
        {
            "alert": "prefix_broken",
            "expr": "rate(radixlab:prefix_cache_misses_total"
            '{reason!~"tail|evicted|never_seen|not_.*"}[5m])'
            " / on() rate(radixlab:prefix_cache_queries_total[5m]) > 0.6",
            "for": "4m",
            "annotations": {"summary": "Look for a clock at the top of the prompts."},
        },
        {
            "alert": "pool_too_small",
            "expr": "min_over_time(radixlab:num_requests_waiting[4m]) > 0"
            " and min_over_time(radixlab:num_requests_running[4m]) > 0",
            "for": "1m",
            "annotations": {"summary": "Restart with a larger pool."},
        },
        {
            "alert": "leak",
            "expr": "radixlab:kv_cache_usage_perc > 0 and radixlab:num_requests_running == 0"
            " and radixlab:num_requests_waiting == 0",
            "for": "3m",
            "annotations": {"summary": "Blocks are lost: restart the server at night."},
        },
    ]


def diagnose(snapshot):
    usage = snapshot.values("kv_cache_usage_perc")
    running = snapshot.values("num_requests_running")
    waiting = snapshot.values("num_requests_waiting")
    for n in range(len(snapshot)):
        if usage[n] > 0 and running[n] == 0 and waiting[n] == 0:
            return "leak"
    waits = 0
    for n in range(len(snapshot)):
        waits += waiting[n] > 0
    if waits > len(snapshot) / 2:
        return "pool_too_small"
    misses = {}
    for reason in ("evicted", "never_seen", "below_block", "tail"):
        misses[reason] = snapshot.increase("prefix_cache_misses_total", reason=reason)
    hits = snapshot.increase("prefix_cache_hits_total")
    if sum(misses.values()) <= hits * 1.2:
        return None
    if misses["evicted"] > max(misses["never_seen"], misses["below_block"]):
        return "thrash"
    if misses["never_seen"] > misses["below_block"]:
        return "no_shared_prefixes"
    return "prefix_broken"
