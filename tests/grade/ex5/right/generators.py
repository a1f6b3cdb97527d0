"""Generators and recursion: a machine's answers as a stream, a window as a coroutine."""

from itertools import chain, islice, pairwise

from radixlab.exercise.metrics import FAULTS, samples


def answers(machine, limit_s):
    begun = machine.clock()
    while machine.clock() - begun < limit_s:
        try:
            yield machine.get("/ready")
        except ConnectionError:
            yield None
        machine.sleep(1)


def deploy(site, machine):
    def blocks(tokens):
        return 0 if tokens <= 0 else 1 + blocks(tokens - site.block_size)

    shared = sum(tokens // site.block_size for tokens in site.document_tokens)
    own = max(blocks(tokens % site.block_size + site.own_tokens) for tokens in site.document_tokens)
    machine.start(
        {
            **{name: getattr(site, name) for name in ("host", "port", "block_size", "max_running")},
            "num_blocks": shared + own * site.max_running,
            "max_queue": divmod(site.max_wait_ms * site.max_running, site.answer_ms)[0],
        }
    )
    if 200 not in answers(machine, site.start_limit_s):
        raise TimeoutError("never ready")


def series(text, *names):
    full = {"radixlab:" + name for name in names}
    return {
        (n.removeprefix("radixlab:"), *sorted(ls.items())): v
        for n, ls, v in samples(text)
        if n in full
    }


def growth(old, new):
    for key, value in new.items():
        before = old.get(key, 0.0)
        yield key[0], value if value < before else value - before


def summed(pairs, names):
    total = dict.fromkeys(names, 0)
    for name, value in pairs:
        total[name] += value
    return total


WANTED = {
    "request_success_total": "requests",
    "prompt_tokens_total": "prompt_tokens",
    "generation_tokens_total": "generation_tokens",
    "prefix_cache_hits_total": "cached_tokens",
}


def ledger(prompts, send, scrape):
    replies = []

    def texts():
        yield scrape()
        for prompt in prompts:
            replies.append(send(prompt))
            yield scrape()

    scrapes = (series(text, *WANTED) for text in texts())
    grown = chain.from_iterable(growth(old, new) for old, new in pairwise(scrapes))
    counted = {WANTED[name]: int(value) for name, value in summed(grown, WANTED).items()}
    kept = [reply for reply in replies if reply["status"] == 200]
    sent = {"requests": len(kept)} | {
        mine: sum(reply[theirs] for reply in kept)
        for mine, theirs in (
            ("prompt_tokens", "prompt_tokens"),
            ("generation_tokens", "completion_tokens"),
            ("cached_tokens", "cached_tokens"),
        )
    }
    return {"sent": sent, "counted": counted}


NAMES = (
    "allocated_blocks_total",
    "reused_blocks_total",
    "evicted_blocks_total",
    "request_success_total",
    "prefix_match_blocks_sum",
    "prefix_match_blocks_count",
)


def watching(window):
    text = yield
    old, steps = series(text, *NAMES), ()
    while True:
        total = {name: sum(step[name] for step in steps) for name in NAMES}
        blocks = total["allocated_blocks_total"] + total["reused_blocks_total"]
        text = yield {
            "reuse": blocks and total["reused_blocks_total"] / blocks if blocks else None,
            "blocks_per_request": (
                blocks / total["request_success_total"] if total["request_success_total"] else None
            ),
            "prefix_match_blocks": (
                total["prefix_match_blocks_sum"] / total["prefix_match_blocks_count"]
                if total["prefix_match_blocks_count"]
                else None
            ),
            "eviction_rate": total["evicted_blocks_total"] / blocks if blocks else None,
        }
        new = series(text, *NAMES)
        steps = tuple(islice(chain([summed(growth(old, new), NAMES)], steps), window))
        old = new


class Monitor:
    def __init__(self, window):
        self.coroutine = watching(window)
        next(self.coroutine)

    def update(self, metrics_text):
        return self.coroutine.send(metrics_text)


def alert_rules():
    def page(name, *parts):
        return {
            "alert": name,
            "expr": " ".join(parts),
            "for": "3m",
            "annotations": {"summary": f"Look at {name}: read the runbook."},
        }

    yield_of = "sum(rate(radixlab:prefix_cache_misses_total{reason='%s'}[5m]))"
    names = ("prefix_cache_hits_total", "prefix_cache_misses_total")
    total = "(" + " + ".join(f"sum(rate(radixlab:{name}[5m]))" for name in names) + ")"
    rules = [
        page(fault, yield_of % reason, "/", total, "> 0.5")
        for fault, reason in zip(FAULTS, ("evicted", "never_seen", "below_block"), strict=False)
    ]
    rules += [page("pool_too_small", "radixlab:num_requests_waiting > bool 0 == 1")]
    rules += [
        page(
            "leak",
            "sum without (state) (radixlab:blocks{state='in_use'}) > 0",
            "unless radixlab:num_requests_running > 0",
        )
    ]
    return rules


def diagnose(snapshot):
    def symptoms():
        columns = (
            snapshot.values("blocks", state="in_use"),
            snapshot.values("num_requests_running"),
            snapshot.values("num_requests_waiting"),
        )
        for used, runs, waits in zip(*columns, strict=False):
            if used > 0 == runs == waits:
                yield "leak"
        if all(snapshot.values("num_requests_waiting")):
            yield "pool_too_small"
        total = snapshot.increase("prefix_cache_queries_total")
        for fault, reason in zip(FAULTS, ("evicted", "never_seen", "below_block"), strict=False):
            if 2 * snapshot.increase("prefix_cache_misses_total", reason=reason) > total:
                yield fault

    return next(symptoms(), None)
