"""Pins: they hold, they end, they have a budget, and they never keep anybody out (E9)."""

import numpy as np
import pytest

from radixlab.cache import CacheConfig, CacheError, PinError
from radixlab.config import ConfigError
from tests.cache.helpers import Checked, cached, drawn, refused, run_request, start, text


def pinned_lab(num_blocks=6, budget=3):
    return Checked(num_blocks=num_blocks, pin_budget_blocks=budget)


def test_a_pinned_prefix_outlives_what_was_used_later():
    "E9"
    lab = cached(pinned_lab(), "ab", "c")
    lab.pin(text("ab"), ttl_ticks=100)
    run_request(lab, "wxyz")
    assert drawn(lab) == "ab|wxyz"


def test_a_pin_ends_by_itself():
    "E9: two ticks pass with each request"
    lab = cached(pinned_lab(), "ab")
    pin = lab.pin(text("ab"), ttl_ticks=2)
    run_request(lab, "c")
    assert pin.active
    run_request(lab, "d")
    assert not pin.active


def test_a_pin_can_be_taken_off_once():
    lab = cached(pinned_lab(), "ab")
    pin = lab.pin(text("ab"), ttl_ticks=100)
    lab.unpin(pin)
    with refused(PinError):
        lab.unpin(pin)
    assert lab.evict(2) == 2


def test_pins_have_a_budget_that_counts_each_block_once():
    "E9: a is in both pins, and counts once"
    lab = cached(pinned_lab(), "ab", "ac", "d")
    lab.pin(text("ab"), ttl_ticks=9)
    lab.pin(text("ac"), ttl_ticks=9)
    with refused(PinError, 1, 3, 4):
        lab.pin(text("d"), ttl_ticks=9)


def test_only_what_is_cached_can_be_pinned():
    lab = cached(pinned_lab(), "ab")
    with refused(PinError, 4):
        lab.pin(text("x"), ttl_ticks=9)
    assert lab.pin(text("abx"), ttl_ticks=9).num_blocks == 2


def test_pins_give_way_to_a_request_that_fits_alone():
    "E9: the pin that expires first goes first"
    lab = cached(pinned_lab(), "a", "b")
    late, soon = lab.pin(text("a"), ttl_ticks=90), lab.pin(text("b"), ttl_ticks=50)
    start(lab, "vwxyz")
    assert (late.active, soon.active) == (True, False)


def test_pins_stay_while_others_run():
    "The request in the way will end: wait for it, like everybody."
    lab = cached(pinned_lab(num_blocks=6), "a")
    pin, running = lab.pin(text("a"), ttl_ticks=90), start(lab, "xyz")
    with pytest.raises(Exception, match="3 blocks needed, 2 free and 0 evictable of 6"):
        lab.allocate(text("uvw"))
    assert pin.active
    lab.release(running)
    start(lab, "uvw")


def test_a_reset_drops_the_pins():
    lab = cached(pinned_lab(), "a")
    pin = lab.pin(text("a"), ttl_ticks=90)
    lab.reset()
    assert not pin.active
    assert lab.stats().num_free_blocks == 6


def test_a_pinned_leaf_is_split_and_stays_pinned():
    lab = cached(pinned_lab(), "abc")
    lab.pin(text("abc"), ttl_ticks=90)
    run_request(lab, "ax")
    lab.evict(6)
    assert drawn(lab) == "a(bc)"


def test_the_budget_must_leave_room():
    with pytest.raises(ConfigError, match=r"pin_budget_blocks is 4: .* num_blocks, which is 4"):
        CacheConfig(4, pin_budget_blocks=4)


def test_what_is_on_the_host_is_not_pinned():
    lab = Checked(num_blocks=4, num_host_blocks=8, pin_budget_blocks=3)
    for prompt in ("abc", "wxyz"):
        run_request(lab, prompt)
    with refused(PinError, 12):
        lab.pin(text("abc"), ttl_ticks=9)
    assert lab.pin(text("wxy"), ttl_ticks=9).num_blocks == 3


# ---- an expired pin is as good as none; a refused call leaves every pin where it is


def world(pin: str | None, running: bool, num_blocks: int = 6):
    """Two cached prompts, perhaps a running one; a pin that is live, expired, or not there."""
    lab = cached(pinned_lab(num_blocks), "ab")
    held = lab.pin(text("ab"), ttl_ticks=99 if pin == "live" else 2) if pin else None
    run_request(lab, "c")
    sequence = start(lab, "x.") if running == 1 else None
    return lab, held, sequence


CALLS = {
    **{f"evict {n}": lambda lab, seq, n=n: lab.evict(n) for n in (0, 1, 2, 3, 9)},
    **{
        f"allocate {n}, keep {keep}": lambda lab, seq, n=n, keep=keep: lab.allocate(
            text("uvwxyzt"[:n]), keep_blocks=keep
        ).block_table.tolist()
        for n in range(1, 8)
        for keep in (0, 1, 2)
    },
    **{
        f"append {n}": lambda lab, seq, n=n: [lab.append(seq, [7] * n), len(seq.block_table)]
        for n in (0, 1, 4, 8, 12, 16, 20)
    },
    "prepare_write": lambda lab, seq: lab.prepare_write(seq, 0, 5),
    "pin": lambda lab, seq: lab.pin(text("ab"), 9).num_blocks,
    "pin another": lambda lab, seq: lab.pin(text("c"), 9).num_blocks,
    "pin nothing": lambda lab, seq: lab.pin(text("q"), 9),
    "pin for no time": lambda lab, seq: lab.pin(text("c"), 0),
    "fork": lambda lab, seq: lab.fork(seq).block_table.tolist(),
    "commit": lambda lab, seq: lab.commit(seq, 5),
    "release": lambda lab, seq: lab.release(seq),
    "peek": lambda lab, seq: lab.peek(text("ab")).tolist(),
    "stats": lambda lab, seq: lab.stats(),
    "reset": lambda lab, seq: lab.reset(),
}
NEEDS_ONE = ("append", "prepare", "fork", "commit", "release")


def result(call, lab, sequence):
    try:
        return call(lab, sequence)
    except CacheError as error:
        return f"{type(error).__name__}: {error}"


EACH_CALL = pytest.mark.parametrize(
    ("name", "running"),
    [
        (name, running)
        for name in CALLS
        for running in (0, 1)
        if running or not name.startswith(NEEDS_ONE)
    ],
)


@EACH_CALL
def test_an_expired_pin_is_as_good_as_none(name, running):
    "E9: the same result, the same refusal with the same numbers, the same cache afterwards"
    results = []
    for pin in ("expired", None):
        lab, held, sequence = world(pin, running=False)
        assert held is None or (held.active and held.expires_tick == lab.tick)
        if running:
            sequence = _start_late(lab, held)
        results.append((result(CALLS[name], lab, sequence), drawn(lab), lab.stats()))
    assert results[0] == results[1]


def _start_late(lab, held):
    """Start a sequence without giving the expired pin an occasion to go."""
    if held is None:
        return start(lab, "x.")
    pins = lab.manager.pins
    ((_, number, pin),) = pins._by_expiry
    pins._by_expiry = [(lab.tick + 9, number, pin)]
    sequence = start(lab, "x.")
    pins._by_expiry = [(lab.tick, number, pin)]
    return sequence


@pytest.mark.parametrize("pin", ["live", "expired", None])
@EACH_CALL
def test_a_refused_call_changes_no_pin(name, running, pin):
    "`Checked` compares the snapshots; the pin itself is asked here"
    lab, held, sequence = world(pin, running)
    active = held and held.active
    if str(result(CALLS[name], lab, sequence)).partition(":")[0].endswith("Error"):
        assert (held and held.active) == active
    lab.verify()


def test_a_refused_pin_cuts_no_node():
    lab = cached(pinned_lab(num_blocks=9, budget=2), "ab", "cdef")
    lab.pin(text("ab"), ttl_ticks=9)
    with refused(PinError, 1, 2, 3):
        lab.pin(text("c"), ttl_ticks=9)
    assert drawn(lab) == "ab|cdef"


@pytest.mark.parametrize("keep", [0, 1, 2, 3])
def test_a_pin_keeps_nobody_out_who_would_fit_with_room_to_spare(keep):
    "E9: with nothing running, what fits without pins fits, with the blocks that it is to leave"
    lab = cached(pinned_lab(), "ab")
    lab.pin(text("ab"), ttl_ticks=99)
    sequence = lab.allocate(text("uvw"), keep_blocks=keep)
    assert len(sequence.block_table) == 3


def test_a_pin_keeps_a_lone_sequence_from_nothing():
    "E9: or it would be preempted and come back for ever"
    lab = cached(pinned_lab(), "ab")
    pin = lab.pin(text("ab"), ttl_ticks=99)
    sequence = start(lab, "uvw")
    lab.append(sequence, text("x"))
    assert pin.active
    lab.append(sequence, text("yz"))
    assert (len(sequence.block_table), pin.active) == (6, False)


def test_a_pin_of_elsewhere_or_taken_off_is_refused():
    here, there = cached(pinned_lab(), "ab"), cached(pinned_lab(), "ab")
    mine, theirs = here.pin(text("ab"), 9), there.pin(text("ab"), 9)
    for wrong in (theirs, None, 7, mine.receipt, np.array([1, 2])):
        with refused(PinError):
            here.unpin(wrong)
    assert mine.active and theirs.active
    run_request(here, "c")
    for _ in range(4):
        run_request(here, "c")
    with refused(PinError):
        here.unpin(mine)
