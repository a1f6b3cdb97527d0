"""Everything is a class: a plan of a site, a pair of scrapes, an interval, a rule, a doctor."""

from dataclasses import asdict, dataclass, field

from radixlab.exercise.metrics import FAULTS, samples


@dataclass
class Plan:
    host: str
    port: int
    num_blocks: int
    block_size: int
    max_running: int
    max_queue: int

    @classmethod
    def of(cls, site):
        shared = leftover = 0
        for tokens in site.document_tokens:
            blocks, rest = divmod(tokens, site.block_size)
            shared += blocks
            leftover = max(leftover, rest)
        own = (leftover + site.own_tokens + site.block_size - 1) // site.block_size
        queue = int(site.max_wait_ms / site.answer_ms * site.max_running)
        return cls(
            site.host,
            site.port,
            shared + own * site.max_running,
            site.block_size,
            site.max_running,
            queue,
        )


def deploy(site, machine):
    machine.start(asdict(Plan.of(site)))
    left = site.start_limit_s
    while left > 0:
        try:
            ready = machine.get("/ready")
        except OSError:
            ready = 0
        if ready == 200:
            return True
        machine.sleep(min(1, left))
        left -= 1
    raise RuntimeError("gave up")


@dataclass
class Total:
    requests: int = 0
    prompt_tokens: int = 0
    generation_tokens: int = 0
    cached_tokens: int = 0

    def add(self, other):
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)


def read(text):
    total = Total()
    for sample in samples(text):
        name = sample.name.removeprefix("radixlab:")
        if name == "request_success_total":
            total.requests += sample.value
        elif name == "prompt_tokens_total":
            total.prompt_tokens += sample.value
        elif name == "generation_tokens_total":
            total.generation_tokens += sample.value
        elif name == "prefix_cache_hits_total":
            total.cached_tokens += sample.value
    return total


def grown(old, new):
    pairs = zip(asdict(old).items(), asdict(new).values(), strict=False)
    return Total(**{name: b - a if b >= a else b for (name, a), b in pairs})


def ledger(prompts, send, scrape):
    sent, counted, last = Total(), Total(), read(scrape())
    for prompt in prompts:
        answer = send(prompt)
        now = read(scrape())
        counted.add(grown(last, now))
        last = now
        if answer["status"] != 429:
            sent.add(
                Total(
                    1, answer["prompt_tokens"], answer["completion_tokens"], answer["cached_tokens"]
                )
            )
    return {"sent": asdict(sent), "counted": asdict(counted)}


@dataclass
class Interval:
    allocated: float = 0.0
    reused: float = 0.0
    evicted: float = 0.0
    requests: float = 0.0
    found: float = 0.0
    prompts: float = 0.0


NAMES = {
    "radixlab:allocated_blocks_total": "allocated",
    "radixlab:reused_blocks_total": "reused",
    "radixlab:evicted_blocks_total": "evicted",
    "radixlab:request_success_total": "requests",
    "radixlab:prefix_match_blocks_sum": "found",
    "radixlab:prefix_match_blocks_count": "prompts",
}


@dataclass
class Monitor:
    window: int
    intervals: list = field(default_factory=list)
    before: dict = None

    def update(self, metrics_text):
        now = {(s.name, str(s.labels)): s.value for s in samples(metrics_text) if s.name in NAMES}
        if self.before is not None:
            interval = Interval()
            for (name, labels), value in now.items():
                old = self.before.get((name, labels), 0.0)
                field_name = NAMES[name]
                grown = value - old if value >= old else value
                setattr(interval, field_name, getattr(interval, field_name) + grown)
            self.intervals = [*self.intervals, interval][-self.window :]
        self.before = now
        return self.figures()

    def figures(self):
        total = {name: sum(getattr(i, name) for i in self.intervals) for name in NAMES.values()}
        blocks = total["allocated"] + total["reused"]
        requests, prompts = total["requests"], total["prompts"]
        return dict(
            reuse=total["reused"] / blocks if blocks else None,
            blocks_per_request=blocks / requests if requests else None,
            prefix_match_blocks=total["found"] / prompts if prompts else None,
            eviction_rate=total["evicted"] / blocks if blocks else None,
        )


@dataclass
class Rule:
    alert: str
    expr: str
    wait: str
    summary: str

    def written(self):
        return {
            "alert": self.alert,
            "expr": self.expr,
            "for": self.wait,
            "labels": {"severity": "page"},
            "annotations": {"summary": self.summary},
        }


def lost(reason):
    one = f"increase(radixlab:prefix_cache_misses_total{{reason='{reason}'}}[4m])"
    return f"sum({one}) > 0.5 * sum(increase(radixlab:prefix_cache_queries_total[4m]))"


def alert_rules():
    reasons = dict(zip(FAULTS, ("evicted", "never_seen", "below_block"), strict=False))
    rules = [
        Rule(name, lost(reason), "2m", f"Look at {reason} misses.")
        for name, reason in reasons.items()
    ]
    rules.append(
        Rule(
            "pool_too_small", "radixlab:num_requests_waiting >= 1", "4m", "Add blocks to the pool."
        )
    )
    nobody = "radixlab:num_requests_running + radixlab:num_requests_waiting == 0"
    rules.append(
        Rule(
            "leak",
            f"sum(radixlab:blocks{{state='in_use'}}) > 0 and sum({nobody}) == 0",
            "3m",
            "Restart and report.",
        )
    )
    return [rule.written() for rule in rules]


class Doctor:
    def __init__(self, snapshot):
        self.snapshot = snapshot
        self.tokens = snapshot.increase("prefix_cache_queries_total")

    def leaks(self):
        idle = [not runs for runs in self.snapshot.values("num_requests_running")]
        used = self.snapshot.values("blocks", state="in_use")
        return any(i and u for i, u in zip(idle, used, strict=False))

    def waits(self):
        return all(self.snapshot.values("num_requests_waiting"))

    def misses(self, reason):
        missed = self.snapshot.increase("prefix_cache_misses_total", reason=reason)
        return self.tokens > 0 and missed / self.tokens > 0.6


def diagnose(snapshot):
    doctor = Doctor(snapshot)
    if doctor.leaks():
        return "leak"
    if doctor.waits():
        return "pool_too_small"
    for fault, reason in zip(FAULTS, ("evicted", "never_seen", "below_block"), strict=False):
        if doctor.misses(reason):
            return fault
