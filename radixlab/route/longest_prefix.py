"""Our rule, stated in three lines.

1. The replica with the longest known prefix takes the request,
2. unless that replica's load exceeds the mean by a factor;
3. then the least loaded of those whose known prefix is within a tolerance of the longest.

Line 2 keeps a popular prefix from overloading the replica that has it; line 3 makes a second
replica learn it. Where every replica is within the tolerance, because the known prefix is short,
line 3 alone decides. A replica is chosen for its prefix only if its load is at most `factor` times
the mean, or at most `allowance`; the least loaded replica of all can always be chosen.
"""

from collections.abc import Iterable
from math import inf

from radixlab.config import positive, shown
from radixlab.observe.kv.wire import WireEvent
from radixlab.route.errors import RouteError
from radixlab.route.fleet import Fleet, ReplicaId
from radixlab.route.kv_feed import KVFeed
from radixlab.route.prefix_map import PrefixMap
from radixlab.route.prompt import Prompt
from radixlab.route.protocol import Rule

FACTOR = 1.5
"""A replica above this multiple of the mean load is not chosen for its prefixes."""
ALLOWANCE = 2.0
"""A replica with at most this load is never too busy: the mean of small loads says little."""
TOLERANCE = 0.1
"""Prefixes count as equal whose lengths differ by at most this share of the prompt."""
CAPACITY_BLOCKS = 2**16
"""The most blocks remembered of one replica if routed prompts are the feed: a million tokens in
blocks of 16."""


class LongestPrefix(Rule):
    """The longest known prefix, with a bound on the load.

    `feed` is `"prompts"` or `"events"`: where the knowledge of prefixes comes from. Fed by prompts,
    it remembers the last `capacity_blocks` of each replica.

    >>> fleet = Fleet(["a", "b"])
    >>> rule = LongestPrefix(fleet)
    >>> rule.routed(Prompt((1, 2, 3)), "b")
    >>> rule.choose(Prompt((1, 2, 4)))
    'b'
    """

    def __init__(
        self,
        fleet: Fleet,
        feed: str = "prompts",
        factor: float = FACTOR,
        allowance: float = ALLOWANCE,
        tolerance: float = TOLERANCE,
        capacity_blocks: int = CAPACITY_BLOCKS,
    ) -> None:
        if feed not in ("prompts", "events"):
            raise RouteError(f"feed is 'prompts' or 'events', not {shown(feed)}")
        _check("factor", factor, 1, inf)
        _check("allowance", allowance, 0, inf)
        _check("tolerance", tolerance, 0, 1)
        positive("capacity_blocks", capacity_blocks)
        self.fleet, self.feed = fleet, feed
        self.factor, self.allowance, self.tolerance = factor, allowance, tolerance
        self.hears_events = feed == "events"
        capacity = None if self.hears_events else capacity_blocks
        self.known = PrefixMap(capacity, by_block=self.hears_events)
        self._feeds: dict[int, KVFeed] = {}
        fleet.on_leave.append(self._forget)

    # ---- the rule

    def choose(self, prompt: Prompt) -> ReplicaId:
        """Return the replica for a prompt; raise `NoReplicaError` if none is alive."""
        levels = [(0, self.fleet.alive), *self.known.levels(prompt.keys, self.fleet.alive)]
        longest, holders = levels[-1]
        least = longest - self.tolerance * len(prompt.keys)
        if least > 0:
            near = next(slots for length, slots in levels if length >= least)
            for group in (holders, near):
                best = self.fleet.least_loaded_of(group)
                if self.fleet.loads[best] <= self.most_load:
                    return self.fleet.id(best)
        return self.fleet.least_loaded()

    @property
    def most_load(self) -> float:
        """The load up to which a replica may be chosen for what it holds."""
        return max(self.allowance, self.factor * self.fleet.mean_load)

    def num_to_compute(self, prompt: Prompt, replica: ReplicaId) -> int:
        """Return the prompt tokens that the replica is not known to hold."""
        levels = self.known.levels(prompt.keys, 1 << self.fleet.slot(replica))
        known_share = levels[-1][0] / len(prompt.keys) if levels else 0.0
        return round(prompt.num_tokens * (1 - known_share))

    # ---- what it learns

    def routed(self, prompt: Prompt, replica: ReplicaId) -> None:
        """Assume that the prompt is cached where it was sent, if prompts are the feed."""
        if not self.hears_events and replica in self.fleet:
            self.known.add(self.fleet.slot(replica), prompt.keys)

    def heard(self, replica: ReplicaId, events: Iterable[WireEvent]) -> None:
        """Follow what a replica's cache holds, if events are the feed."""
        if self.hears_events and replica in self.fleet:
            self.feed_of(replica).hear(events)

    def feed_of(self, replica: ReplicaId) -> KVFeed:
        """Return what takes a replica's KV events; `RemoteFeed` connects it to a stream.

        Raises `RouteError` if prompts are the feed, and `UnknownReplicaError`.
        """
        if not self.hears_events:
            raise RouteError("the rule is fed by prompts: make it with feed='events'")
        slot = self.fleet.slot(replica)
        if slot not in self._feeds:
            self._feeds[slot] = KVFeed(self.known, slot)
        return self._feeds[slot]

    def forget(self, replica: ReplicaId) -> None:
        """Forget what a replica's cache holds."""
        if replica in self.fleet:
            self._forget(self.fleet.slot(replica))

    def _forget(self, slot: int) -> None:
        self.known.forget(slot)
        self._feeds.pop(slot, None)


def _check(name: str, value: float, least: float, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RouteError(f"{name} must be a number, not {shown(value)}")
    if not (least <= value <= most) or value == inf:
        bounds = f"at least {least:g}" if most == inf else f"from {least:g} to {most:g}"
        raise RouteError(f"{name} must be {bounds} and finite, not {shown(value)}")
