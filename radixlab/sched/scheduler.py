"""Continuous batching: each step decides which tokens it computes.

    schedule   running requests get a slot for their last token ─► all get their share of the
               budget ─► waiting requests are admitted while there is budget and room
    update     computed blocks become matchable ─► new tokens are added ─► finished requests leave

Requests join and leave between any two steps (Orca, OSDI 2022), and a long prompt is computed in
pieces beside requests that generate (Sarathi-Serve, arXiv 2403.02310). Blocks are taken when they
are needed. When they run out, the youngest request is preempted: it gives up its blocks and runs
again later, on the part of its tokens that is still cached. The oldest request is never preempted
for another, so at least one request always makes progress.

This file knows the manager's public methods and counts of tokens. It does not know models, KV or
how tokens are chosen.
"""

from bisect import insort
from collections.abc import Collection
from dataclasses import dataclass, field
from operator import attrgetter

import numpy as np

from radixlab.cache.errors import OutOfBlocksError
from radixlab.cache.found import Found
from radixlab.cache.manager import KVCacheManager
from radixlab.cache.quarantine import quarantine
from radixlab.cache.work import Work
from radixlab.config import SchedulerConfig
from radixlab.sched.computing import Computing
from radixlab.sched.queue import WaitingQueue
from radixlab.sched.request import FinishReason, Request


@dataclass(slots=True)
class Batch:
    """The work of one step."""

    budget_tokens: int
    """Tokens that may still be added to the batch."""
    requests: list[Request] = field(default_factory=list)
    work: list[Work] = field(default_factory=list)
    """One piece of work per request."""
    admitted: list[Request] = field(default_factory=list)
    """Those of the requests that this step admitted."""
    ready: list[tuple[Request, int]] = field(default_factory=list)
    """Requests that get a token in this step, each with the row of its logits. Forks share their
    origin's row."""
    broken: list[Request] = field(default_factory=list)
    """Requests that end with "error", because of non-finite logits or a corrupt cached block. What
    was computed for them is not committed."""
    corrupt_blocks: list[int] = field(default_factory=list)
    """The blocks with non-finite KV that the broken requests read."""

    def add(self, request: Request) -> None:
        """Add as much of a running request's work as the budget allows (S7)."""
        assert request.sequence is not None
        start = request.num_computed
        num = min(request.num_left, self.budget_tokens)
        if num:
            self.requests.append(request)
            self.work.append(Work(request.sequence, start, start + num))
            self.budget_tokens -= num
        if num and start + num == request.tokens.num_tokens:
            self.ready += [(each, len(self.work) - 1) for each in (request, *request.forks)]

    def set_apart(self, broken: list[Request], corrupt_blocks: list[int]) -> None:
        """Mark the requests that end with "error": no token is chosen from their logits."""
        self.broken = broken
        self.corrupt_blocks = corrupt_blocks
        sound = [request not in broken for request in self.requests]
        self.ready = [(request, row) for request, row in self.ready if sound[row]]


class Scheduler:
    """The waiting and the running requests of one engine."""

    def __init__(self, manager: KVCacheManager, config: SchedulerConfig | None = None) -> None:
        self.manager = manager
        self.config = config or SchedulerConfig()
        self.waiting = WaitingQueue(manager.tree, self.config)
        self.running: list[Request] = []
        """In order of arrival, the oldest first."""
        self.num_preemptions = 0

    def schedule(self) -> Batch:
        """Decide what the next step computes; take blocks, but commit nothing."""
        self._give_slots()
        batch = Batch(self.config.max_batch_tokens)
        for request in sorted(self.running, key=lambda request: request.num_left > 1):
            batch.add(request)  # generating requests first, then partly computed prompts
        if self.waiting and self._has_room(batch):
            self._admit(batch)
        return batch

    def update(self, batch: Batch, tokens: list[int]) -> None:
        """Commit what was computed, and give each ready request the token chosen for it."""
        for request in batch.broken:
            self.end(request, "error")
        if batch.corrupt_blocks:
            quarantine(self.manager, batch.corrupt_blocks)  # no running request reads them now
        for request, work in zip(batch.requests, batch.work, strict=True):
            if not request.finish_reason:
                request.num_computed = work.end
                self.manager.commit(work.sequence, work.end)
        for request, row in batch.ready:
            if request.sequence is None:
                self._fork(batch.requests[row], request)
        for (request, _), token in zip(batch.ready, tokens, strict=True):
            request.take(token)
            if request.finish_reason:
                self._leave(request)

    def end(self, request: Request, reason: FinishReason) -> None:
        """End a request that waits or runs; its forks that have not begun now wait on their own.

        Rules: L8.
        """
        request.finish_reason = reason
        for fork in request.forks:
            fork.origin = None
            self.waiting.add(fork)
        if request.sequence:
            self._leave(request)
        elif request.origin:
            request.origin.forks.remove(request)
        else:
            self.waiting.remove(request)

    def readers(self, block_ids: list[int]) -> list[Request]:
        """List the running requests that have one of these blocks in their block tables."""
        wanted = np.array(block_ids, np.int32)
        tables = ((r, r.sequence.block_table) for r in self.running if r.sequence)
        return [request for request, table in tables if np.isin(table, wanted).any()]

    def start_over(self, requests: Collection[Request]) -> None:
        """Let all of these wait without blocks, whatever state a fault left them in."""
        self.running = []
        for request in requests:
            request.start_over()
        self.waiting.start_over(request for request in requests if not request.finish_reason)

    # ---- inside

    def _leave(self, request: Request) -> None:
        assert request.sequence is not None
        self.running.remove(request)
        if request.finish_reason in ("abort", "error"):
            self.manager.abort(request.sequence)
        else:
            self.manager.release(request.sequence)

    def _fork(self, origin: Request, request: Request) -> None:
        """Start another answer on the same blocks; the first to write copies the last block."""
        assert origin.sequence is not None
        request.admit_fork(self.manager.fork(origin.sequence))
        request.origin = None
        origin.forks.remove(request)
        insort(self.running, request, key=attrgetter("id"))

    def _give_slots(self) -> None:
        """Append each running request's last token; preempt the youngest when blocks run out.

        Rules: S5.
        """
        for request in list(self.running):
            while request.needs_slot:
                assert request.sequence is not None
                try:
                    last = np.array(request.output[-1:], np.int32)
                    self.manager.append(request.sequence, last)
                except OutOfBlocksError:
                    self._preempt(self.running[-1])

    def _preempt(self, request: Request) -> None:
        assert request.sequence is not None
        self.running.remove(request)
        self.manager.preempt(request.sequence)
        request.preempt()
        self.waiting.put_back(request)
        self.num_preemptions += 1

    def _admit(self, batch: Batch) -> None:
        """Admit requests in order until one does not fit: smaller ones must not overtake it.

        Rules: S2, S5.
        """
        computing = Computing(self.manager.config.block_size, self.running)
        for request, match in self.waiting.in_order():
            if not self._has_room(batch):
                break
            aged = self.waiting.is_aged(request)
            if not aged and computing.has_more(request, match.num_blocks):
                continue
            if not self._start(request, match):
                break
            computing.add(request)
            batch.add(request)
            batch.admitted.append(request)
        self.waiting.count_passes(batch.admitted)

    def _has_room(self, batch: Batch) -> bool:
        return batch.budget_tokens > 0 and len(self.running) < self.config.max_running

    def _start(self, request: Request, match: Found) -> bool:
        """Start a waiting request if it gets all of its blocks."""
        keep_blocks = self.config.watermark_blocks * len(self.running)
        try:
            sequence = self.manager.allocate(
                request.tokens,
                request.namespace,
                keep_blocks=keep_blocks,
                resumed=request.num_preemptions > 0,
                match=match,
            )
        except OutOfBlocksError:
            return False
        self.waiting.remove(request)
        request.admit(sequence)
        insort(self.running, request, key=attrgetter("id"))
        return True
