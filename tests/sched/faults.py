"""Faults on purpose: an exception raised at one call boundary inside the engine.

A boundary is the moment before a function that a step calls begins, or after it has returned.
`count_boundaries` counts them in an undisturbed life of an engine; `live` lives the same life again
with one or more faults, asks every oracle after each, and goes on stepping.
"""

import random
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from operator import attrgetter

from radixlab.cache import POLICIES, PinError
from radixlab.sched import ORDERS
from tests.cache.helpers import ADAPTER, SALT
from tests.sched.helpers import Served

BLOCK = 2
EOS = 0
PYTHON = ("call", "return")
WITH_C = (*PYTHON, "c_call", "c_return")
"""Functions in C, too: the boundaries between two lines of Python."""
NUM_ACTIONS = 6
MOST_STEPS = 400


class Fault(RuntimeError):
    """Raised where nobody expects it."""


@dataclass
class Faults:
    """Raises at chosen boundaries, counted over the whole of a life."""

    at: frozenset[int] = frozenset()
    error: type[BaseException] | None = Fault
    """None for SIGINT, as Ctrl-C sends it."""
    events: tuple[str, ...] = PYTHON
    num_passed: int = 0
    raised: list[str] = field(default_factory=list)
    """Where: function and event."""

    def call(self, function, *given, **more):
        """Call with the watcher on; return None if a fault, bare or wrapped, came out."""

        def watch(frame, event, arg):
            if event not in self.events or frame is here:
                return
            number, self.num_passed = self.num_passed, self.num_passed + 1
            if number in self.at:
                self.raised.append(f"{frame.f_code.co_qualname} {event}")
                if self.error is None:
                    signal.raise_signal(signal.SIGINT)
                else:
                    raise self.error(f"at boundary {number}")  # Python takes the watcher off then

        here, num_raised = sys._getframe(), len(self.raised)
        sys.setprofile(watch)
        try:
            return function(*given, **more)
        except BaseException:
            if len(self.raised) == num_raised:
                raise
        finally:
            sys.setprofile(None)


class Life:
    """An engine over a small pool, and a caller who does a few things and then waits.

    Preemption, forks, aborts, a host tier, partial reuse, pins and all policies occur.
    """

    def __init__(self, seed: int, faults: Faults) -> None:
        self.dice, self.faults = random.Random(seed), faults
        self.served, self.asked, self.pins = self._engine(), [], []
        self.aborted: set[int] = set()
        self.told: dict[int, list[int]] = {}

    def _engine(self) -> Served:
        dice, max_running = self.dice, self.dice.randint(1, 5)
        return Served(
            dice.randint(5, 14),
            block_size=BLOCK,
            vocab_size=4,
            eos_ids=[EOS],
            policy=POLICIES[dice.choice(list(POLICIES))](),
            num_host_blocks=dice.choice([0, 3, 40]),
            partial_reuse_tokens=dice.choice([0, 1]),
            pin_budget_blocks=dice.choice([0, 2]),
            order=dice.choice(list(ORDERS)),
            max_running=max_running,
            max_batch_tokens=max_running + dice.randint(0, 6),
            watermark_blocks=dice.randint(0, 1),
            max_passes=dice.randint(1, 6),
            max_lookups=dice.randint(1, 6),
        )

    def act(self) -> None:
        """Do one thing that a caller may do between two steps."""
        call = self.faults.call
        dice, engine, manager = self.dice, self.served.engine, self.served.manager
        what, which = dice.random(), dice.randrange(10)
        tokens = [dice.choice([1, 2]) for _ in range(dice.randint(1, 9))]
        namespace, ignore_eos = dice.choice([None, None, SALT, ADAPTER]), dice.random() < 0.5
        max_tokens = dice.randint(1, 12)
        if what < 0.6:
            more = {"namespace": namespace, "ignore_eos": ignore_eos}
            self.asked += filter(None, [call(engine.add_request, tokens, max_tokens, **more)])
        elif what < 0.8:
            if open := [r for r in engine.requests.values() if not (r.output or r.origin)]:
                origin = open[which % len(open)]
                self.asked += filter(None, [call(engine.fork_request, origin, which % 4)])
        elif what < 0.85 and engine.requests:
            request = list(engine.requests.values())[which % len(engine.requests)]
            self.aborted.add(request.id)
            call(engine.abort, request.id)
        elif what < 0.92:
            manager.evict(which % 3)
        elif manager.config.pin_budget_blocks:
            with suppress(PinError):
                self.pins.append(manager.pin(tokens, ttl_ticks=9, namespace=namespace))

    def step(self) -> None:
        """Step, with what faults there may be, and ask every oracle."""
        for new in self.faults.call(self.served.engine.step) or ():
            self.told.setdefault(new.request_id, []).append(new.token_id)
        self.served.verify()

    def run(self) -> None:
        """Live to the end; raise what an oracle says, or for a wrong token or a leftover."""
        for turn in range(MOST_STEPS):
            if turn < NUM_ACTIONS:
                self.act()
            elif not self.served.engine.has_work:
                break
            self.step()
        else:
            raise AssertionError(f"not served after {turn} steps: {self.served.engine.requests}")
        for request in self.asked:
            self._check(request)
        for pin in filter(attrgetter("active"), self.pins):
            self.served.manager.unpin(pin)
        self.served.verify_idle()

    def _check(self, request) -> None:
        answer = self.served.answer(request)
        if request.id in self.aborted and request.finish_reason == "abort":
            assert request.output == answer[: len(request.output)]
            return
        assert request.output == answer, f"{request} has a wrong token"
        assert request.finish_reason == ("stop" if answer[-1] in request.eos_ids else "length")
        if "Engine.step return" not in self.faults.raised:  # there, what it returned is lost
            assert self.told[request.id] == answer


def live(seed: int, faults: Faults) -> Life:
    """Live a life with faults."""
    life = Life(seed, faults)
    life.run()
    return life


def count_boundaries(seed: int, events: tuple[str, ...] = PYTHON) -> int:
    """Count the boundaries of a life without faults."""
    faults = Faults(events=events)
    live(seed, faults)
    return faults.num_passed
