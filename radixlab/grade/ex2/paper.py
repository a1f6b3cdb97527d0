"""A machine of paper: its clock moves by costs the grader knows, and by nothing else.

It behaves like a GPU behind a queue: calls return early, `sync` waits; the first calls of a manager
are slow; every cost jitters, and some calls are interrupted.
"""

import numpy as np

from radixlab.exercise.cow import Copies, Kind
from radixlab.grade.ex2.costs import WARM_UP_FACTOR, Costs, noise
from radixlab.grade.ex2.log import Call, Log, Verb, check_kind, check_runs
from radixlab.grade.ex2.tables import Tables
from radixlab.grade.ex2.workload import WORKLOADS, Workload

READ_S = 2e-8
"""What reading the clock takes; no two readings are equal."""
SYNC_SHARE = 0.005
"""What `sync` takes, by what a write takes."""


class PaperMachine:
    """A clock, and managers that move it.

    >>> machine = PaperMachine(seed=0)
    >>> manager = machine.make_manager("eager", 16)
    >>> before_s = machine.clock()
    >>> manager.start(), manager.fork(0)[1][:2]
    (0, [(0, 33), (1, 34)])
    >>> machine.clock() > before_s
    True
    """

    def __init__(self, seed: int, workload: str = "inside") -> None:
        self.workload: Workload = WORKLOADS[workload]
        self.rng = np.random.default_rng(seed)
        self.costs = Costs.drawn(self.rng)
        self.log = Log()
        self.now_s = 0.0
        self._num_managers = 0

    def clock(self) -> float:
        """Return the time."""
        self.now_s += READ_S
        return self.log.read(self.now_s)

    def make_manager(self, kind: Kind, block_size: int) -> "PaperManager":
        """Return a new manager, cold; `RefusedError` for a kind or block size there is not."""
        check_kind(kind, block_size)
        self._num_managers += 1
        return PaperManager(self, self._num_managers, kind, block_size)


class PaperManager:
    """See `radixlab.exercise.cow.Manager`: the learner's code sees nothing else of it."""

    def __init__(self, machine: PaperMachine, number: int, kind: Kind, block_size: int) -> None:
        self._machine, self._number = machine, number
        self._tables = Tables(kind, block_size, machine.workload)
        self._num_calls, self._queued_s = 0, 0.0

    @property
    def block_bytes(self) -> int:
        """Bytes of one block."""
        return self._tables.block_size * self._machine.costs.token_bytes

    def start(self) -> int:
        """Admit the prompt."""
        sequence = self._tables.start()
        self._spend("start", self._machine.costs.start_s(), sequence)
        return sequence

    def fork(self, sequence: int) -> tuple[int, Copies]:
        """Fork."""
        self._check(sequence)
        child, copies = self._tables.fork(sequence)
        cost_s = self._machine.costs.eager_fork_s(self._tables.block_size, len(copies))
        self._spend("fork", cost_s, sequence, "fork", len(copies))
        return child, copies

    def append(self, sequence: int) -> Copies:
        """Write a token."""
        self._check(sequence)
        phase = self._tables.phase_of_write(sequence)
        copies = self._tables.append(sequence)
        cost_s = self._machine.costs.append_s(self._tables.block_size, len(copies))
        self._spend("append", cost_s, sequence, phase, len(copies))
        return copies

    def sync(self) -> None:
        """Wait for all that is queued."""
        machine = self._machine
        self._note("sync")
        machine.now_s += self._queued_s + SYNC_SHARE * machine.costs.write_s
        self._queued_s = 0.0

    def release(self, sequence: int) -> None:
        """End a sequence."""
        self._check(sequence)
        self._tables.release(sequence)
        self._note("release")
        self._queue(self._machine.costs.write_s)

    def _spend(
        self,
        verb: Verb,
        clean_s: float,
        sequence: int,
        phase: str | None = None,
        num_copies: int = 0,
    ) -> None:
        """Note a call, then let its time pass: part of it now, the rest at the next sync."""
        machine, branch = self._machine, self._tables.branches[sequence]
        self._num_calls += 1
        still_cold = 1 - (self._num_calls - 1) / machine.costs.num_cold
        call = Call(
            manager=self._number,
            kind=self._tables.kind,
            block_size=self._tables.block_size,
            verb=verb,
            phase=phase,
            forks=branch.group.num_forks,
            num_tokens=branch.num_tokens,
            copies=num_copies,
            bytes=num_copies * self.block_bytes,
            clean_s=clean_s,
            is_cold=still_cold > 0,
            nth=self._num_calls,
            queued_s=self._queued_s,
        )
        machine.log.add(call)
        warm_up = 1 + (WARM_UP_FACTOR - 1) * max(0.0, still_cold)
        self._queue(clean_s * warm_up * noise(machine.rng))

    def _queue(self, cost_s: float) -> None:
        launched_s = self._machine.costs.launched_share * cost_s
        self._machine.now_s += launched_s
        self._queued_s += cost_s - launched_s

    def _note(self, verb: Verb) -> None:
        tables = self._tables
        self._machine.log.add(Call(self._number, tables.kind, tables.block_size, verb))

    def _check(self, sequence: int) -> None:
        check_runs(sequence, self._tables.branches)
