"""What is wrong with a cache, in plain words, with the numbers that say so.

Each rule looks at one window and either says nothing or makes a `Diagnosis`. Shares of tokens are
taken of what a cache could have found: the *usable* prompt tokens, which are all that were asked
for, without the tails that fill no block and the last token, which is always computed.

This file knows figures and thresholds. It does not know pages or clocks.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from radixlab.observe.monitor.figures import Figure, Figures, Missing, figures, ratio
from radixlab.observe.monitor.window import Window

MIN_REQUESTS = 20
"""With fewer in the window, nothing is said about what is shared."""
LITTLE = 0.25
"""A lower share of usable tokens is little reuse …"""
NOTHING = 0.1
"""… and a still lower one means that the prompts share next to nothing."""
DOMINANT = 0.5
"""A reason dominates from this share of the usable tokens on …"""
THRASH = 0.2
"""… except `evicted`, which is a loss of what was already computed."""
NEARLY_FULL = 0.05
"""A pool with less room than this share of it counts as full."""
MIN_IDLE_READINGS = 2
"""A single look can fall between the end of a request and the next gauge."""
LONG_S = 30.0
"""Silence of so many seconds is worth saying."""
PREEMPTED = 0.01
"""A preemption for every hundred requests is more than bad luck."""
BUSY = 0.5
"""Requests wait in at least this share of the readings: a queue, not a moment."""
UNAVOIDABLE = ("tail", "last_token_rule")

TITLES = {
    "healthy": "healthy",
    "thrash": "thrash: the cache evicts what is asked for again",
    "pool_too_small": "pool too small: the running requests alone fill it",
    "prefix_broken_early": "prefix broken early: prompts differ near their beginning",
    "no_shared_prefixes": "no shared prefixes: the prompts have nothing in common",
    "leak": "leak: blocks are in use although nothing runs",
    "nothing_arrives": "nothing arrives: no request in this window",
    "little_reuse": "little is reused, and this engine does not say why",
}
ADVICE = {
    "thrash": "Give the pool more blocks, add a host tier, or send requests that share a prefix "
    "close together.",
    "pool_too_small": "Give the pool more blocks, or let fewer requests run at once.",
    "prefix_broken_early": "Look for a value that changes at the top of the prompt (a date, an id, "
    "a user's name) and move it to the end; `radixlab why` finds it in a log of prompts.",
    "no_shared_prefixes": "If the prompts should share a beginning, look at their very first "
    "token: a value that changes there looks the same as prompts with nothing in common. "
    "`radixlab why` tells the two apart.",
    "leak": "Restart the server and report it with its log: a request ended without giving its "
    "blocks back.",
    "nothing_arrives": "Check the clients and what lies between them and the server.",
    "little_reuse": "Compare two prompts that should share a beginning (`radixlab why` does it on "
    "a log), and see whether a larger pool helps.",
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One finding."""

    name: str
    """`healthy`, `thrash`, `pool_too_small`, `prefix_broken_early`, `no_shared_prefixes`, `leak`,
    `nothing_arrives`, or `little_reuse`, where the engine publishes no reasons."""
    evidence: tuple[str, ...]
    """Sentences with the numbers it rests on."""
    cannot_tell: tuple[str, ...] = ()
    """The diagnoses between which the engine's page cannot decide."""

    @property
    def title(self) -> str:
        """The finding in plain words."""
        return TITLES[self.name]

    @property
    def advice(self) -> str:
        """What to do; empty for a healthy cache."""
        return ADVICE.get(self.name, "")

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self) | {"title": self.title, "advice": self.advice}


def diagnose(window: Window) -> list[Diagnosis]:
    """Return what is found, the most urgent first; `healthy` alone if nothing is."""
    now = figures(window)
    rules = (_leak, _nothing_arrives, _pool_too_small)
    found = [diagnosis for rule in rules if (diagnosis := rule(window, now))]
    if sharing := _sharing(window, now):
        found.append(sharing)
    return found or [Diagnosis("healthy", _signs_of_health(now))]


def _leak(window: Window, now: Figures) -> Diagnosis | None:
    """Say whether blocks stay in use whenever nobody runs, and never fewer of them."""
    idle = [_held(look.gauges) for look in window.looks if look.gauges.get("running") == 0]
    amounts = [amount for amount in idle if amount is not None]
    num_clean = max((i + 1 for i, amount in enumerate(amounts) if not amount), default=0)
    amounts = amounts[num_clean:]  # after the last idle moment with nothing in use
    if now.running != 0 or len(amounts) < MIN_IDLE_READINGS or amounts != sorted(amounts):
        return None
    in_blocks = "in_use_blocks" in window.latest.gauges
    first, last = (
        f"{a:,.0f} blocks" if in_blocks else f"{a:.1%} of the pool"
        for a in amounts[:: len(amounts) - 1]
    )
    return Diagnosis(
        "leak",
        (
            f"no request runs, and {last} are in use",
            f"in {len(amounts)} readings without a running request it went from {first} to {last} "
            "and never fell",
        ),
    )


def _held(gauges: Mapping[str, float]) -> float | None:
    return gauges.get("in_use_blocks", gauges.get("usage"))


def _nothing_arrives(window: Window, now: Figures) -> Diagnosis | None:
    """Say whether no request came, for long enough to be worth saying."""
    counted = [window.total(quantity) for quantity in ("requests", "queried_tokens")]
    known = [number for number in counted if number is not None]
    is_idle = all(not any(window.gauge(quantity)) for quantity in ("running", "waiting"))
    if not known or any(known) or not is_idle:
        return None
    covered = window.covered_s
    if covered is not None and covered < min(LONG_S, window.span_s / 2):
        return None
    when = "since the server's start" if covered is None else f"in {covered:,.1f} s"
    return Diagnosis("nothing_arrives", (f"no prompt token and no finished request {when}",))


def _pool_too_small(window: Window, now: Figures) -> Diagnosis | None:
    """Say whether the running requests fill the pool, so that others wait or are preempted."""
    needed = _share_of_one_request(window, now)
    rooms = [(look.gauges.get("waiting", 0.0), _room(look.gauges)) for look in window.looks]
    waits = [room for num_waiting, room in rooms if num_waiting and room is not None]
    tight = [room for room in waits if room <= needed]
    is_queue = len(waits) >= BUSY * len(rooms) and len(tight) >= BUSY * len(waits)
    preemptions = 0.0 if isinstance(now.preemptions, Missing) else now.preemptions
    is_preempting = preemptions >= max(2.0, PREEMPTED * _num_requests(window))
    if not (waits and is_queue) and not is_preempting:
        return None
    evidence = [
        f"{_count(int(preemptions), 'preemption')}: a running request gave its blocks to another, "
        "because nothing could be evicted"
    ]
    if waits:
        left = f"{sum(waits) / len(waits):.0%}"
        evidence.append(
            f"requests wait in {len(waits)} of {_count(len(rooms), 'reading')}; then the running "
            f"ones leave {left} of the pool on average, and one request takes about {needed:.0%}"
        )
    return Diagnosis("pool_too_small", tuple(evidence[0 if preemptions else 1 :]))


def _room(gauges: Mapping[str, float]) -> float | None:
    """Return the share of the pool that running requests leave; None if the page does not say."""
    states = [gauges.get(f"{state}_blocks") for state in ("free", "evictable", "in_use")]
    known = [number for number in states if number is not None]
    total = sum(known, gauges.get("in_transfer_blocks", 0.0))
    if len(known) == len(states) and total > 0:
        return (known[0] + known[1]) / total
    return 1 - gauges["usage"] if "usage" in gauges else None


def _share_of_one_request(window: Window, now: Figures) -> float:
    """Return the share of the pool that one more request needs, at least `NEARLY_FULL`."""
    block_size = window.latest.gauges.get("block_size", Missing.ABSENT)
    by_tokens = ratio(ratio(now.tokens_per_request, block_size), now.num_blocks)
    by_blocks = ratio(now.blocks_per_request, now.num_blocks)
    known = [share for share in (by_blocks, by_tokens) if not isinstance(share, Missing)]
    return max([NEARLY_FULL, *known[:1]])


# ---- what is shared


@dataclass(frozen=True, slots=True)
class _Shares:
    """Usable prompt tokens of a window, and the share of them that each reason cost."""

    usable: float
    hits: float
    by_reason: Mapping[str, float]

    def of(self, *reasons: str) -> float:
        """Add up the shares of several reasons."""
        return sum(self.by_reason.get(reason, 0.0) for reason in reasons)

    @property
    def main(self) -> str:
        """The reason that cost most."""
        groups = {name: self.of(*reasons) for name, reasons in _GROUPS.items()}
        return max(groups, key=lambda name: groups[name])


_GROUPS = {
    "thrash": ("evicted",),
    "prefix_broken_early": ("below_block",),
    "no_shared_prefixes": ("never_seen", "namespace"),
}


def _shares(window: Window) -> _Shares | None:
    queried, hits = window.total("queried_tokens"), window.total("hit_tokens")
    if queried is None or hits is None:
        return None
    misses = window.by_label("missed_tokens", "reason") or {}
    usable = queried - sum(misses.get(reason, 0.0) for reason in UNAVOIDABLE)
    if usable <= 0:
        return _Shares(0.0, 0.0, {})
    rates = {r: n / usable for r, n in misses.items() if r not in UNAVOIDABLE}
    return _Shares(usable, hits / usable, rates)


def _sharing(window: Window, now: Figures) -> Diagnosis | None:
    """Judge hits and misses; a cold start must look as bad in the newer half of the window."""
    if _num_requests(window) < MIN_REQUESTS or (shares := _shares(window)) is None:
        return None
    name = _judge(shares, window)
    half = window.newer_half()
    if name is None or (half and not _holds(name, half)):
        return None
    if name == "little_reuse":
        return _cannot_tell(window, now, shares)
    may_be_thrash = name == "no_shared_prefixes" and _forgets(now)
    evidence = [*_reasons(shares), *_of(name, shares, now)]
    if may_be_thrash:
        evidence.append(
            "the server remembers as many evicted blocks as the pool has, and more were evicted: "
            "thrash over a much larger working set would look the same"
        )
    return Diagnosis(name, tuple(evidence), ("thrash",) if may_be_thrash else ())


def _forgets(now: Figures) -> bool:
    """Whether more was evicted than the server can remember."""
    known = not isinstance(now.evicted_blocks, Missing) and not isinstance(now.num_blocks, Missing)
    return known and now.evicted_blocks > now.num_blocks  # type: ignore[operator]


def _num_requests(window: Window) -> float:
    """Return how many requests came or ended in the window, whichever is more."""
    counts = [window.total(quantity) for quantity in ("requests", "match_blocks_count")]
    return max((number for number in counts if number is not None), default=0.0)


def _holds(name: str, half: Window) -> bool:
    shares = _shares(half)
    return shares is None or not shares.usable or _judge(shares, half) == name


def _judge(shares: _Shares, window: Window) -> str | None:
    """Name what the shares of hits and misses say; None for a healthy cache."""
    if not shares.usable:
        return "no_shared_prefixes" if _only_tails(window) else None
    if not shares.by_reason or shares.of("not_cached") >= DOMINANT:
        has_misses = window.latest.engine.has_reasons and not shares.of("not_cached")
        return "little_reuse" if shares.hits < LITTLE and not has_misses else None
    main = shares.main
    cost = shares.of(*_GROUPS[main])
    if main == "thrash":
        return main if cost >= THRASH else None
    most = LITTLE if main == "prefix_broken_early" else NOTHING
    return main if shares.hits < most and cost > 0 else None


def _only_tails(window: Window) -> bool:
    misses = window.by_label("missed_tokens", "reason") or {}
    return misses.get("tail", 0.0) > misses.get("last_token_rule", 0.0)


def _reasons(shares: _Shares) -> list[str]:
    """Say what became of the usable tokens."""
    if not shares.usable:
        return ["no prompt of this window fills a whole block, so nothing can be shared"]
    parts = [f"{name} {share:.0%}" for name, share in sorted(
        shares.by_reason.items(), key=lambda item: -item[1]) if share > 0]  # fmt: skip
    return [
        f"of {shares.usable:,.0f} prompt tokens that could be found, {shares.hits:.0%} were; the "
        f"rest by reason: {', '.join(parts)}"
    ]


def _of(name: str, shares: _Shares, now: Figures) -> list[str]:
    """Say what else speaks for this diagnosis."""
    if name == "thrash":
        return [
            f"{_shown(now.evicted_blocks, ',.0f')} blocks were evicted in this window, "
            f"{_shown(now.eviction_rate, '.0%')} of those allocated or reused"
        ]
    if name == "prefix_broken_early":
        return [
            f"a prompt finds {_shown(now.mean_match_blocks, '.1f')} blocks on average, and then "
            "differs from a cached block of the same first token"
        ]
    if shares.of("namespace") > shares.of("never_seen"):
        return ["most of it is cached in another namespace: salts or adapters keep it apart"]
    return ["a value that changes at the very first token of the prompts would look the same"]


def _cannot_tell(window: Window, now: Figures, shares: _Shares) -> Diagnosis:
    engine = window.latest.engine
    candidates = ["thrash", "prefix_broken_early", "no_shared_prefixes"]
    evidence = [
        f"{shares.hits:.0%} of {shares.usable:,.0f} prompt tokens were cached",
        f"{engine.title} publishes no reasons for misses",
    ]
    evicted = window.latest.counters.get("evicted_blocks")
    if evicted is not None and not sum(evicted.values()):
        candidates.remove("thrash")
        evidence.append("nothing was evicted since the server's start, so it is not thrash")
    elif evicted is None:
        evidence.append(f"{engine.title} publishes no count of evicted blocks either")
    else:
        evidence.append(f"{_shown(now.evicted_blocks, ',.0f')} blocks were evicted in this window")
    words = [TITLES[name].partition(":")[0] for name in candidates]
    evidence.append(f"these cannot be told apart: {', '.join(words)}")
    return Diagnosis("little_reuse", tuple(evidence), tuple(candidates))


def _signs_of_health(now: Figures) -> tuple[str, ...]:
    signs = []
    if not isinstance(now.hit_rate, Missing):
        signs.append(f"{now.hit_rate:.0%} of the prompt tokens were cached")
    if not isinstance(now.requests, Missing) and now.requests < MIN_REQUESTS:
        number = _count(int(now.requests), "finished request")
        signs.append(f"with {number}, it is too early to judge what is shared")
    if not isinstance(now.usage, Missing):
        signs.append(f"running requests hold {now.usage:.0%} of the pool")
    return tuple(signs)


def _shown(figure: Figure, pattern: str) -> str:
    return figure.value if isinstance(figure, Missing) else format(figure, pattern)


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
