"""Rules that know loads or nothing: round robin and the power of two choices."""

from random import Random

from radixlab.route.errors import NoReplicaError
from radixlab.route.fleet import Fleet, ReplicaId
from radixlab.route.prompt import Prompt
from radixlab.route.protocol import Rule


class RoundRobin(Rule):
    """Each replica in turn.

    >>> rule = RoundRobin(Fleet(["a", "b"]))
    >>> rule.routed(Prompt(()), rule.choose(Prompt(())))
    >>> rule.choose(Prompt(()))
    'b'
    """

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self._last = -1

    def choose(self, prompt: Prompt) -> ReplicaId:
        """Return the replica after the last one that was used."""
        live = self.fleet.live
        if not live:
            raise NoReplicaError("no replica is alive")
        if self._last + 1 < self.fleet.num_slots and self.fleet.alive >> self._last + 1 & 1:
            return self.fleet.id(self._last + 1)
        return self.fleet.id(next((slot for slot in live if slot > self._last), live[0]))

    def routed(self, prompt: Prompt, replica: ReplicaId) -> None:
        """Remember who was last."""
        self._last = self.fleet.slot(replica) if replica in self.fleet else self._last


class PowerOfTwo(Rule):
    """Two replicas at random, and of these the less loaded: Ray Serve's default.

    Looking at two instead of one makes the longest queue exponentially shorter (Mitzenmacher,
    2001), and nobody needs to know all loads.
    """

    def __init__(self, fleet: Fleet, seed: int = 0) -> None:
        self.fleet = fleet
        self._random = Random(seed)

    def choose(self, prompt: Prompt) -> ReplicaId:
        """Return the less loaded of two."""
        live, loads = self.fleet.live, self.fleet.requests
        if not live:
            raise NoReplicaError("no replica is alive")
        if len(live) == 1:
            return self.fleet.id(live[0])
        first, second = self._random.sample(live, 2)
        return self.fleet.id(first if loads[first] <= loads[second] else second)
