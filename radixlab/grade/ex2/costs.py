"""What each call of a manager truly costs on the machine of paper. Knows no blocks and no clock."""

from dataclasses import dataclass

import numpy as np

from radixlab.grade.ex2.log import Call

JITTER = 0.03
"""Every cost varies by as much, evenly: a median of 15 strays by less than half of it."""
OUTLIERS = 0.05
"""Share of the calls that something interrupts: far from half of a cell, and enough for a mean."""
OUTLIER_FACTORS = (20.0, 60.0)
SYNC_SHARE = 0.005
"""What `sync` takes, by what a write takes."""
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
    """What a block costs among all that an eager fork copies at once, by what one alone costs."""
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
