"""A rule in a thread of its own, so that a slow or broken rule never stops the router.

    router's loop ── ask, with a time limit ──► ┌ the thread ┐
    KV events, ends of requests ── tell ──────► │ rule, fleet│   one after the other
                                                └────────────┘

Only that thread touches the rule and its fleet. When the rule does not answer in time, it is not
asked for a while. What it is told meanwhile is kept. If that is too much, events of caches are
dropped, and the rule forgets all, so that it never acts on knowledge with a hole in it; then it is
told again what the caches hold.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from radixlab.route import Prompt, ReplicaId, Rule

LIMIT_S = 0.25
"""Seconds that a rule has for one choice."""
REST_S = 5.0
"""Seconds for which a rule is not asked after a choice that took too long."""
MOST_WAITING = 10_000
"""Notes that wait for the thread, above which events of caches are dropped."""
logger = logging.getLogger(__name__)


class SlowRuleError(Exception):
    """The rule did not answer in time."""


class RestingRuleError(Exception):
    """The rule was slow a moment ago, and is not asked now."""


@dataclass(slots=True)
class Choice:
    """Where a rule sends a prompt."""

    prompt: Prompt
    replica: ReplicaId
    num_owed: int = 0
    """Tokens that the replica has to compute for it, as the fleet counts them."""


@dataclass(slots=True)
class _Asked:
    """One question to the rule."""

    prompt: Callable[[], Prompt]
    choice: Choice | None = None
    is_over: bool = False
    """Whether nobody waits for it any more."""


class Desk:
    """Asks a rule, and tells it what happened, in order."""

    def __init__(self, rule: Rule, limit_s: float = LIMIT_S, rest_s: float = REST_S) -> None:
        self.num_faults = 0
        """Notes at which the rule raised an exception."""
        self.on_lost: list[Callable[[], object]] = []
        """Called in the thread when events were dropped and the rule has forgotten all."""
        self._rule = rule
        self._limit_s, self._rest_s = limit_s, rest_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="router-rule")
        self._resting_until = 0.0
        self._lock = threading.Lock()
        self._num_waiting = 0
        self._has_lost = False

    async def ask(self, prompt: Callable[[], Prompt]) -> Choice:
        """Return the rule's choice; the fleet then counts the request for that replica.

        `prompt` is called in the thread too, because it names every block. Raises what the rule
        raises, `SlowRuleError`, or `RestingRuleError`.
        """
        if time.monotonic() < self._resting_until:
            raise RestingRuleError
        asked = _Asked(prompt)
        answer = asyncio.get_running_loop().run_in_executor(self._thread, self._choose, asked)
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(answer, self._limit_s)
        except asyncio.CancelledError:  # the client has left
            if choice := self._closed(asked):
                self._take_back(choice)
            raise
        choice = self._closed(asked)
        if choice is None:
            self._resting_until = time.monotonic() + self._rest_s
            raise SlowRuleError
        return choice

    def _closed(self, asked: "_Asked") -> Choice | None:
        """Wait for an answer no longer; return the choice if the rule has made it."""
        with self._lock:
            asked.is_over = True
            return asked.choice

    def _take_back(self, choice: Choice) -> None:
        """Have the fleet count a request no longer."""
        self.tell(lambda rule: rule.fleet.finish(choice.replica, choice.num_owed))

    def tell(self, note: Callable[[Rule], object], *, is_event: bool = False) -> None:
        """Have the thread call a function with the rule; may be called in any thread.

        Events of a cache are dropped if too much waits, because a cache can change without end.
        """
        with self._lock:
            if is_event and self._num_waiting >= MOST_WAITING:
                self._has_lost = True
                return
            self._num_waiting += 1
        with suppress(RuntimeError):  # the interpreter ends
            self._thread.submit(self._take, note)

    def close(self) -> None:
        """End the thread after what it does now."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    # ---- the thread

    def _choose(self, asked: "_Asked") -> None:
        if asked.is_over:  # it waited too long
            return
        prompt = asked.prompt()
        if self._has_lost:
            self._forget_all()
        chosen = self._rule.choose(prompt)
        with self._lock:
            if asked.is_over:
                return
            asked.choice = Choice(prompt, chosen)
        if chosen in self._rule.fleet:
            asked.choice.num_owed = self._rule.num_to_compute(prompt, chosen)
            self._rule.fleet.start(chosen, asked.choice.num_owed)

    def _take(self, note: Callable[[Rule], object]) -> None:
        try:
            note(self._rule)
        except Exception:
            self._note_fault()
        with self._lock:
            self._num_waiting -= 1
            must_forget = self._has_lost and not self._num_waiting
            self._has_lost &= not must_forget
        if must_forget:
            self._forget_all()
            for function in list(self.on_lost):
                function()

    def _forget_all(self) -> None:
        for replica in list(self._rule.fleet):
            try:
                self._rule.forget(replica)
            except Exception:
                self._note_fault()

    def _note_fault(self) -> None:
        self.num_faults += 1
        logger.warning("The router's rule raised at a note.", exc_info=True)
