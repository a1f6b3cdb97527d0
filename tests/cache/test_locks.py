"""Locks and lifetime: what is in use stays, what is not can go, and nothing is given back twice."""

import numpy as np
import pytest

from radixlab.cache import LockError, OutOfBlocksError, SequenceError
from radixlab.events import BlockRemoved, BlocksAllocated, NodeLocked
from tests.cache.helpers import (
    Checked,
    cached,
    drawn,
    grow,
    node,
    refused,
    run_request,
    start,
    text,
)


def test_a_running_sequence_locks_its_prefix_and_nothing_else():
    "L1"
    lab = cached(Checked(), "abc", "abd", "x")
    start(lab, "abc.")
    assert drawn(lab, locks=True) == "ab1(c1|d0)|x0"


def test_two_sequences_lock_their_common_prefix_twice():
    "L1 L2"
    lab = Checked()
    first, second = start(lab, "abc."), start(lab, "abd.")
    assert drawn(lab, locks=True) == "ab2(c1|d1)"
    lab.release(first)
    assert drawn(lab, locks=True) == "ab1(c0|d1)"
    lab.release(second)
    assert drawn(lab, locks=True) == "ab0(c0|d0)"


@pytest.mark.parametrize("first", ["release", "abort", "preempt"])
@pytest.mark.parametrize("second", ["release", "abort", "preempt"])
def test_a_sequence_ends_once(first, second):
    "L2 L8 (mini-sglang 111: abort while finishing)"
    lab = Checked()
    sequence, other = start(lab, "ab."), start(lab, "ab.")
    getattr(lab, first)(sequence)
    with refused(SequenceError, sequence.id):
        getattr(lab, second)(sequence)
    assert drawn(lab, locks=True) == "ab1"
    lab.release(other)


STATES = {
    "admitted": lambda lab, sequence: None,
    "written": lambda lab, sequence: lab.write(sequence),
    "chunked": lambda lab, sequence: (lab.write(sequence), lab.commit(sequence, 12)),
    "running": lambda lab, sequence: (lab.write(sequence), lab.commit(sequence, 17)),
    "forked": lambda lab, sequence: (lab.write(sequence), lab.fork(sequence)),
    "copying": lambda lab, sequence: lab.append(lab.fork(sequence), [1]),
}


@pytest.mark.parametrize("bring", STATES.values(), ids=STATES)
@pytest.mark.parametrize("end", ["release", "abort", "preempt"])
def test_an_end_frees_each_block_once_in_every_state(bring, end):
    "L8 (SGLang 38981: abort during prefill)"
    lab = cached(Checked(), "ab")
    sequence = lab.allocate(text("abcd."))
    copies = bring(lab, sequence)
    getattr(lab, end)(sequence)
    for child in list(lab.sequences.values()):
        getattr(lab, end)(child)
    lab.complete(copies if isinstance(copies, list) else [])
    lab.evict(99)
    assert lab.stats().num_free_blocks == 16


def test_evictable_is_the_sum_of_the_unlocked():
    "L3 (mllm 656): lock, split, unlock"
    lab = cached(Checked(), "abcd", "x")
    counts = [lab.stats().num_evictable_blocks]
    first = lab.allocate(text("abcd."))
    counts.append(lab.stats().num_evictable_blocks)
    second = lab.allocate(text("ab."))
    counts.append(lab.stats().num_evictable_blocks)
    for sequence in (first, second):
        lab.release(sequence)
        counts.append(lab.stats().num_evictable_blocks)
    assert counts == [5, 1, 1, 3, 5]


def test_a_pool_that_is_locked_evicts_nothing_and_says_so():
    "L4"
    lab = Checked(num_blocks=4)
    start(lab, "abcd")
    assert lab.evict(4) == 0
    with refused(OutOfBlocksError, 1, 0, 4):
        lab.allocate(text("."))


def test_a_locked_leafs_ancestors_are_not_evicted():
    "L4"
    lab = cached(Checked(), "abc", "a.", "ab.")
    start(lab, "abc.")
    assert lab.evict(99) == 0
    assert drawn(lab, locks=True) == "a1(b1(c1))"


def test_a_request_cannot_evict_its_own_hit():
    "L5 (vLLM 10507): hit blocks are locked before new ones are taken"
    lab = cached(Checked(num_blocks=6), "ab", "xyz")
    sequence = start(lab, "abcdef")
    assert sequence.hit_tokens == 8
    assert drawn(lab) == "abcdef"


def test_the_lock_comes_before_the_eviction():
    "L5"
    lab = cached(Checked(num_blocks=4), "ab", "xy")
    before = len(lab.events)
    lab.allocate(text("abc"))
    kinds = (NodeLocked, BlockRemoved, BlocksAllocated)
    order = [type(event) for event in lab.events[before:] if isinstance(event, kinds)]
    assert order == [NodeLocked, BlockRemoved, BlocksAllocated]


def test_blocks_about_to_be_locked_do_not_count_as_evictable():
    "L6 (vLLM PR 11565): needs 4 more, 2 free + 3 evictable, of which 2 are the hit"
    lab = cached(Checked(num_blocks=6), "ab", "x")
    running = start(lab, "y")
    assert lab.stats().num_free_blocks == 2
    with refused(OutOfBlocksError, 4, 2, 1):
        lab.allocate(text("abcdef"))
    assert drawn(lab, locks=True) == "ab0|x0|y1"
    lab.release(running)
    assert lab.allocate(text("abcdef")).hit_tokens == 8


def test_a_partly_matched_node_counts_as_evictable_below_the_match():
    "L6: of a node of 4 blocks, 1 is the hit and 3 may go"
    lab = cached(Checked(num_blocks=4), "abcd")
    assert lab.allocate(text("axyz")).hit_tokens == 4
    assert drawn(lab) == "a"


def test_a_hit_that_is_locked_already_is_not_discounted_twice():
    "L6"
    lab = cached(Checked(num_blocks=5), "ab", "xyz")
    lab.allocate(text("abc"))  # evicts z
    assert lab.allocate(text("abd.")).hit_tokens == 8
    assert lab.stats().num_evictable_blocks == 0


def test_a_failed_admission_gives_its_locks_back():
    "L7"
    lab = cached(Checked(num_blocks=4), "abc")
    start(lab, "x")
    with pytest.raises(OutOfBlocksError):
        lab.allocate(text("abcy."))
    assert drawn(lab, locks=True) == "abc0|x1"


def test_a_failed_admission_splits_nothing():
    "L7 M4"
    lab = cached(Checked(num_blocks=4), "abc")
    start(lab, "x")
    with pytest.raises(OutOfBlocksError):
        lab.allocate(text("abyz"))
    assert drawn(lab) == "abc|x"


def test_idle_is_the_baseline():
    "L9 (imp 1115: one block more per request)"
    lab, random = Checked(num_blocks=32), np.random.default_rng(1)
    for _ in range(40):
        prompt = "".join(random.choice(list("abc"), 4))
        run_request(lab, prompt + "." * int(random.integers(0, 3)), "..")
        stats = lab.stats()
        assert (stats.num_used_blocks, stats.num_in_transfer_blocks) == (0, 0)
        assert stats.num_cached_blocks == stats.num_evictable_blocks
    lab.evict(32)
    assert lab.stats().num_free_blocks == 32


def test_a_handle_of_before_a_reset_is_dead():
    "L11"
    lab = cached(Checked(), "ab")
    handle = node(lab.tree, "ab")
    lab.reset()
    with refused(LockError, handle.id):
        lab.tree.lock(handle)


def test_a_sequence_of_before_a_reset_is_unknown():
    "L11"
    lab = Checked()
    sequence = start(lab, "ab")
    lab.release(sequence)
    lab.reset()
    for call in (lab.release, lab.fork, lab.preempt):
        with refused(SequenceError, sequence.id):
            call(sequence)


def test_ids_of_sequences_are_never_used_again():
    "L8"
    lab = Checked()
    seen = set()
    for _ in range(3):
        sequence = lab.allocate(text("a"))
        child = lab.fork(sequence)
        assert not seen & {sequence.id, child.id}
        seen |= {sequence.id, child.id}
        lab.release(sequence)
        lab.release(child)
        lab.reset()


def test_a_grown_sequence_locks_what_it_grew():
    "L1 L4"
    lab = Checked(num_blocks=4)
    sequence = start(lab, "a")
    for _ in range(3):
        grow(lab, sequence, text("b"))
        lab.commit(sequence, sequence.num_tokens)
    assert (drawn(lab, locks=True), lab.evict(9)) == ("abbb1", 0)
