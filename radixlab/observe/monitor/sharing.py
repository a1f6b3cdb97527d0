"""What a window says about sharing: thrash, a prefix broken early, or nothing shared.

Shares of tokens are taken of what a cache could have found: the *usable* prompt tokens, which are
all that were asked for, without the tails that fill no block and the last token, which is always
computed.

This file knows hits, misses and thresholds. It does not know gauges.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from radixlab.observe.monitor.figures import Figures, Missing
from radixlab.observe.monitor.findings import TITLES, Diagnosis, shown
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
UNAVOIDABLE = ("tail", "last_token_rule")


@dataclass(frozen=True, slots=True)
class Shares:
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


def _shares(window: Window) -> Shares | None:
    queried, hits = window.total("queried_tokens"), window.total("hit_tokens")
    if queried is None or hits is None:
        return None
    misses = window.by_label("missed_tokens", "reason") or {}
    usable = queried - sum(misses.get(reason, 0.0) for reason in UNAVOIDABLE)
    if usable <= 0:
        return Shares(0.0, 0.0, {})
    rates = {r: n / usable for r, n in misses.items() if r not in UNAVOIDABLE}
    return Shares(usable, hits / usable, rates)


def sharing(window: Window, now: Figures) -> Diagnosis | None:
    """Judge hits and misses; a cold start must look as bad in the newer half of the window."""
    if num_requests(window) < MIN_REQUESTS or (shares := _shares(window)) is None:
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


def num_requests(window: Window) -> float:
    """Return how many requests came or ended in the window, whichever is more."""
    counts = [window.total(quantity) for quantity in ("requests", "match_blocks_count")]
    return max((number for number in counts if number is not None), default=0.0)


def _holds(name: str, half: Window) -> bool:
    shares = _shares(half)
    return shares is None or not shares.usable or _judge(shares, half) == name


def _judge(shares: Shares, window: Window) -> str | None:
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


def _reasons(shares: Shares) -> list[str]:
    """Say what became of the usable tokens."""
    if not shares.usable:
        return ["no prompt of this window fills a whole block, so nothing can be shared"]
    parts = [f"{name} {share:.0%}" for name, share in sorted(
        shares.by_reason.items(), key=lambda item: -item[1]) if share > 0]  # fmt: skip
    return [
        f"of {shares.usable:,.0f} prompt tokens that could be found, {shares.hits:.0%} were; the "
        f"rest by reason: {', '.join(parts)}"
    ]


def _of(name: str, shares: Shares, now: Figures) -> list[str]:
    """Say what else speaks for this diagnosis."""
    if name == "thrash":
        return [
            f"{shown(now.evicted_blocks, ',.0f')} blocks were evicted in this window, "
            f"{shown(now.eviction_rate, '.0%')} of those allocated or reused"
        ]
    if name == "prefix_broken_early":
        return [
            f"a prompt finds {shown(now.mean_match_blocks, '.1f')} blocks on average, and then "
            "differs from a cached block that begins with the same token"
        ]
    if shares.of("namespace") > shares.of("never_seen"):
        return ["most of it is cached in another namespace: salts or adapters keep it apart"]
    return ["a value that changes at the very first token of the prompts would look the same"]


def _cannot_tell(window: Window, now: Figures, shares: Shares) -> Diagnosis:
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
        evidence.append(f"{shown(now.evicted_blocks, ',.0f')} blocks were evicted in this window")
    words = [TITLES[name].partition(":")[0] for name in candidates]
    evidence.append(f"these cannot be told apart: {', '.join(words)}")
    return Diagnosis("little_reuse", tuple(evidence), tuple(candidates))
