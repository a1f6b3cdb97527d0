"""The replicas as people see them: numbered from 0, with the last numbers of each.

Ray names a replica by random letters. Here it has a number, and the replica that replaces a dead
one takes over its number. What a dead replica has counted stays in the sums, because counters of a
server never fall.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from radixlab.serve.replicas.question import Why
from radixlab.serve.replicas.sums import added, counts_only, total
from radixlab.serve.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Look:
    """One report of a replica: its numbers, as it counts them itself."""

    replica: str
    """Ray's name for it."""
    snapshot: Snapshot
    pid: int
    """The id of its process."""


class Roster:
    """Which replicas are alive, and what the front has counted."""

    def __init__(self) -> None:
        self.number_of: dict[str, int] = {}
        """The live replicas, by Ray's name."""
        self.last: dict[str, Snapshot] = {}
        """The last numbers of the live replicas."""
        self._gone: set[str] = set()
        """Replicas that have died; Ray never uses a name twice."""
        self._counted = Snapshot()
        """What dead replicas have counted."""
        self.num_routed: Counter[int] = Counter()
        """Prompts that each replica took, by its number."""
        self.whys: Counter[Why] = Counter()
        """Prompts by how our router chose."""
        self.num_deaths = 0
        self.num_retries = 0
        self.on_death: Callable[[int], object] = lambda number: None
        """Called with the number of each replica that dies."""

    def number(self, name: str) -> int:
        """Return a replica's number; a new one gets the lowest that is free."""
        if name not in self.number_of:
            taken = set(self.number_of.values())
            self.number_of[name] = next(i for i in range(len(taken) + 1) if i not in taken)
        return self.number_of[name]

    def took(self, name: str, why: Why | None) -> None:
        """Count a prompt that a replica has taken."""
        if name not in self._gone:  # what it sent before it died may come late
            self.num_routed[self.number(name)] += 1
        if why is not None:
            self.whys[why] += 1

    def died(self, name: str) -> None:
        """Take note that a replica is gone."""
        number = self.number_of.pop(name, None)
        if number is not None:
            self._gone.add(name)
            self._counted = added(self._counted, counts_only(self.last.pop(name, Snapshot())))
            self.num_deaths += 1
            self.on_death(number)

    def saw(self, snapshots: dict[str, Snapshot], are_all: bool = True) -> None:
        """Take the numbers of replicas; if they are all that there are, the others have died."""
        if are_all:
            for name in self.number_of.keys() - snapshots.keys():
                self.died(name)
        for name, snapshot in snapshots.items():
            if name not in self._gone:
                self.number(name)
                self.last[name] = snapshot

    def total(self) -> Snapshot:
        """Return the sum over all replicas; only live ones have blocks."""
        return total([self._counted, *self.last.values()])
