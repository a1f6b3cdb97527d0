"""Pins: they hold, they end, they have a budget, and they never keep anybody out (E9)."""

import pytest

from radixlab.cache import CacheConfig, PinError
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
