"""Ray Serve's `PrefixCacheAffinityRouter` (2.60.0), with its defaults.

It remembers the prompts that it has routed, as text, in one tree for all replicas, and:

1. if the longest and the shortest queue differ by more than `imbalanced_threshold`, it takes the
   power of two choices; the default threshold is infinite, so this never happens;
2. if at least a tenth of the prompt is known, the candidates are all who have that prefix;
3. else the candidates are those whose remembered text is the shortest;
4. of several candidates, the one with the shortest queue.

By default nothing is ever forgotten. An empty prompt divides by zero inside the router, so that its
client gets no answer; here it is refused by name. Ray counts characters and we count blocks: the
rule is the same for both.
"""

from math import inf

import numpy as np

from radixlab.route.errors import RouteError
from radixlab.route.fleet import Fleet, ReplicaId, as_flags
from radixlab.route.prefix_map import PrefixMap
from radixlab.route.prompt import Prompt
from radixlab.route.rules.plain import PowerOfTwo

LEAST_MATCH = 0.1


class RayAffinity(PowerOfTwo):
    """Prefix affinity without a bound on the load."""

    def __init__(
        self,
        fleet: Fleet,
        seed: int = 0,
        imbalanced_threshold: float = inf,
        match_rate_threshold: float = LEAST_MATCH,
    ) -> None:
        super().__init__(fleet, seed)
        self.imbalanced_threshold = imbalanced_threshold
        self.match_rate_threshold = match_rate_threshold
        self.known = PrefixMap(by_block=False)
        fleet.on_leave.append(self.known.forget)

    def choose(self, prompt: Prompt) -> ReplicaId:
        """Return the replica for a prompt that is not empty."""
        fallback = super().choose(prompt)
        if not prompt.keys:
            raise RouteError("Ray's affinity router divides by the length of the prompt, 0 here")
        if self._is_imbalanced():
            return fallback
        levels = self.known.levels(prompt.keys, self.fleet.alive)
        length, holders = levels[-1] if levels else (0, 0)
        if length / len(prompt.keys) < self.match_rate_threshold:
            return self.fleet.id(self._smallest())
        flags = as_flags(holders, self.fleet.num_slots)
        return self.fleet.id(self.fleet.shortest_queue_of(flags))

    def _is_imbalanced(self) -> bool:
        if self.imbalanced_threshold == inf:
            return False
        loads = self.fleet.requests[list(self.fleet.live)]
        return bool(loads.max() - loads.min() > self.imbalanced_threshold)

    def _smallest(self) -> int:
        """Return the least loaded of the live replicas of which the least is remembered."""
        sizes = self.known.sizes(self.fleet.num_slots)
        is_live = np.isfinite(self.fleet.requests)
        return self.fleet.shortest_queue_of(is_live & (sizes == sizes[is_live].min()))

    def routed(self, prompt: Prompt, replica: ReplicaId) -> None:
        """Remember the prompt; its answer is never learned."""
        if replica in self.fleet:
            self.known.add(self.fleet.slot(replica), prompt.keys)

    def forget(self, replica: ReplicaId) -> None:
        """Forget what was routed to a replica."""
        if replica in self.fleet:
            self.known.forget(self.fleet.slot(replica))
