"""No class at all: the monitor is a closure behind an attribute, the parser a comprehension."""

from collections import deque
from types import SimpleNamespace

from radixlab.exercise.metrics import PREFIX, samples


def summed(text):
    totals = {}
    for name, _, value in samples(text):
        totals[name] = totals.get(name, 0) + value
    return lambda name: totals.get(PREFIX + name, 0)


def growth(old, new):
    return lambda name: new(name) - old(name) if new(name) >= old(name) else new(name)


def deploy(site, machine):
    size = site.block_size
    whole = [tokens // size for tokens in site.document_tokens]
    own = max(
        -(-(tokens - n * size + site.own_tokens) // size)
        for tokens, n in zip(site.document_tokens, whole, strict=False)
    )
    need = sum(whole) + own * site.max_running
    settings = {name: getattr(site, name) for name in ("host", "port", "block_size", "max_running")}
    settings.update(
        num_blocks=need * 5 // 4, max_queue=site.max_running * site.max_wait_ms // site.answer_ms
    )
    machine.start(settings)
    end = machine.clock() + site.start_limit_s

    def ready():
        try:
            return machine.get("/ready") == 200
        except ConnectionError:
            return False

    while not ready():
        if machine.clock() >= end:
            raise Exception("the server does not come up")
        machine.sleep(2)


def ledger(prompts, send, scrape):
    counters = {
        "requests": "request_success_total",
        "prompt_tokens": "prompt_tokens_total",
        "generation_tokens": "generation_tokens_total",
        "cached_tokens": "prefix_cache_hits_total",
    }
    last, counted, answers = summed(scrape()), dict.fromkeys(counters, 0), []
    for prompt in prompts:
        answers.append(send(prompt))
        now = summed(scrape())
        grown, last = growth(last, now), now
        for short, name in counters.items():
            counted[short] += round(grown(name))
    answered = [a for a in answers if a["status"] == 200]
    sent = {
        "requests": len(answered),
        "prompt_tokens": sum(a["prompt_tokens"] for a in answered),
        "generation_tokens": sum(a["completion_tokens"] for a in answered),
        "cached_tokens": sum(a["cached_tokens"] for a in answered),
    }
    return {"counted": counted, "sent": sent}


def Monitor(window):
    names = (
        "allocated_blocks_total",
        "reused_blocks_total",
        "evicted_blocks_total",
        "request_success_total",
        "prefix_match_blocks_sum",
        "prefix_match_blocks_count",
    )
    grown, last = deque(maxlen=window), []

    def update(text):
        now = summed(text)
        if last:
            old = last.pop()
            grown.append([growth(old, now)(name) for name in names])
        last.append(now)
        a, r, e, n, m, c = map(sum, zip(*grown, strict=False)) if grown else [0] * 6

        def share(part, whole):
            return None if whole == 0 else part / whole

        return {
            "reuse": share(r, a + r),
            "eviction_rate": share(e, a + r),
            "prefix_match_blocks": share(m, c),
            "blocks_per_request": share(a + r, n),
        }

    return SimpleNamespace(update=update)


def alert_rules():
    def rule(name, expr, wait):
        return {
            "alert": name,
            "expr": expr,
            "for": wait,
            "annotations": {"summary": "See the runbook: " + name},
        }

    share = (
        '(sum(rate(radixlab:prefix_cache_misses_total{{reason="{}"}}[5m]))'
        " / sum(rate(radixlab:prompt_tokens_total[5m]))) >= 0.5"
    ).format
    return [
        rule(
            "leak",
            'radixlab:blocks{state="in_use"} != 0 unless on() radixlab:num_requests_running != 0',
            "4m",
        ),
        rule("pool_too_small", "radixlab:num_requests_waiting > 0", "3m"),
        rule("thrash", share("evicted"), "2m30s"),
        rule("no_shared_prefixes", share("never_seen"), "3m"),
        rule("prefix_broken", share("below_block"), "180s"),
    ]


def diagnose(snapshot):
    def share(reason):
        looked_up = snapshot.increase("prompt_tokens_total")
        return snapshot.increase("prefix_cache_misses_total", reason=reason) / (looked_up or 1)

    rows = list(
        zip(
            snapshot.values("num_requests_running"),
            snapshot.values("num_requests_waiting"),
            snapshot.values("kv_cache_usage_perc"),
            strict=False,
        )
    )
    tests = {
        "leak": lambda: any(used > 0 and runs == 0 for runs, _, used in rows),
        "pool_too_small": lambda: sum(waits > 0 for _, waits, _ in rows) > 0.7 * len(rows),
        "thrash": lambda: share("evicted") > 0.4,
        "no_shared_prefixes": lambda: share("never_seen") > 0.4,
        "prefix_broken": lambda: share("below_block") > 0.4,
    }
    return next((name for name, test in tests.items() if test()), None)
