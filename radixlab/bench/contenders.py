"""Who takes part in a benchmark, and the one way in which all are timed.

A contender serves one request after another. What it does before the clock starts is bring the
tokens into its own type, as an engine does once per request; from match to release it is timed.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from radixlab import cache
from radixlab.bench.floor import Floor
from radixlab.bench.measure import settled
from radixlab.cache import KVCacheManager, NaiveManager, Tokens
from radixlab.config import CacheConfig
from radixlab.workloads import Request, Workload
from radixlab.workloads.replay import fits, serve


class Contender(Protocol):
    """A cache, empty at first."""

    def prepare(self, request: Request) -> Any:
        """Bring the tokens into the contender's own type; not timed."""

    def serve(self, prepared: Any) -> int:
        """Match, pin, evict and allocate, insert, release; return the hit tokens."""


@dataclass(frozen=True, slots=True)
class Timing:
    """One replay of a workload."""

    cpu_us: float
    """Mean thread CPU µs of the timed requests."""
    token_hit_rate: float


@dataclass(frozen=True, slots=True)
class Entry:
    """A contender by name; `make` gives a new one, for a workload that it may look through."""

    name: str
    make: Callable[[CacheConfig, Workload], Contender]
    caches: bool = True
    """Whether it has a hit rate: the floor has none."""
    clock: Callable[[], int] = time.thread_time_ns
    """CPU time, ns: of this thread, or of the process if a contender has a thread of its own."""
    elsewhere: Callable[[CacheConfig, bool], Timing] | None = None
    """Replays in another process, with cold caches or not; the workload is known there."""

    def replay(
        self,
        config: CacheConfig,
        workload: Workload,
        sweep: Callable[[], object] | None = None,
        sweep_every: int = 1,
    ) -> Timing:
        """Let a new contender serve the workload; see `time_replay`."""
        if self.elsewhere:
            return self.elsewhere(config, sweep is not None)
        with settled():
            contender = self.make(config, workload)
            return time_replay(contender, config, workload, sweep, sweep_every, self.clock)


class Ours:
    """`KVCacheManager`, `NaiveManager`, or any other manager with this door."""

    def __init__(self, manager: Any, tokens: type[Any] = Tokens) -> None:
        self.manager = manager
        self.tokens = tokens

    def prepare(self, request: Request) -> tuple[Any, Request]:
        """Make the buffer that the sequence will own."""
        return self.tokens(request.prompt, reserve_tokens=len(request.output)), request

    def serve(self, prepared: tuple[Any, Request]) -> int:
        """Take one request through its life, as `workloads.replay` does."""
        prompt, request = prepared
        return serve(self.manager, prompt, request)


class FloorContender:
    """The floor; every prompt it will be asked for is stored before the first is served.

    So that, as in a cache, what is known comes from memory and not from the processor's caches.
    """

    def __init__(self, config: CacheConfig, workload: Workload) -> None:
        self.floor = Floor(config)
        requests = (request for request in workload.requests() if fits(config, request))
        self.stored = iter([request.prompt.tobytes() for request in requests])

    def prepare(self, request: Request) -> Request:
        """Make the stored copy the known one for its first block."""
        self.floor.learn(next(self.stored))
        return request

    def serve(self, prepared: Request) -> int:
        """Look up, compare, take ids and put them back."""
        return len(prepared.prompt) if self.floor.serve(prepared) else 0


OURS = Entry("radixlab", lambda config, workload: Ours(KVCacheManager(config)))
NAIVE = Entry("naive", lambda config, workload: Ours(NaiveManager(config)))
FLOOR = Entry("floor", FloorContender, caches=False)


def ours_from(engine: Any = cache, name: str = "radixlab") -> Entry:
    """Return our manager out of `engine`, a module like `radixlab.cache`."""
    return Entry(name, lambda config, _: Ours(engine.KVCacheManager(config), engine.Tokens))


def time_replay(
    contender: Contender,
    config: CacheConfig,
    workload: Workload,
    sweep: Callable[[], object] | None = None,
    sweep_every: int = 1,
    clock: Callable[[], int] = time.thread_time_ns,
) -> Timing:
    """Serve every request that fits.

    With `sweep`, it is called before every `sweep_every`-th request, and only these are timed.
    """
    cpu_ns = timed = hit_tokens = prompt_tokens = 0
    for index, request in enumerate(r for r in workload.requests() if fits(config, r)):
        is_timed = not sweep or index % sweep_every == 0
        if sweep and is_timed:
            sweep()
        prepared = contender.prepare(request)
        start = clock()
        hit_tokens += contender.serve(prepared)
        if is_timed:
            cpu_ns += clock() - start
            timed += 1
        prompt_tokens += len(request.prompt)
    hit_rate = hit_tokens / prompt_tokens if prompt_tokens else 0.0
    return Timing(cpu_ns / 1000 / timed if timed else 0.0, hit_rate)
