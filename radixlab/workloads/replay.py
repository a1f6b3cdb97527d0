"""Replay a workload through a cache, one request in flight: what was found, what it cost.

It knows the manager's door and the order of calls of a request's life. It reports numbers and
prints nothing.
"""

import time
from collections.abc import Callable, Iterable
from collections.abc import Sequence as Many
from dataclasses import dataclass
from typing import Any, Protocol

from radixlab.cache import KVCacheManager, NaiveManager, Tokens
from radixlab.cache.eviction import POLICIES, Belady
from radixlab.cache.results import Transfer
from radixlab.cache.stats import CacheStats
from radixlab.config import CacheConfig
from radixlab.events import Namespace
from radixlab.workloads.request import Request, TokenArray


class Manager(Protocol):
    """The part of the cache's door that a replay uses; `KVCacheManager`'s and `NaiveManager`'s."""

    config: CacheConfig

    def allocate(
        self, tokens: Tokens, namespace: Namespace | None = None, reserve_tokens: int = 0
    ) -> Any:
        """Admit a prompt, with blocks for the tokens to come, and return its sequence."""

    def append(self, sequence: Any, tokens: TokenArray) -> Any:
        """Add tokens, taking blocks for them."""

    def complete(self, transfers: Many[Transfer]) -> Any:
        """Hear that these transfers are done."""

    def commit(self, sequence: Any, num_written: int) -> Any:
        """Let others match what is written."""

    def release(self, sequence: Any) -> Any:
        """Give the sequence's blocks up."""

    def stats(self) -> CacheStats:
        """Count."""


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What a replay found. Rejected requests are in no count but their own two."""

    requests: int
    """Requests served."""
    rejected_requests: int
    """Requests that the whole pool could not hold, so that they were not tried."""
    prompt_tokens: int
    hit_tokens: int
    """Prompt tokens whose KV was in the cache."""
    evicted_blocks: int
    by_request: tuple[tuple[int, int], ...]
    """Prompt tokens and hit tokens of each request served, in order."""
    host_hit_tokens: int
    """Those of the hit tokens that came back from the host."""
    dropped_blocks: int
    """Blocks for which the host had no room."""
    rejected_prompt_tokens: int
    """Prompt tokens of the requests that were rejected."""
    cpu_us: float
    """Thread CPU time from match to release, all requests together.

    Without the making of a request's token buffer, which is there before the cache is asked.
    """

    @property
    def token_hit_rate(self) -> float:
        """Hit tokens ÷ prompt tokens; 0 if there were none."""
        return self.hit_tokens / self.prompt_tokens if self.prompt_tokens else 0.0

    @property
    def hit_rate_of_all(self) -> float:
        """The token hit rate with each rejected prompt as one of which nothing is found."""
        num_tokens = self.prompt_tokens + self.rejected_prompt_tokens
        return self.hit_tokens / num_tokens if num_tokens else 0.0

    @property
    def cpu_us_per_request(self) -> float:
        """Mean over the requests served; 0 if there were none."""
        return self.cpu_us / self.requests if self.requests else 0.0


def replay(
    manager: Manager, requests: Iterable[Request], progress: Callable[[], object] | None = None
) -> ReplayResult:
    """Serve every request in order, calling `progress` after each.

    Requests that the whole pool could not hold are counted as rejected; all else the manager raises
    is passed on.

    >>> from radixlab.workloads import GENERATORS
    >>> manager = KVCacheManager(CacheConfig(num_blocks=1000))
    >>> result = replay(manager, GENERATORS["shared-prompt"](50, 0))
    >>> result.hit_tokens == 49 * 1024
    True
    """
    rejected = rejected_tokens = cpu_ns = 0
    served: list[tuple[int, int]] = []
    before = manager.stats()
    for request in requests:
        if fits(manager.config, request):
            prompt = Tokens(request.prompt, reserve_tokens=len(request.output))
            start = time.thread_time_ns()
            hit_tokens = serve(manager, prompt, request)
            cpu_ns += time.thread_time_ns() - start
            served.append((len(request.prompt), hit_tokens))
        else:
            rejected += 1
            rejected_tokens += len(request.prompt)
        if progress:
            progress()
    after = manager.stats()
    return ReplayResult(
        requests=len(served),
        rejected_requests=rejected,
        prompt_tokens=sum(prompt for prompt, _ in served),
        hit_tokens=sum(hit for _, hit in served),
        evicted_blocks=after.evicted_blocks - before.evicted_blocks,
        by_request=tuple(served),
        host_hit_tokens=after.host_hit_tokens - before.host_hit_tokens,
        dropped_blocks=after.dropped_blocks - before.dropped_blocks,
        rejected_prompt_tokens=rejected_tokens,
        cpu_us=cpu_ns / 1000,
    )


def fits(config: CacheConfig, request: Request) -> bool:
    """Whether a pool that holds nothing else has room for the request's prompt and output."""
    return request.num_tokens <= config.num_blocks * config.block_size


def serve(manager: Manager, prompt: Tokens, request: Request) -> int:
    """Take one request through its life; return its hit tokens.

    Blocks for the output are reserved at once, as by an engine that admits only what it can finish.
    There are no bytes here, so transfers are done when they are ordered.
    """
    sequence = manager.allocate(prompt, request.namespace, len(request.output))
    hit_tokens: int = sequence.hit_tokens
    if sequence.copies:
        manager.complete(sequence.copies)
    if copies := manager.append(sequence, request.output):
        manager.complete(copies)
    manager.commit(sequence, prompt.num_tokens)
    manager.release(sequence)
    return hit_tokens


def manager_names() -> list[str]:
    """List what `make_manager` knows: the policies, `belady`, the bound, `naive`, the control."""
    return [*POLICIES, "belady", "naive"]


def make_manager(
    name: str, config: CacheConfig, requests: Callable[[], Iterable[Request]] | None = None
) -> Manager:
    """Make a manager that evicts by this policy, or the naive twin; raise `KeyError` for others.

    `requests` yields those that will be replayed: only `belady` needs them, and reads them once.
    """
    if name == "naive":
        return NaiveManager(config)
    if name != "belady":
        return KVCacheManager(config, policy=POLICIES[name]())
    if requests is None:
        raise ValueError("belady evicts by the future: give make_manager the requests to come")
    served = (request for request in requests() if fits(config, request))
    policy = Belady(served, config.block_size)
    manager = KVCacheManager(config, policy=policy)
    policy.clock = lambda: manager.tick
    return manager
