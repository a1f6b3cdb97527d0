"""A machine of paper: its clock moves by costs the grader knows, and by nothing else.

It behaves like a GPU behind a queue: calls return early, `sync` waits; the first calls of a manager
are slow; every cost jitters, and some calls are interrupted.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import count

import numpy as np

from radixlab.grade.ex2.door import WORK, Call, Door, Log
from radixlab.grade.ex2.tables import PaperTables
from radixlab.grade.ex2.traffic import WORKLOADS

READ_S = 2e-8
"""What reading the clock takes; no two readings are equal."""
JITTER = 0.03
"""Every cost varies evenly by this share: a median of 15 strays by less than half of it."""
OUTLIERS = 0.05
"""Share of the calls that something interrupts: far from half of a cell, and enough for a mean."""
OUTLIER_FACTORS = (20.0, 60.0)
SYNC_SHARE = 0.005
"""What `sync` takes, as a share of what a write takes."""
WARM_UP_FACTOR = 15.0
"""Of a manager's very first call; falls evenly to 1 over `num_cold` calls."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds, without noise.

    A copy costs at least twice a write: medians that are right to 5 % then give it to 10 %.
    """

    write_s: float
    copy_call_s: float
    copy_byte_s: float
    fork_s: float
    batch_share: float
    """What a block costs in an eager fork, which copies many at once, as a share of one alone."""
    token_bytes: int
    launched_share: float
    """Of a call's cost, what passes before it returns; the rest is queued until `sync`."""
    num_cold: int
    """Calls of a new manager that are slow."""

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Costs":
        """Draw a machine."""
        write_s = rng.uniform(2e-6, 6e-6)
        return cls(
            write_s=write_s,
            copy_call_s=write_s * rng.uniform(2.0, 4.0),
            copy_byte_s=write_s * rng.uniform(0.5, 3.0) / 65_536,
            fork_s=write_s * rng.uniform(1.5, 3.0),
            batch_share=rng.uniform(0.3, 0.6),
            token_bytes=int(rng.choice([1_024, 2_048, 4_096])),
            launched_share=rng.uniform(0.2, 0.4),
            num_cold=int(rng.integers(16, 25)),
        )

    def copy_s(self, block_size: int) -> float:
        """Copy one block by itself."""
        return self.copy_call_s + self.copy_byte_s * block_size * self.token_bytes

    def append_s(self, block_size: int, num_copies: int) -> float:
        """Write a token: a + b * copies."""
        return self.write_s + num_copies * self.copy_s(block_size)

    def eager_fork_s(self, block_size: int, num_copies: int) -> float:
        """Fork and copy the whole table at once."""
        return self.fork_s + self.batch_share * num_copies * self.copy_s(block_size)

    def call_s(self, call: Call) -> float:
        """Cost any call; computing a prompt is long, and never to be measured."""
        if call.verb == "fork":
            return self.eager_fork_s(call.block_size, call.copies)
        if call.verb == "append":
            return self.append_s(call.block_size, call.copies)
        return {"start": 200, "release": 1, "sync": SYNC_SHARE}[call.verb] * self.write_s

    def warm_up(self, num_calls: int) -> float:
        """Say how many times slower a manager is after so many calls."""
        return 1 + (WARM_UP_FACTOR - 1) * max(0.0, 1 - num_calls / self.num_cold)


def noise(rng: np.random.Generator) -> float:
    """Draw what a cost is multiplied by."""
    factor = rng.uniform(1 - JITTER, 1 + JITTER)
    return float(factor * rng.uniform(*OUTLIER_FACTORS) if rng.random() < OUTLIERS else factor)


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
        self._block_ids = count()
        self._num_calls: Counter[int] = Counter()
        self._queued_s: dict[int, float] = defaultdict(float)

    def clock(self) -> float:
        """Return the time."""
        self.now_s += READ_S
        self.log.add(self.now_s)
        return self.now_s

    def make_manager(self, kind: str, block_size: int) -> Door:
        """Return a new manager, cold; `RefusedError` for a kind or block size there is not."""
        number = self.log.manager(kind, block_size)
        tables = PaperTables(kind, block_size, self.workload, self._block_ids)
        return Door(number, tables, block_size * self.costs.token_bytes, self._pass)

    def _pass(self, call: Call) -> None:
        """Note a call and let its time pass: some of it now, the rest at the next sync."""
        self.log.add(call)
        cost_s = self.costs.call_s(call)
        if call.verb == "sync":
            self.now_s += self._queued_s.pop(call.manager, 0.0) + cost_s
            return
        if call.verb in WORK:
            cost_s *= self.costs.warm_up(self._num_calls[call.manager]) * noise(self.rng)
            self._num_calls[call.manager] += 1
        launched_s = self.costs.launched_share * cost_s
        self.now_s += launched_s
        self._queued_s[call.manager] += cost_s - launched_s
