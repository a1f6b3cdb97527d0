"""A machine of paper: its clock moves by costs the grader knows, and by nothing else.

It behaves like a GPU behind a queue: calls return early, `sync` waits; the first calls of a manager
are slow; every cost jitters, and some calls are interrupted.
"""

from collections import Counter, defaultdict

import numpy as np

from radixlab.grade.ex2.costs import Costs, noise
from radixlab.grade.ex2.door import Door
from radixlab.grade.ex2.log import Call, Log
from radixlab.grade.ex2.tables import PaperTables
from radixlab.grade.ex2.traffic import WORKLOADS

READ_S = 2e-8
"""What reading the clock takes; no two readings are equal."""


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
        self.workload = WORKLOADS[workload]
        self.rng = np.random.default_rng(seed)
        self.costs = Costs.drawn(self.rng)
        self.log = Log()
        self.now_s = 0.0
        self._num_calls: Counter[int] = Counter()
        self._queued_s: dict[int, float] = defaultdict(float)

    def clock(self) -> float:
        """Return the time."""
        self.now_s += READ_S
        return self.log.read(self.now_s)

    def make_manager(self, kind: str, block_size: int) -> Door:
        """Return a new manager, cold; `RefusedError` for a kind or block size there is not."""
        number = self.log.manager(kind, block_size)
        tables = PaperTables(kind, block_size, self.workload)
        return Door(number, tables, block_size * self.costs.token_bytes, self._pass)

    def _pass(self, call: Call) -> None:
        """Note a call and let its time pass: some of it now, the rest at the next sync."""
        self.log.call(call)
        cost_s = self.costs.call_s(call)
        if call.verb == "sync":
            self.now_s += self._queued_s.pop(call.manager, 0.0) + cost_s
            return
        if call.is_work:
            cost_s *= self.costs.warm_up(self._num_calls[call.manager]) * noise(self.rng)
            self._num_calls[call.manager] += 1
        launched_s = self.costs.launched_share * cost_s
        self.now_s += launched_s
        self._queued_s[call.manager] += cost_s - launched_s
