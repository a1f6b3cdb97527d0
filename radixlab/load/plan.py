"""When each request is sent, and how long it is: all of it fixed before the first one is sent.

In an *open loop* requests come at given times, whether the server keeps up or not: those of the
trace, or those of a Poisson process. In a *closed loop* a fixed number of clients each wait for an
answer before they ask again.

This file knows requests and seeds. It does not know servers or clocks.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from radixlab.config import ConfigError
from radixlab.workloads import Request
from radixlab.workloads.summary import STEPS


class PlanError(ConfigError):
    """A way of sending that makes no sense, or does not fit the workload."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a workload is sent.

    Exactly one of the three loops holds: `concurrency` (closed), `rate` (open, Poisson), or neither
    (open, at the times of the trace).
    """

    concurrency: int | None = None
    """Clients of a closed loop."""
    rate: float | None = None
    """Requests a second, on average."""
    speed_up: float = 1.0
    """How many times faster than the trace's own clock."""
    seed: int = 0
    """Of the Poisson process."""
    max_tokens: int | None = None
    """Most tokens of an answer; the workload may ask for fewer."""
    shrink: int = 1
    """Send every n-th token of prompts and answers: shorter requests that share as much."""

    def __post_init__(self) -> None:
        for name in ("rate", "speed_up"):
            value = getattr(self, name)
            if value is not None and not (0 < value < math.inf):
                raise PlanError(f"{name} must be above 0, not {value}")
        for name in ("concurrency", "max_tokens", "shrink"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise PlanError(f"{name} must be at least 1, not {value}")
        if self.concurrency is not None and self.rate is not None:
            raise PlanError("rate is for an open loop and concurrency for a closed one: give one")
        if self.speed_up != 1 and (self.rate is not None or self.concurrency is not None):
            raise PlanError("speed_up changes the trace's own times: leave out rate, concurrency")

    def requests(self, requests: Iterator[Request]) -> Iterator["Planned"]:
        """Yield what is to be sent, in order; raise `PlanError` for a workload without times."""
        times = self._poisson()
        for index, request in enumerate(requests):
            if self.concurrency is not None:
                due_s = None
            elif self.rate is not None:
                due_s = next(times)
            elif request.arrival_s is not None:
                due_s = request.arrival_s / self.speed_up
            else:
                raise PlanError(
                    "this workload has no times of its own: give --rate or --concurrency"
                )
            yield self._planned(index, request, due_s)

    def _planned(self, index: int, request: Request, due_s: float | None) -> "Planned":
        output = request.output[:: self.shrink]
        num_tokens = max(1, min(len(output), self.max_tokens or len(output)))
        if self.shrink > 1:
            request = replace(request, prompt=request.prompt[:: self.shrink].copy())
        session, turn = session_of(request.label)
        return Planned(index, request, num_tokens, due_s, session, turn)

    def _poisson(self) -> Iterator[float]:
        """Yield the times of a Poisson process, whose gaps are exponential, from the seed."""
        rng, now = random.Random(self.seed), 0.0
        while self.rate is not None:
            now += rng.expovariate(self.rate)
            yield now


@dataclass(frozen=True, slots=True)
class Planned:
    """One request and when it is due."""

    index: int
    request: Request
    max_tokens: int
    due_s: float | None
    """Seconds after the start; None in a closed loop."""
    session: str | None
    """The conversation that it belongs to; it is sent when the turn before is over."""
    turn: int | None


def session_of(label: str | None) -> tuple[str | None, int | None]:
    """Split the label of a request that builds on the one before it.

    >>> session_of("conversation 3, turn 2"), session_of("user 7")
    (('conversation 3', 2), (None, None))
    """
    session, _, step = (label or "").partition(", ")
    word, _, number = step.partition(" ")
    if f"{word} " not in STEPS or not number.isdecimal():
        return None, None
    return session, int(number)
