"""Faults on purpose: an exception raised at one call boundary inside `Engine.step`.

A boundary is the moment before a Python function that the step calls begins, or after it has
returned. `count_boundaries` counts them in an undisturbed life; `live` lives the same life again
with one or more faults, asks every oracle after each, and goes on stepping.
"""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import attrgetter

from radixlab.cache import PinError
from radixlab.sched import ORDERS
from tests.cache.helpers import ADAPTER, SALT
from tests.sched.helpers import Served

BLOCK = 2
EOS = 0
EVENTS = ("call", "return")


class Fault(RuntimeError):
    """Raised where nobody expects it."""


@dataclass
class Faults:
    """Raises at chosen boundaries, counted over all steps of a life."""

    at: frozenset[int] = frozenset()
    error: type[BaseException] = Fault
    events: tuple[str, ...] = EVENTS
    num_passed: int = 0
    raised: list[str] = field(default_factory=list)
    """Where: function and event."""

    @contextmanager
    def armed(self) -> Iterator[None]:
        """Watch the block's calls. (An exception of the watcher disarms it, so nothing nests.)"""

        def watch(frame, event, arg):
            if event not in self.events or frame is here:
                return
            number, self.num_passed = self.num_passed, self.num_passed + 1
            if number in self.at:
                self.raised.append(f"{frame.f_code.co_qualname} {event}")
                raise self.error(f"at boundary {number}")

        here = sys._getframe()
        sys.setprofile(watch)
        try:
            yield
        finally:
            sys.setprofile(None)


def drawn_engine(dice: random.Random) -> Served:
    """Build an engine over a small pool: preemption, host tier, partial reuse and pins are on."""
    num_blocks, max_running = dice.randint(5, 14), dice.randint(1, 5)
    return Served(
        num_blocks,
        block_size=BLOCK,
        vocab_size=4,
        eos_ids=[EOS],
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


def act(served: Served, dice: random.Random, asked: list, pins: list) -> None:
    """Do one thing that a caller may do between two steps."""
    what, which = dice.random(), dice.randrange(10)
    tokens = [dice.choice([1, 2]) for _ in range(dice.randint(1, 9))]
    namespace, ignore = dice.choice([None, None, SALT, ADAPTER]), dice.random() < 0.5
    max_tokens = dice.randint(1, 2 * served.manager.config.num_blocks - 9)
    if what < 0.6:
        more = {"namespace": namespace, "ignore_eos": ignore}
        asked.append(served.engine.add_request(tokens, max_tokens, **more))
    elif what < 0.8:
        live = served.engine.requests.values()
        if open := [r for r in live if not (r.output or r.origin)]:
            origin = open[which % len(open)]
            asked.append(served.engine.fork_request(origin, sampler=which % 4))
    elif what < 0.9:
        served.manager.evict(which % 3)
    elif served.manager.config.pin_budget_blocks:
        try:
            pins.append(served.manager.pin(tokens, ttl_ticks=9, namespace=namespace))
        except PinError:
            pass


def live(seed: int, faults: Faults, num_actions: int = 6) -> None:
    """Live a life with faults; raise what an oracle says, or for a wrong token or a leftover."""
    dice = random.Random(seed)
    served, asked, pins = drawn_engine(dice), [], []
    for turn in range(400):
        if turn < num_actions:
            act(served, dice, asked, pins)
        elif not (served.engine.has_work or served.manager.transfers):
            break
        num_raised = len(faults.raised)
        try:
            with faults.armed():
                served.engine.step()
        except BaseException:  # it may have been wrapped
            if len(faults.raised) == num_raised:
                raise
        served.verify()
    else:
        raise AssertionError(f"not served after {turn} steps: {served.engine.requests}")
    for request in asked:
        assert request.output == served.answer(request), f"{request} has a wrong token"
        assert request.finish_reason in ("stop", "length"), request
    for pin in filter(attrgetter("active"), pins):
        served.manager.unpin(pin)
    served.verify_idle()


def count_boundaries(seed: int, events: tuple[str, ...] = EVENTS) -> int:
    """Count the boundaries of a life without faults."""
    faults = Faults(events=events)
    live(seed, faults)
    return faults.num_passed
