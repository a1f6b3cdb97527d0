"""The replicas that are alive, and how much each has to do.

A replica has an id, which the caller chooses, and a slot, which is a small number. (In this package
a slot is never an address in the KV pool.) Sets of replicas are sets of slots, kept as the bits of
one integer: with 1,000 replicas, "who is alive and holds this block" is one AND of 125 bytes. Loads
are arrays by slot, so that the least loaded of all is one NumPy call.

This file does not know prompts or rules.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator

import numpy as np
import numpy.typing as npt

from radixlab.config import shown
from radixlab.route.errors import NoReplicaError, RouteError, UnknownReplicaError

ReplicaId = Hashable
Slots = int
"""A set of slots: bit i stands for slot i."""
TOKENS_PER_REQUEST = 4096.0
"""Queued prompt tokens that weigh as much as a request in flight: about half a second of computing
for a large model. Without them, a long prompt counts like a short one, and the wind tunnel's 95th
percentile of waiting is several times as long."""
FEW = 16
"""Sets of at most this many slots are searched one by one, larger sets as an array."""
Floats = npt.NDArray[np.float64]


class Fleet:
    """The live replicas, with the requests in flight and the queued prompt tokens of each.

    A replica's load is its requests plus its queued tokens, `tokens_per_request` of which weigh as
    much as a request; None leaves tokens out. Of replicas with equal loads, the one
    comes first whose last request started the longest ago, so that an idle fleet is used evenly.

    >>> fleet = Fleet(["a", "b"])
    >>> fleet.start("a")
    >>> fleet.least_loaded(), fleet.mean_load
    ('b', 0.5)
    """

    def __init__(
        self,
        replicas: Iterable[ReplicaId] = (),
        tokens_per_request: float | None = TOKENS_PER_REQUEST,
    ) -> None:
        if tokens_per_request is not None and not tokens_per_request > 0:
            raise RouteError(f"tokens_per_request must be above 0, not {shown(tokens_per_request)}")
        self.tokens_per_request = tokens_per_request
        self.alive: Slots = 0
        """The slots of the live replicas."""
        self.live: tuple[int, ...] = ()
        """The slots of the live replicas, rising."""
        self.on_leave: list[Callable[[int], None]] = []
        """Called with the slot of each replica that leaves, before the slot is used again."""
        self.requests: Floats = np.zeros(0)
        """Requests in flight, float64 `[num_slots]`, infinite without a replica; read-only."""
        self.loads: Floats = np.zeros(0)
        """Loads, float64 `[num_slots]`, infinite where there is no replica; read-only."""
        self._tokens: list[float] = []
        self._last_start: Floats = np.zeros(0)
        self._num_starts = 0
        self._total = 0.0
        self._slot_of: dict[ReplicaId, int] = {}
        self._ids: list[ReplicaId] = []
        self._free: list[int] = []
        for replica in replicas:
            self.add(replica)

    # ---- who is there

    def add(self, replica: ReplicaId) -> int:
        """Let a replica join, with nothing to do; return its slot."""
        if replica in self._slot_of:
            raise UnknownReplicaError(f"replica {shown(replica)} is in the fleet already")
        if self._free:
            slot = self._free.pop()
            self._ids[slot] = replica
        else:
            slot = len(self._ids)
            self._ids.append(replica)
            self._tokens.append(0.0)
            self.requests, self.loads = np.append(self.requests, 0.0), np.append(self.loads, 0.0)
            self._last_start = np.append(self._last_start, 0.0)
        self._slot_of[replica] = slot
        self.alive |= 1 << slot
        self.live = tuple(sorted((*self.live, slot)))
        self.requests[slot] = self.loads[slot] = 0.0
        return slot

    def remove(self, replica: ReplicaId) -> None:
        """Take a replica out, and forget its load and what was known of its cache."""
        slot = self.slot(replica)
        self._set(slot, 0.0, 0.0)
        self.requests[slot] = self.loads[slot] = np.inf
        self.alive &= ~(1 << slot)
        self.live = tuple(other for other in self.live if other != slot)
        del self._slot_of[replica]
        for forget in self.on_leave:
            forget(slot)
        self._free.append(slot)

    def slot(self, replica: ReplicaId) -> int:
        """Return a replica's slot; raise `UnknownReplicaError` if it is not in the fleet."""
        slot = self._slot_of.get(replica)
        if slot is None:
            raise UnknownReplicaError(f"replica {shown(replica)} is not in the fleet")
        return slot

    def id(self, slot: int) -> ReplicaId:
        """Return the replica in a slot."""
        return self._ids[slot]

    def __contains__(self, replica: object) -> bool:
        return replica in self._slot_of

    def __len__(self) -> int:
        return len(self._slot_of)

    def __iter__(self) -> Iterator[ReplicaId]:
        return iter(self._slot_of)

    @property
    def num_slots(self) -> int:
        """Slots that were ever used, so the length of the arrays that are kept by slot."""
        return len(self._ids)

    # ---- what each has to do

    def start(self, replica: ReplicaId, num_tokens: float = 0) -> None:
        """Count a request that was sent to a replica, and the prompt tokens it has to compute."""
        slot = self.slot(replica)
        self._num_starts += 1
        self._last_start[slot] = self._num_starts
        self._set(slot, self.requests[slot] + 1, self._tokens[slot] + num_tokens)

    def computed(self, replica: ReplicaId, num_tokens: float) -> None:
        """Count prompt tokens as computed; a replica that has left the fleet is ignored."""
        slot = self._slot_of.get(replica)
        if slot is not None:
            self._set(slot, self.requests[slot], max(0.0, self._tokens[slot] - num_tokens))

    def finish(self, replica: ReplicaId, num_tokens: float = 0) -> None:
        """Count a request as answered or given up, with the tokens it had still to compute.

        A replica that has left the fleet is ignored.
        """
        slot = self._slot_of.get(replica)
        if slot is not None:
            tokens = max(0.0, self._tokens[slot] - num_tokens)
            self._set(slot, max(0.0, self.requests[slot] - 1), tokens)

    def report(self, replica: ReplicaId, requests: float, tokens: float = 0.0) -> None:
        """Set a replica's load to what it reports, instead of counting it here.

        `requests` are in flight, and `tokens` are queued prompt tokens. Raises `RouteError` for a
        number that is negative or not finite, and `UnknownReplicaError`.
        """
        if not (0 <= requests < np.inf and 0 <= tokens < np.inf):
            raise RouteError(f"loads are finite and 0 or more, not {requests} and {tokens}")
        self._set(self.slot(replica), float(requests), float(tokens))

    def load(self, replica: ReplicaId) -> float:
        """Return a replica's load."""
        return float(self.loads[self.slot(replica)])

    @property
    def mean_load(self) -> float:
        """The mean load of the live replicas; 0 if there is none."""
        return float(self._total) / len(self._slot_of) if self._slot_of else 0.0

    def least_loaded(self) -> ReplicaId:
        """Return the live replica with the least load."""
        if not self._slot_of:
            raise NoReplicaError("no replica is alive")
        return self._ids[self._first_of_least(self.loads)]

    def least_loaded_of(self, slots: Slots) -> int:
        """Return the slot with the least load in a set that is not empty."""
        if slots.bit_count() <= FEW:
            load, last = self.loads, self._last_start
            return min(slots_in(slots), key=lambda slot: (load[slot], last[slot], slot))
        flags = as_flags(slots, len(self._ids))
        return self._first_of_least(np.where(flags, self.loads, np.inf))

    def shortest_queue_of(self, flags: npt.NDArray[np.bool_]) -> int:
        """Return the slot with the fewest requests among those with a flag, bool `[num_slots]`."""
        return self._first_of_least(np.where(flags, self.requests, np.inf))

    def _first_of_least(self, loads: Floats) -> int:
        """Return the slot with the least load; of equal ones, the one that has waited longest."""
        equal = np.flatnonzero(loads == loads.min())
        return int(equal[self._last_start[equal].argmin()])

    # ---- inside

    def _set(self, slot: int, requests: float, tokens: float) -> None:
        per_request = self.tokens_per_request
        load = requests if per_request is None else requests + tokens / per_request
        self._total += load - self.loads[slot]
        self.requests[slot], self._tokens[slot], self.loads[slot] = requests, tokens, load


def slots_in(slots: Slots) -> Iterator[int]:
    """Yield the slots of a set, lowest first.

    >>> list(slots_in(0b1010))
    [1, 3]
    """
    while slots:
        lowest = slots & -slots
        yield lowest.bit_length() - 1
        slots ^= lowest


def as_flags(slots: Slots, num_slots: int) -> npt.NDArray[np.bool_]:
    """Return a set as an array of flags, bool `[num_slots]`."""
    data = slots.to_bytes((num_slots + 7) // 8, "little")
    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little", count=num_slots)
    return bits.view(np.bool_)
