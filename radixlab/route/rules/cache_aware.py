"""The cache-aware rule of vllm-router and sglang-router, with its defaults.

It remembers the prompts that it has routed, as text, in one tree for all replicas, and:

1. if the highest and the lowest load differ by more than 64 requests *and* by more than a factor of
   1.5, the least loaded replica takes the request;
2. else, if more than 0.3 of the prompt is known, the one that stored the last matched node first;
3. else the least loaded.

Of equal loads the first replica in the list wins. As much as 2^26 characters are remembered of each
replica. They count characters and we count blocks: the rule is the same for both.
"""

from radixlab.route.errors import NoReplicaError
from radixlab.route.fleet import Fleet, ReplicaId
from radixlab.route.prefix_map import PrefixMap
from radixlab.route.prompt import Prompt
from radixlab.route.protocol import Rule

LEAST_MATCH = 0.3
MOST_DIFFERENCE = 64
MOST_FACTOR = 1.5


class CacheAware(Rule):
    """Prefix affinity while the loads are alike, the shortest queue while they are not."""

    def __init__(
        self,
        fleet: Fleet,
        cache_threshold: float = LEAST_MATCH,
        balance_abs_threshold: float = MOST_DIFFERENCE,
        balance_rel_threshold: float = MOST_FACTOR,
        capacity_blocks: int | None = None,
    ) -> None:
        self.fleet = fleet
        self.cache_threshold = cache_threshold
        self.balance_abs_threshold = balance_abs_threshold
        self.balance_rel_threshold = balance_rel_threshold
        self.known = PrefixMap(capacity_blocks, by_block=False)
        fleet.on_leave.append(self.known.forget)

    def choose(self, prompt: Prompt) -> ReplicaId:
        """Return the replica for a prompt."""
        fleet = self.fleet
        if not fleet.live:
            raise NoReplicaError("no replica is alive")
        loads = fleet.requests
        least = int(loads.argmin())  # the first of equal ones; the dead have an infinite load
        low = loads[least]
        high = max(loads[slot] for slot in fleet.live) if len(fleet) < len(loads) else loads.max()
        is_balanced = (
            high - low <= self.balance_abs_threshold or high <= self.balance_rel_threshold * low
        )
        if is_balanced and prompt.keys:
            length, owner = self.known.deepest(prompt.keys)
            if length / len(prompt.keys) > self.cache_threshold:
                return fleet.id(owner)
        return fleet.id(least)

    def routed(self, prompt: Prompt, replica: ReplicaId) -> None:
        """Remember the prompt."""
        if replica in self.fleet:
            self.known.add(self.fleet.slot(replica), prompt.keys)

    def forget(self, replica: ReplicaId) -> None:
        """Forget what was routed to a replica."""
        if replica in self.fleet:
            self.known.forget(self.fleet.slot(replica))
