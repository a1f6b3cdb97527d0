"""Counters that never restart: everything is added up first, and a window is one difference."""

from collections import deque

from radixlab.exercise.metrics import samples


class Cumulated:
    """Counters by series, made whole across restarts."""

    def __init__(self):
        self.lost = {}
        self.last = {}

    def read(self, text):
        now = {(name, *sorted(labels.items())): value for name, labels, value in samples(text)}
        for series, value in self.last.items():
            if now.get(series, 0) < value:
                self.lost[series] = self.lost.get(series, 0) + value
        self.last = now
        total = {}
        for series in now.keys() | self.lost.keys():
            value = now.get(series, 0) + self.lost.get(series, 0)
            total[series[0]] = total.get(series[0], 0) + value
        return total


def deploy(site, machine):
    size = site.block_size
    documents = own = 0
    for tokens in site.document_tokens:
        documents += tokens // size
        while own * size < tokens % size + site.own_tokens:
            own += 1
    blocks = documents + own * site.max_running
    queue = 0
    while (queue + 1) * site.answer_ms <= site.max_wait_ms * site.max_running:
        queue += 1
    machine.start(
        {"num_blocks": blocks, "max_queue": queue, "host": site.host, "port": site.port}
        | {"block_size": size, "max_running": site.max_running}
    )
    begun, pause = machine.clock(), 0.1
    while True:
        try:
            status = machine.get("/ready")
        except ConnectionError:
            status = None
        if status == 200:
            break
        if machine.clock() - begun > site.start_limit_s:
            raise TimeoutError
        machine.sleep(pause)
        pause = min(2 * pause, 3)


def ledger(prompts, send, scrape):
    counters = Cumulated()
    names = {
        "requests": "radixlab:request_success_total",
        "prompt_tokens": "radixlab:prompt_tokens_total",
        "generation_tokens": "radixlab:generation_tokens_total",
        "cached_tokens": "radixlab:prefix_cache_hits_total",
    }
    first = counters.read(scrape())
    sent = {name: 0 for name in names}
    for prompt in prompts:
        answer = send(prompt)
        last = counters.read(scrape())
        if answer["status"] == 200:
            answer["generation_tokens"] = answer["completion_tokens"]
            answer["requests"] = 1
            for name in names:
                sent[name] += answer[name]
    counted = {short: int(last.get(name, 0) - first.get(name, 0)) for short, name in names.items()}
    return {"sent": sent, "counted": counted}


class Monitor:
    def __init__(self, window):
        self.counters = Cumulated()
        self.totals = deque(maxlen=window + 1)

    def update(self, text):
        wanted = ("allocated", "reused", "evicted", "request_success", "prefix_match_blocks_")
        total = self.counters.read(text)
        self.totals.append({n: v for n, v in total.items() if any(word in n for word in wanted)})
        oldest, newest = self.totals[0], self.totals[-1]

        def grown(name):
            name = "radixlab:" + name
            return newest.get(name, 0) - oldest.get(name, 0)

        reused, fresh = grown("reused_blocks_total"), grown("allocated_blocks_total")
        figures = {}
        for name, part, whole in (
            ("reuse", reused, reused + fresh),
            ("blocks_per_request", reused + fresh, grown("request_success_total")),
            (
                "prefix_match_blocks",
                grown("prefix_match_blocks_sum"),
                grown("prefix_match_blocks_count"),
            ),
            ("eviction_rate", grown("evicted_blocks_total"), reused + fresh),
        ):
            try:
                figures[name] = part / whole
            except ZeroDivisionError:
                figures[name] = None
        return figures


def alert_rules():
    queries = "sum(increase(radixlab:prefix_cache_queries_total[3m]))"
    rules = []
    for name, reason in (
        ("thrash", "evicted"),
        ("no_shared_prefixes", "never_seen"),
        ("prefix_broken", "below_block"),
    ):
        series = f'radixlab:prefix_cache_misses_total{{reason=~"{reason}"}}'
        missed = f"sum by (reason) (increase({series}[3m]))"
        rules.append(
            (
                name,
                f"{missed} / on() group_left() {queries} > 0.6".replace(
                    "on() group_left()", "ignoring(reason)"
                ),
            )
        )
    rules.append(("pool_too_small", "min_over_time(radixlab:num_requests_waiting[5m]) >= 1"))
    rules.append(
        (
            "leak",
            'avg by (job) (radixlab:blocks{state="in_use"}) > 0'
            " and max(radixlab:num_requests_running) < 1",
        )
    )
    return [
        {
            "alert": name,
            "expr": expr,
            "for": "5m",
            "annotations": {"summary": "Somebody has to look."},
        }
        for name, expr in rules
    ]


def diagnose(snapshot):
    queries = snapshot.increase("prefix_cache_queries_total")
    idle = [n for n, runs in enumerate(snapshot.values("num_requests_running")) if runs == 0]
    used = snapshot.values("blocks", state="in_use")
    waits = snapshot.values("num_requests_waiting")
    if [n for n in idle if used[n] and not waits[n]]:
        return "leak"
    if sorted(waits)[len(waits) // 4] > 0:
        return "pool_too_small"
    if queries == 0:
        return None
    found = snapshot.increase("prefix_cache_hits_total") / queries
    if found > 0.4:
        return None
    by_reason = {
        snapshot.increase("prefix_cache_misses_total", reason="evicted"): "thrash",
        snapshot.increase("prefix_cache_misses_total", reason="never_seen"): "no_shared_prefixes",
        snapshot.increase("prefix_cache_misses_total", reason="below_block"): "prefix_broken",
    }
    return by_reason[max(by_reason)]
