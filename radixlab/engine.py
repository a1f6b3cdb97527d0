"""The engine: requests in, tokens out, one step at a time.

    schedule ─► transfers ─► forward ─► choose ─► commit ─► emit

It owns the cache's manager, the scheduler and a *runner*, which computes. One thread owns the
engine. It knows token ids only: text is `llm.py`'s.
"""

import threading
from collections.abc import Iterable
from collections.abc import Sequence as Many
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from radixlab.cache.checks import check_namespace
from radixlab.cache.errors import TokenError
from radixlab.cache.manager import KVCacheManager
from radixlab.cache.protocols import Transfer
from radixlab.cache.stats import CacheStats
from radixlab.cache.tokens import TokensLike
from radixlab.config import SchedulerConfig, positive
from radixlab.events import Namespace
from radixlab.model.work import Work
from radixlab.sched import (
    FinishReason,
    Request,
    RequestError,
    RequestTooLargeError,
    Scheduler,
    ThreadError,
)
from radixlab.sched.scheduler import Batch


class Runner(Protocol):
    """What computes: a model over its pool of KV, or a stand-in that counts and checks."""

    vocab_size: int
    max_context_len: int | None
    """Tokens of prompt and answer that its positions are good for; None for any number."""

    def transfer(self, transfers: list[Transfer]) -> None:
        """Copy whole blocks, in order, before anything is written."""

    def forward(self, work: Many[Work]) -> Any:
        """Compute these tokens, store their KV, score what follows each piece: `[n, ...]`."""

    def broken(self, scores: Any) -> list[int]:
        """List the rows of the scores by which no token can be chosen."""

    def choose(self, scores: Any, samplers: Many[Any]) -> list[int]:
        """Choose a token for each row of the scores by its request's sampler."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """What a step has to say of one request."""

    request_id: int
    token_id: int | None
    """None if it ended without one: its scores were broken."""
    finish_reason: FinishReason | None
    """None if there are more to come."""


@dataclass(frozen=True, slots=True)
class EngineStats:
    """What an engine counts; a preempted request counts once."""

    num_steps: int
    num_waiting: int
    num_running: int
    num_finished: int
    """In whatever way."""
    num_preemptions: int
    prompt_tokens: int
    """Of the finished requests."""
    cached_tokens: int
    """Those of them that were in the cache."""
    output_tokens: int
    cache: CacheStats


class Engine:
    """Serves many requests at once over one cache.

    >>> from radixlab.cache import CacheConfig
    >>> from radixlab.model.counting import CountingRunner
    >>> config = CacheConfig(num_blocks=16, block_size=4)
    >>> engine = Engine(KVCacheManager(config), CountingRunner(config))
    >>> request = engine.add_request([1, 2, 3], max_tokens=2)
    >>> while engine.has_work:
    ...     print(engine.step())
    [NewToken(request_id=0, token_id=931, finish_reason=None)]
    [NewToken(request_id=0, token_id=890, finish_reason='length')]
    """

    def __init__(
        self,
        manager: KVCacheManager,
        runner: Runner,
        config: SchedulerConfig | None = None,
        eos_ids: Iterable[int] = (),
    ) -> None:
        self.manager = manager
        self.runner = runner
        self.scheduler = Scheduler(manager, config)
        self.eos_ids = frozenset(eos_ids)
        self.requests: dict[int, Request] = {}
        """Those that wait or run."""
        self.num_steps = self.num_finished = self._next_id = 0
        self.prompt_tokens = self.cached_tokens = self.output_tokens = 0
        self._thread = threading.get_ident()

    @property
    def has_work(self) -> bool:
        """Whether a request waits or runs."""
        return bool(self.requests)

    def add_request(
        self,
        tokens: TokensLike,
        max_tokens: int = 16,
        *,
        sampler: Any = None,
        ignore_eos: bool = False,
        namespace: Namespace | None = None,
    ) -> Request:
        """Let a prompt wait for its turn.

        The request returned is the engine's own: read it, at any time. Raises `TokenError`,
        `NamespaceError` or `ConfigError` for a bad one, and `RequestTooLargeError` for one that
        could not be served to its end even alone.
        """
        self._check_thread()
        check_namespace(namespace)
        eos_ids = frozenset[int]() if ignore_eos else self.eos_ids
        max_tokens = positive("max_tokens", max_tokens)
        request = Request(self._next_id, tokens, max_tokens, namespace, eos_ids, sampler)
        self._check_tokens(request)
        self._check_size(request)
        self._next_id += 1
        self.requests[request.id] = request
        self.scheduler.waiting.add(request)
        return request

    def fork_request(self, request: Request, sampler: Any = None) -> Request:
        """Ask for one more answer to a prompt that is not computed yet.

        It begins when the prompt is computed, over the same blocks. Raises `RequestError` if that
        was before.
        """
        self._check_thread()
        is_mine = self.requests.get(request.id) is request
        if not is_mine or request.output or request.origin:
            raise RequestError(f"{request} cannot be forked: only a prompt to be computed can")
        prompt, rest = request.tokens, (request.max_tokens, request.namespace, request.eos_ids)
        fork = Request(self._next_id, prompt, *rest, sampler)
        self._next_id += 1
        self.requests[fork.id] = fork
        fork.origin = request
        request.forks.append(fork)
        return fork

    def abort(self, request_id: int, reason: FinishReason = "abort") -> bool:
        """Give up a request; return whether there was one: it may have finished just before."""
        self._check_thread()
        request = self.requests.get(request_id)
        if request is None:
            return False
        self.scheduler.end(request, reason)
        self._forget(request)
        return True

    def step(self) -> list[NewToken]:
        """Compute one batch; return the tokens that were chosen, none for a prompt under way.

        A request whose scores are no numbers ends alone, by "error".
        """
        self._check_thread()
        self.manager.stamp.step = self.num_steps = self.num_steps + 1
        batch = self.scheduler.schedule()
        self._transfer()
        tokens = self._compute(batch)
        self.scheduler.update(batch, tokens)
        return self._emit(batch)

    def stats(self) -> EngineStats:
        """Count requests, tokens and blocks."""
        self._check_thread()
        return EngineStats(
            self.num_steps,
            len(self.scheduler.waiting),
            len(self.scheduler.running),
            self.num_finished,
            self.scheduler.num_preemptions,
            self.prompt_tokens,
            self.cached_tokens,
            self.output_tokens,
            self.manager.stats(),
        )

    # ---- inside

    def _transfer(self) -> None:
        """Run what the cache ordered: copies, write-backs, load-backs."""
        if transfers := self.manager.transfers:
            self.runner.transfer(transfers)
            self.manager.complete(transfers)

    def _compute(self, batch: Batch) -> list[int]:
        """Run the batch; return the token chosen for each request that is ready."""
        if not batch.work:
            return []
        scores = self.runner.forward(batch.work)
        batch.set_apart(self.runner.broken(scores))
        places = [place for _, place in batch.ready]
        samplers = [request.sampler for request, _ in batch.ready]
        return self.runner.choose(scores[places], samplers) if places else []

    def _emit(self, batch: Batch) -> list[NewToken]:
        ready = [request for request, _ in batch.ready]
        for request in (*batch.broken, *ready):
            if request.finish_reason:
                self._forget(request)
        failed = [NewToken(r.id, None, r.finish_reason) for r in batch.broken]
        return failed + [NewToken(r.id, r.output[-1], r.finish_reason) for r in ready]

    def _forget(self, request: Request) -> None:
        """Count a request out."""
        del self.requests[request.id]
        self.num_finished += 1
        self.prompt_tokens += request.num_prompt_tokens
        self.cached_tokens += request.num_cached_tokens
        self.output_tokens += len(request.output)

    def _check_tokens(self, request: Request) -> None:
        """Raise for a prompt that would end the step of all others."""
        prompt, vocab_size = request.tokens.token_ids, self.runner.vocab_size
        if not len(prompt):
            raise TokenError("an empty prompt (0 tokens): there is nothing to compute")
        if wrong := np.flatnonzero((prompt < 0) | (prompt >= vocab_size)).tolist():
            raise TokenError(
                f"token {prompt[wrong[0]]} at position {wrong[0]}: "
                f"the model knows 0 to {vocab_size - 1}"
            )

    def _check_size(self, request: Request) -> None:
        """Raise for a request that could not be served to its end, though it were alone."""
        cache, most = self.manager.config, self.runner.max_context_len
        num_tokens = request.num_prompt_tokens + request.max_tokens
        if most is not None and num_tokens > most:
            limit = f"the model's context is {most} tokens"
        elif num_tokens - 1 > cache.num_blocks * cache.block_size:  # the last one needs no KV
            limit = f"the pool has {cache.num_blocks} blocks of {cache.block_size} tokens"
        else:
            return
        raise RequestTooLargeError(
            f"a prompt of {request.num_prompt_tokens} tokens and an answer of up to "
            f"{request.max_tokens}: {limit}"
        )

    def _check_thread(self) -> None:
        if threading.get_ident() != self._thread:
            raise ThreadError(
                f"thread {threading.current_thread().name!r} called an engine that another owns: "
                "pass it requests through a queue"
            )
