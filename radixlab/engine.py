"""The engine: requests in, tokens out, one step at a time.

    schedule ─► transfers ─► forward ─► choose ─► commit ─► emit

The engine owns the cache's manager, the scheduler and a *runner*, which computes. One thread owns
the engine. The engine knows only token ids; `llm/` knows text.

A step may fail at any point, and the next step continues. Transfers, the forward pass and the
choice of tokens can be repeated: after a fault in one of them all blocks are still there. Schedule
and commit change the cache and the queues. A fault in the middle of such a change leaves them
*torn*. Then the cache is cleared, and every request waits again with the tokens that it has
(`_mend`). Ctrl-C takes effect at the end of the step, or of the call that adds, forks or aborts a
request.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from radixlab.cache.checks import check_namespace
from radixlab.cache.errors import CacheError
from radixlab.cache.manager import KVCacheManager
from radixlab.cache.restart import restart
from radixlab.cache.results import Transfer
from radixlab.cache.tokens import TokensLike
from radixlab.config import SchedulerConfig, positive, token_ids
from radixlab.events import Namespace
from radixlab.interrupts import Interrupts
from radixlab.model.protocol import Runner
from radixlab.sched import (
    ArgumentError,
    FinishReason,
    OrderError,
    ReentryError,
    Request,
    RequestError,
    RequestTooLargeError,
    Scheduler,
    ThreadError,
)
from radixlab.sched.door import check_flag, check_id, check_ids
from radixlab.sched.results import EngineStats, NewToken
from radixlab.sched.scheduler import Batch

__all__ = ["Engine", "EngineStats", "NewToken", "Runner"]


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
        self.eos_ids = token_ids("eos_ids", eos_ids)
        self.requests: dict[int, Request] = {}
        """The requests that wait or run, by id."""
        self.num_steps = self.num_finished = self._next_id = 0
        self.prompt_tokens = self.cached_tokens = self.output_tokens = 0
        self._thread = threading.get_ident()
        self._interrupts = Interrupts()
        self._news: list[NewToken] = []
        """Tokens that no step has returned yet."""
        self._given_up: deque[int] = deque()
        """Requests that the next step aborts."""
        self._stepping = self._failed = self._torn = False
        """Whether a step is running; whether one has failed; whether the cache may be torn."""

    @property
    def has_work(self) -> bool:
        """Whether a request waits or runs, a transfer is pending, or a token is unreported."""
        return bool(self.requests or self.manager.transit.pending or self._news)

    @property
    def is_mine(self) -> bool:
        """Whether the caller may change the engine now: in its own thread, and not in mid-step."""
        return threading.get_ident() == self._thread and not self._stepping

    def add_request(
        self,
        tokens: TokensLike,
        max_tokens: int = 16,
        *,
        sampler: Any = None,
        ignore_eos: bool = False,
        stop_token_ids: Iterable[int] = (),
        namespace: Namespace | None = None,
    ) -> Request:
        """Add a prompt to the queue.

        The returned request belongs to the engine; the caller may read it at any time. The answer
        ends with one of `stop_token_ids`, and unless `ignore_eos`, of the model's. `max_tokens`
        is a limit: if the model's context or the pool has room for fewer tokens, the answer ends
        earlier, and `request.is_cut` is true. Raises `TokenError` for a bad prompt,
        `RequestTooLargeError` for a prompt that leaves no room for a token, and `NamespaceError`,
        `ConfigError` or `ArgumentError` for other bad arguments.
        """
        self._check_caller()
        check_namespace(namespace)
        self._check_sampler(sampler)
        eos_ids = token_ids("stop_token_ids", stop_token_ids)
        if not check_flag("ignore_eos", ignore_eos):
            eos_ids |= self.eos_ids
        max_tokens = positive("max_tokens", max_tokens)
        request = Request(self._next_id, tokens, max_tokens, namespace, eos_ids, sampler)
        check_ids(request.tokens.token_ids, self.runner.vocab_size)
        self._check_size(request)
        request.max_tokens = min(max_tokens, self._room(request))
        request.is_cut = request.max_tokens < max_tokens
        self._whole(self._add, request)
        return request

    def fork_request(self, request: Request, sampler: Any = None) -> Request:
        """Ask for one more answer to a prompt that is not computed yet.

        The new answer begins when the prompt is computed, and shares its blocks. Raises
        `RequestError` if the prompt is already computed.
        """
        self._check_caller()
        if not isinstance(request, Request):
            raise ArgumentError(f"request must be what add_request returned, not {request!r}")
        self._check_sampler(sampler)
        is_mine = self.requests.get(request.id) is request
        if not is_mine or request.output or request.origin:
            raise RequestError(f"{request} cannot be forked: only an uncomputed prompt can")
        shared = (request.tokens, request.max_tokens, request.namespace, request.eos_ids)
        fork = Request(self._next_id, *shared, sampler)
        fork.is_cut = request.is_cut
        self._whole(self._add, fork, request)
        return fork

    def abort(self, request_id: int, reason: FinishReason = "abort") -> bool:
        """Abort a request; return whether it was still there: it may have finished just before."""
        self._check_caller()
        request = self.requests.get(check_id("request_id", request_id))
        if request is None:
            return False
        self._whole(self._abort, request, reason)
        return True

    def abort_soon(self, request_id: int) -> None:
        """Have the next step abort a request; may be called in any thread, and in mid-step (T2)."""
        self._given_up.append(check_id("request_id", request_id))

    def reset(self) -> None:
        """Clear the whole cache; pending transfers are completed first.

        Raises `CacheError` while requests run.
        """
        self._check_caller()
        self._mend()
        try:
            self._transfer()
        except BaseException:
            self._mend()
            raise
        self._whole(self._reset)

    def step(self) -> list[NewToken]:
        """Compute one batch; return the new tokens, none for a prompt that is partly computed.

        Non-finite logits finish that request only, with the reason "error". Cached blocks that
        caused them leave the cache, and every request that reads one of these blocks finishes with
        "error" too.

        If the step raises anything at all, call it again: nothing is lost and nothing is done
        twice. Tokens that a failed step chose are in the `output` of their requests, and the next
        step returns them.
        """
        self._check_caller()
        try:
            self._stepping = True
            self._interrupts.hold()
            self._mend()
            self._failed = True
            self._run()
            self._failed = False
        except BaseException:
            self._mend()
            raise
        finally:
            self._stepping = self._interrupts.holding = False  # first: a call could fail
            self._interrupts.release()
        news, self._news = self._news, []
        return news

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

    # ---- inside a step

    def _run(self) -> None:
        """Do the step; while it changes the cache or the queues, they count as torn."""
        while self._given_up:
            if request := self.requests.get(self._given_up[0]):
                self._torn = True
                self._abort(request, "abort")
                self._torn = False
            self._given_up.popleft()
        self.manager.log.step = self.num_steps = self.num_steps + 1
        self._torn = True
        batch = self._schedule()
        self._torn = False
        self._transfer()
        tokens = self._compute(batch)
        self._torn = True
        self.scheduler.update(batch, tokens)
        self._tell(batch)
        self._torn = False

    def _schedule(self) -> Batch:
        try:
            return self.scheduler.schedule()
        except OrderError:  # raised before any request was admitted
            self._torn = False
            raise

    def _transfer(self) -> None:
        """Run the copies, write-backs and load-backs that the cache ordered.

        They run one at a time, so that after a failure it is known which have run. None may run
        again after a later one: it could copy what the later one has written.
        """
        done: list[Transfer] = []
        try:
            for transfer in self.manager.transfers:
                self.runner.transfer([transfer])
                done.append(transfer)
        finally:
            if done:
                self._torn = True
                self.manager.complete(done)
                self._torn = False

    def _compute(self, batch: Batch) -> list[int]:
        """Run the batch; return the token that was chosen for each ready request."""
        if not batch.work:
            return []
        logits = self.runner.forward(batch.work)
        if broken := self.runner.broken(logits):
            self._set_apart(batch, broken)
        rows = [row for _, row in batch.ready]
        samplers = [request.sampler for request, _ in batch.ready]
        return self.runner.choose(logits[rows], samplers) if rows else []

    def _set_apart(self, batch: Batch, rows: list[int]) -> None:
        """Find the corrupt blocks behind these rows, and all requests that read them."""
        read: dict[int, None] = {}
        for sequence in (batch.work[row].sequence for row in rows):
            read |= dict.fromkeys(sequence.block_table[: sequence.node.end].tolist())
            read |= dict.fromkeys(t.src for t in sequence.copies if t.kind == "copy")
        corrupt = self.runner.broken_blocks(list(read))
        broken = [batch.requests[row] for row in rows]
        broken += [r for r in self.scheduler.readers(corrupt) if r not in broken]
        batch.set_apart(broken, corrupt)

    def _tell(self, batch: Batch) -> None:
        """Record the news of the step, and forget the requests that are finished."""
        ready = [request for request, _ in batch.ready]
        news = [NewToken(r.id, None, r.finish_reason) for r in batch.broken]
        news += [NewToken(r.id, r.output[-1], r.finish_reason) for r in ready]
        changed = batch.broken + ready
        self._news += news  # no call may come between this and the end of the first loop
        for request in changed:
            request.num_reported += 1
        for request in changed:
            if request.finish_reason:
                self._forget(request)

    def _report(self, request: Request) -> None:
        """Record the news of one request, which may have no new token, or several."""
        reason, num_told = request.finish_reason, request.num_reported
        tokens: list[int | None] = [*request.output[num_told:]]
        if reason == "error" and num_told <= len(request.output):
            tokens.append(None)
        ends = [None] * (len(tokens) - 1) + [reason]
        news = [NewToken(request.id, *new) for new in zip(tokens, ends, strict=False)]
        num_told += len(tokens)
        self._news += news  # these two belong together: no call may come between them
        request.num_reported = num_told
        if reason:
            self._forget(request)

    def _forget(self, request: Request) -> None:
        """Remove a finished request, and count it."""
        del self.requests[request.id]
        self.num_finished += 1
        self.prompt_tokens += request.num_prompt_tokens
        self.cached_tokens += request.num_cached_tokens
        self.output_tokens += len(request.output)

    # ---- after a fault

    def _mend(self) -> None:
        """Repair what a failed call has left; if the repair fails too, the next call repeats it."""
        if self._torn:
            restart(self.manager)
            self.scheduler.start_over(self.requests.values())
            for request in list(self.requests.values()):
                self._report(request)
            self._torn = False
        if self._failed:
            for request in self.requests.values():
                self.runner.rewind(request.sampler, len(request.output))
            self._failed = False

    def _whole(self, change: Callable[..., None], *given: Any) -> None:
        """Change the cache or the queues; start over if the change fails half-way."""
        with self._interrupts:
            self._mend()
            try:
                self._torn = True
                change(*given)
                self._torn = False
            except BaseException:
                self._mend()
                raise

    # ---- what a caller may do

    def _add(self, request: Request, origin: Request | None = None) -> None:
        self._next_id += 1
        if origin:
            request.origin = origin
            origin.forks.append(request)
        else:
            self.scheduler.waiting.add(request)
        self.requests[request.id] = request

    def _abort(self, request: Request, reason: FinishReason) -> None:
        self.scheduler.end(request, reason)
        self._news = [new for new in self._news if new.request_id != request.id]
        self._forget(request)

    def _reset(self) -> None:
        try:
            self.manager.reset()
        except CacheError:  # raised before anything was forgotten
            self._torn = False
            raise

    def _room(self, request: Request) -> int:
        """Return how many tokens the answer can have if the request runs alone.

        The last token needs no KV, so a sequence may have one token more than the pool has slots.
        The model's context counts all tokens.
        """
        cache = self.manager.config
        most = self.runner.max_context_len
        in_pool = cache.num_blocks * cache.block_size + 1 - request.num_prompt_tokens
        return in_pool if most is None else min(in_pool, most - request.num_prompt_tokens)

    def _check_size(self, request: Request) -> None:
        """Raise for a prompt that leaves no room for a single token, even if it runs alone (S5)."""
        cache = self.manager.config
        most = self.runner.max_context_len
        num_tokens = request.num_prompt_tokens + 1
        if most is not None and num_tokens > most:
            limit = f"the model's context is {most} tokens"
        elif num_tokens - 1 > cache.num_blocks * cache.block_size:  # the last one needs no KV
            limit = f"the pool has {cache.num_blocks} blocks of {cache.block_size} tokens"
        else:
            return
        raise RequestTooLargeError(
            f"a prompt of {request.num_prompt_tokens} tokens leaves no room for an answer: {limit}"
        )

    def _check_sampler(self, sampler: Any) -> None:
        if not self.runner.takes(sampler):
            raise ArgumentError(
                f"{type(self.runner).__name__} cannot choose tokens by sampler {sampler!r}"
            )

    def _check_caller(self) -> None:
        # T2
        self._check_thread()
        if self._stepping:
            raise ReentryError("the engine is in the middle of a step: listeners may only listen")

    def _check_thread(self) -> None:
        # T3
        if threading.get_ident() != self._thread:
            raise ThreadError(
                f"thread {threading.current_thread().name!r} called an engine of another thread: "
                "pass requests to that thread through a queue"
            )
