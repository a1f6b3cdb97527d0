"""A cached block whose KV is not finite harms those who read it now, and nobody after them."""

import itertools

import numpy as np
import pytest

from radixlab.cache import LockError, as_tokens
from radixlab.cache.quarantine import quarantine
from radixlab.model.counting import NOT_FINITE
from tests.cache.helpers import Checked, cached, drawn, refused, start, text
from tests.sched.helpers import Served

PLACES = {"root": 0, "middle": 1, "leaf": 2}


def spoil(served: Served, drawing: str, index: int, *, slot: int = 0) -> None:
    """Let one slot of the cached block `index` of a prompt be NaN, on whichever tier it is."""
    manager, store = served.manager, served.runner.canary.store
    found = manager.tree.find(as_tokens(text(drawing)), len(drawing))
    on_device = found.on_device().num_blocks > index
    data = store.data if on_device else store.host
    data["position"][found.block_ids[index], slot] = NOT_FINITE


def serve_right(served: Served, drawing: str, num_cached: int) -> None:
    """Ask once more, and see that the answer is right and what of the prompt was cached."""
    request = served.ask(drawing, max_tokens=3)
    served.run()
    assert (request.output, request.finish_reason) == (served.answer(request), "length")
    assert request.num_cached_tokens == num_cached


CASES = list(itertools.product(PLACES, range(4), ["device", "host"], [1, 2]))


@pytest.mark.parametrize(("place", "slot", "tier", "num_readers"), CASES)
def test_readers_end_by_error_and_the_next_request_computes_it_again(
    place, slot, tier, num_readers
):
    "48 variants: where the block is, which slot, on which tier, read by how many at once"
    served = Served(16, num_host_blocks=16)
    served.serve("abc", "abz", "xyz")
    good = served.ask("xyz.", max_tokens=9)
    served.step()
    if tier == "host":
        served.manager.evict(16)
        served.step()
    spoil(served, "abc", PLACES[place], slot=slot)
    bad = [served.ask("abc" + "." * num, max_tokens=9) for num in range(1, num_readers + 1)]
    new = served.step()
    assert [r.finish_reason for r in bad] == ["error"] * num_readers
    assert {(n.request_id, n.token_id) for n in new if n.finish_reason} == {
        (r.id, None) for r in bad
    }
    assert served.manager.stats().quarantined_blocks == served.state.quarantined_blocks == 1
    served.run()
    assert good.output == served.answer(good)
    serve_right(served, "abc.", 4 * PLACES[place])
    serve_right(served, "abz.", 12 if place == "leaf" else 8)  # "ab" was computed just now
    serve_right(served, "xyz.", 12)
    served.verify_idle()


@pytest.mark.parametrize("place", PLACES)
def test_running_forks_over_the_block_end_too_and_those_that_wait_are_served(place):
    served = Served(24, max_running=8)
    served.serve("abc")
    first = served.ask("abc.", max_tokens=9)
    forks = [served.engine.fork_request(first, sampler=n) for n in (1, 2)]
    served.step(2)
    good = served.ask("xy.", max_tokens=5)
    spoil(served, "abc", PLACES[place])
    served.step()
    assert [r.finish_reason for r in (first, *forks)] == ["error"] * 3
    served.run()
    assert good.output == served.answer(good)
    serve_right(served, "abc.", 4 * PLACES[place])
    served.verify_idle()


def test_whoever_runs_over_the_block_but_is_not_in_the_step_ends_too():
    served = Served(24, max_running=2, max_batch_tokens=2)
    served.serve("ab")
    first = served.ask("ab.", max_tokens=9)
    three = [first, *(served.engine.fork_request(first) for _ in range(2))]  # a budget for two
    served.step(2)
    spoil(served, "ab", 0)
    new = served.step()
    assert [r.finish_reason for r in three] == ["error"] * 3
    assert sorted(n.request_id for n in new) == [r.id for r in three]
    served.verify_idle()


def test_a_fork_that_has_not_begun_computes_the_prompt_itself():
    served = Served(24)
    served.serve("ab")
    spoil(served, "ab", 1)
    first = served.ask("ab.", max_tokens=3)
    fork = served.engine.fork_request(first, sampler=1)
    served.run()
    assert (first.finish_reason, fork.finish_reason) == ("error", "length")
    assert fork.output == served.answer(fork)
    served.verify_idle()


def test_the_source_of_a_partial_copy_is_found():
    "What the request reads is its own copy; the cached block is what it was copied from"
    served = Served(16, partial_reuse_tokens=1)
    prompt = [*text("a"), 1, 2, 3, 4, 5]
    served.ask(prompt)
    served.run()
    source = served.manager.peek(prompt)[1]
    served.runner.canary.store.data["position"][source, 0] = NOT_FINITE
    other = [*text("a"), 1, 2, 9, 9, 9]
    bad = served.ask(other)
    served.run()
    assert bad.finish_reason == "error"
    for tokens in (other, prompt):
        good = served.ask(tokens)
        served.run()
        assert good.output == served.answer(good)
    served.verify_idle()


def test_a_partial_last_block_is_never_registered():
    served = Served(16)
    first = served.ask("ab..", max_tokens=9)
    served.step()
    block = int(first.sequence.block_table[2])
    served.runner.canary.store.data["position"][block, 1] = NOT_FINITE
    served.step()
    assert first.finish_reason == "error"
    assert served.manager.stats().quarantined_blocks == 0
    serve_right(served, "ab..", 8)
    served.verify_idle()


def test_a_pin_does_not_keep_a_corrupt_block():
    served = Served(16, pin_budget_blocks=4)
    served.serve("abc", "xyz")
    pin, other = (served.manager.pin(text(p), ttl_ticks=99) for p in ("abc", "x"))
    spoil(served, "abc", 1)
    bad = served.ask("abc.")
    served.run()
    assert (bad.finish_reason, pin.active, other.active) == ("error", False, True)
    serve_right(served, "abc.", 4)
    served.manager.unpin(other)
    served.verify_idle()


def test_logits_that_are_broken_over_sound_blocks_cost_no_block(monkeypatch):
    served = Served(16)
    served.serve("ab")
    with monkeypatch.context() as patch:
        patch.setattr(served.runner, "broken", lambda logits: [0])
        bad = served.ask("ab.")
        served.run()
    assert (bad.finish_reason, drawn(served.manager)) == ("error", "ab")
    served.verify_idle()


# ---- the manager's part


@pytest.mark.parametrize("config", [{}, {"num_host_blocks": 16}, {"explain": True}])
def test_what_is_below_goes_from_both_tiers_and_what_is_above_stays(config):
    lab = cached(Checked(**config), "abcd", "abxy", "pq")
    if "num_host_blocks" in config:
        lab.evict(3)
        lab.complete(lab.transfers)
    block = lab.peek(text("ab"))[1]
    assert quarantine(lab.manager, [int(block)]) == 1
    lab.verify()
    assert drawn(lab).replace("[", "").replace("]", "") == "a|pq"
    assert quarantine(lab.manager, [int(block)]) == 0
    if config.get("explain"):
        assert lab.allocate(text("abcd.")).miss_reason == "evicted"


def test_a_block_in_use_is_refused_and_nothing_is_taken_out():
    lab = cached(Checked(), "abcd")
    sequence = start(lab, "ab.")
    with refused(LockError, f"sequence {sequence.id}"):
        quarantine(lab.manager, [int(sequence.block_table[0])])
    lab.verify()
    assert quarantine(lab.manager, np.array(lab.peek(text("abcd"))[2:]).tolist()) == 2
    lab.verify()
    assert (drawn(lab), lab.stats().quarantined_blocks) == ("ab", 2)


def test_a_block_that_is_not_cached_is_left_alone():
    lab = cached(Checked(), "ab")
    assert quarantine(lab.manager, [5, 7]) == 0
    assert drawn(lab) == "ab"
