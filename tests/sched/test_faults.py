"""A step that fails, wherever it does, can be continued: no wrong token, nothing left behind."""

import random
import signal
import sys

import pytest

from radixlab.build import is_compiled
from radixlab.cache import CacheError, PinError, SequenceError, check
from radixlab.model.counting import CountingRunner
from radixlab.observe import snapshot
from radixlab.sched import ORDERS, OrderError, ReentryError
from tests.cache.helpers import refused, text
from tests.sched.faults import PYTHON, WITH_C, Fault, Faults, count_boundaries, live
from tests.sched.helpers import Served


def try_faults(seeds, num_runs: int, num_faults: int, events=PYTHON, error=None) -> None:
    """Live each life several times, and draw new boundaries for the faults each time."""
    for seed in seeds:
        dice, num_boundaries = random.Random(seed), count_boundaries(seed, events)
        for _ in range(num_runs):
            at = frozenset(dice.randrange(num_boundaries) for _ in range(num_faults))
            faults = Faults(
                at, error or dice.choice([Fault, KeyboardInterrupt, MemoryError]), events
            )
            try:
                live(seed, faults)
            except BaseException as problem:
                where = f"life {seed}, boundaries {sorted(at)}: {faults.raised}"
                raise AssertionError(where) from problem


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_an_exception_at_any_call_boundary_costs_no_token_and_leaves_nothing_behind(first):
    "240 runs; no rule is named, or each mutant of it would be tried with all of them"
    try_faults(range(first, first + 10), num_runs=6, num_faults=1)


def test_nor_do_exceptions_between_any_two_lines_or_more_than_one():
    "60 runs"
    try_faults(range(100, 120), num_runs=3, num_faults=3, events=WITH_C)


@pytest.mark.soak
@pytest.mark.parametrize("first", range(0, 500, 50))
def test_five_thousand_faults(first):
    try_faults(range(first, first + 50), num_runs=10, num_faults=1)


@pytest.mark.soak
@pytest.mark.parametrize("first", range(1000, 1500, 50))
def test_five_thousand_times_three_faults(first):
    try_faults(range(first, first + 50), num_runs=10, num_faults=3, events=WITH_C)


# ---- Ctrl-C


def test_ctrl_c_waits_for_the_end_of_the_step_whoever_calls_it():
    "And comes then, once; nothing is torn, so the cache stays"
    for seed in range(8):
        dice, num_boundaries = random.Random(seed), count_boundaries(seed)
        for _ in range(4):
            faults = Faults(frozenset([dice.randrange(num_boundaries)]), error=None)
            life = live(seed, faults)
            assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
            assert life.served.num_restarts == 0, faults.raised


def test_ctrl_c_raises_from_the_step_and_the_next_one_tells_its_tokens(monkeypatch):
    served = Served()
    request = served.ask("ab.", max_tokens=2)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        forward = served.runner.forward
        patch.setattr(
            served.runner, "forward", lambda work: (signal.raise_signal(2), forward(work))[1]
        )
        served.engine.step()
    served.verify()
    assert request.output == served.answer(request)[:1]
    assert [new.token_id for new in served.step()] == served.answer(request)


@pytest.mark.parametrize("function", ["Interrupts.hold", "Interrupts.release"])
@pytest.mark.parametrize("event", PYTHON)
def test_ctrl_c_is_never_swallowed_not_even_by_a_fault_in_its_own_handling(function, event):
    served = Served()
    served.ask("ab.", max_tokens=3)

    def watch(frame, what, arg):
        if (frame.f_code.co_qualname, what) == (function, event):
            raise Fault

    sys.setprofile(watch)
    with pytest.raises(Fault):
        served.engine.step()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    served.run()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


# ---- transfers


class Stumbling(CountingRunner):
    """Fails at the n-th single transfer, before or after its bytes have moved."""

    def __init__(self, config, fails_at: int, after: bool):
        super().__init__(config)
        self.ran, self.fails_at, self.after, self.num_tried = [], fails_at, after, 0

    def transfer(self, transfers):
        for transfer in transfers:
            self.num_tried += 1
            fails = self.num_tried == self.fails_at
            if fails and not self.after:
                raise Fault
            super().transfer([transfer])
            self.ran.append(transfer)
            if fails:
                raise Fault


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("fails_at", range(1, 7))
def test_the_transfers_after_a_failed_one_are_done_once(fails_at, after):
    "H1: block X is the source of a write-back, then the destination of a load-back"
    served = Served(6, num_host_blocks=20)
    served.engine.runner = served.runner = Stumbling(served.manager.config, 0, after)
    served.serve("abcd", "wxyz")
    served.runner.fails_at = served.runner.num_tried + fails_at
    request = served.ask("abcd.", max_tokens=6)
    for _ in range(30):
        try:
            served.engine.step()
        except Fault:
            served.verify()
    served.verify()
    assert served.runner.num_tried > served.runner.fails_at
    assert request.output == served.answer(request)
    assert served.num_restarts == 0
    again = [t for t in served.runner.ran if served.runner.ran.count(t) > 1]
    assert len(again) <= 2 * after  # the one that failed after its bytes had moved
    served.verify_idle()


def test_blocks_written_back_between_steps_are_work():
    "L11: nobody runs, so the next step completes them, or a reset does"
    served = Served(8, num_host_blocks=8)
    served.serve("abc")
    served.manager.evict(2)
    assert served.engine.has_work
    served.step()
    assert not served.engine.has_work
    served.manager.evict(1)
    served.engine.reset()
    assert not served.engine.has_work
    served.verify_idle()


def test_a_reset_that_fails_anywhere_can_be_followed_by_anything():
    "Each of its call boundaries"
    at, faults = 0, Faults()
    while at == 0 or faults.raised:
        served, faults = Served(8, num_host_blocks=4), Faults(frozenset([at]))
        served.serve("abc", "abz")
        served.manager.evict(3)
        faults.call(served.engine.reset)
        served.verify()
        served.serve("abc", "xyz")
        served.engine.reset()
        served.verify_idle()
        at += 1
    assert at > (30 if is_compiled() else 100)  # compiled code has fewer boundaries to see


def test_a_reset_that_is_refused_costs_nothing():
    served = Served()
    request = served.ask("ab.", max_tokens=4)
    served.step()
    with refused(CacheError, "1 sequence runs"):
        served.engine.reset()
    served.run()
    assert served.num_restarts == 0
    assert request.output == served.answer(request)


# ---- what it costs


@pytest.mark.parametrize("method", ["transfer", "forward", "broken", "choose"])
def test_a_fault_of_the_runner_costs_no_cached_block(method, monkeypatch):
    served = Served(6, num_host_blocks=20)
    served.serve("abcd", "wxyz")
    request = served.ask("abcd.", max_tokens=4)
    with monkeypatch.context() as patch, pytest.raises(Fault):

        def fail(*given):
            raise Fault

        patch.setattr(served.runner, method, fail)
        served.engine.step()
    served.run()
    assert served.num_restarts == 0
    assert (request.output, request.num_cached_tokens) == (served.answer(request), 16)


def test_a_listener_that_raises_costs_the_cache_and_no_answer():
    served = Served()
    served.serve("ab")
    asked, deaf = [served.ask("ab.", max_tokens=5), served.ask("xy")], served.manager.emit

    def listener(event):
        raise Fault

    served.manager.emit = listener
    for _ in range(5):  # it raises at the restart too: then the next call goes on with that
        with pytest.raises(Fault):
            served.engine.step()
    served.manager.emit = deaf
    served.run()
    assert [request.output for request in asked] == [served.answer(r) for r in asked]
    served.verify_idle()


def test_handles_of_before_a_restart_are_dead():
    served = Served(pin_budget_blocks=4)
    served.serve("ab")
    pin, request = served.manager.pin(text("ab"), ttl_ticks=99), served.ask("ab..", max_tokens=5)
    served.step()
    sequence = request.sequence
    served.manager.emit, emit = lambda event: 1 / 0, served.manager.emit
    with pytest.raises(ZeroDivisionError):
        served.engine.step()
    served.manager.emit = emit
    served.step()
    assert not pin.active
    with refused(PinError, "not active"):
        served.manager.unpin(pin)
    with refused(SequenceError, "released before"):
        served.manager.release(sequence)
    check(served.manager)


def test_an_order_that_raises_is_named_and_costs_nothing(monkeypatch):
    monkeypatch.setitem(ORDERS, "broken", lambda waiting: waiting[0].no_such_thing)
    served = Served(order="broken")
    served.ask("ab")
    with refused(OrderError, "'broken'", "AttributeError"):
        served.step()
    served.verify()
    assert served.num_restarts == 0


def test_a_listener_cannot_change_the_engine_in_mid_step():
    served = Served()
    served.ask("ab")
    served.manager.emit = lambda event: served.engine.add_request([1])
    with refused(ReentryError, "listeners"):
        served.engine.step()


def test_the_fold_and_the_engine_agree_after_a_restart():
    faults = Faults(frozenset([count_boundaries(3) // 2]))
    life = live(3, faults)
    assert life.served.state == snapshot(life.served.manager)
