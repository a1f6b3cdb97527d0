"""Session affinity: all requests of a session go to one replica, by consistent hashing.

As in Ray Serve's `ConsistentHashRouter`: each replica has 100 points on a ring, and a session
belongs to the next point after its own hash. If a replica leaves, only its sessions move. A request
without a session gets a random point. Load is not looked at: Ray tries the next replica only if the
first one refuses.
"""

from bisect import bisect_right
from hashlib import blake2b
from random import Random

from radixlab.route.errors import NoReplicaError
from radixlab.route.fleet import Fleet, ReplicaId
from radixlab.route.prompt import Prompt
from radixlab.route.protocol import Rule

NUM_POINTS = 100
"""Points of a replica on the ring; more of them spread the sessions more evenly."""


class SessionHash(Rule):
    """The replica whose point follows the session's hash on the ring.

    >>> rule = SessionHash(Fleet(["a", "b", "c"]))
    >>> first = rule.choose(Prompt((), session="Ada"))
    >>> all(rule.choose(Prompt((), session="Ada")) == first for _ in range(9))
    True
    """

    def __init__(self, fleet: Fleet, seed: int = 0, num_points: int = NUM_POINTS) -> None:
        self.fleet = fleet
        self.num_points = num_points
        self._random = Random(seed)
        self._built_for: tuple[int, ...] = ()
        self._hashes: list[int] = []
        self._owners: list[ReplicaId] = []

    def choose(self, prompt: Prompt) -> ReplicaId:
        """Return the owner of the session, or of a random point if there is none."""
        if not self.fleet.live:
            raise NoReplicaError("no replica is alive")
        if self._built_for is not self.fleet.live:
            self._build()
        point = self._random.getrandbits(64) if prompt.session is None else _hash(prompt.session)
        return self._owners[bisect_right(self._hashes, point) % len(self._hashes)]

    def _build(self) -> None:
        """Put the live replicas on the ring."""
        points = sorted(
            (_hash(f"{replica!r}:{number}"), slot)
            for slot, replica in ((slot, self.fleet.id(slot)) for slot in self.fleet.live)
            for number in range(self.num_points)
        )
        self._hashes = [point for point, _ in points]
        self._owners = [self.fleet.id(slot) for _, slot in points]
        self._built_for = self.fleet.live


def _hash(text: str) -> int:
    data = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")
