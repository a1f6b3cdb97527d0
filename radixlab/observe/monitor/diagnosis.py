"""What is wrong with a cache, in plain words, with the numbers that say so.

Each rule looks at one window and either says nothing or makes a `Diagnosis`. The rules about what
prompts share are in `sharing.py`.

This file knows figures and thresholds. It does not know pages or clocks.
"""

from collections.abc import Mapping

from radixlab.observe.monitor.figures import Figures, Missing, figures, ratio
from radixlab.observe.monitor.findings import Diagnosis, counted
from radixlab.observe.monitor.sharing import MIN_REQUESTS, num_requests, sharing
from radixlab.observe.monitor.window import Window

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


def diagnose(window: Window) -> list[Diagnosis]:
    """Return what is found, the most urgent first; `healthy` alone if nothing is."""
    now = figures(window)
    rules = (_leak, _nothing_arrives, _pool_too_small)
    found = [diagnosis for rule in rules if (diagnosis := rule(window, now))]
    if shared := sharing(window, now):
        found.append(shared)
    if found:
        return found
    if isinstance(now.requests, Missing) and isinstance(now.hit_rate, Missing):
        present = counted(len(window.latest.counters) + len(window.latest.gauges), "quantity")
        return [Diagnosis("unknown", (f"of what the monitor reads, the page has {present}",))]
    return [Diagnosis("healthy", _signs_of_health(now))]


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
    totals = [window.total(quantity) for quantity in ("requests", "queried_tokens")]
    known = [number for number in totals if number is not None]
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
    is_preempting = preemptions >= max(2.0, PREEMPTED * num_requests(window))
    if not (waits and is_queue) and not is_preempting:
        return None
    evidence = [
        f"{counted(int(preemptions), 'preemption')}: a running request gave its blocks to another, "
        "because nothing could be evicted"
    ]
    if waits:
        left = f"{sum(waits) / len(waits):.0%}"
        evidence.append(
            f"requests wait in {len(waits)} of {counted(len(rooms), 'reading')}; then the running "
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


def _signs_of_health(now: Figures) -> tuple[str, ...]:
    signs = []
    if not isinstance(now.hit_rate, Missing):
        signs.append(f"{now.hit_rate:.0%} of the prompt tokens were cached")
    if not isinstance(now.requests, Missing) and now.requests < MIN_REQUESTS:
        number = counted(int(now.requests), "finished request")
        signs.append(f"with {number}, it is too early to judge what is shared")
    if not isinstance(now.usage, Missing):
        signs.append(f"running requests hold {now.usage:.0%} of the pool")
    return tuple(signs)
