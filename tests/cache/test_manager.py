"""The one door: what a request gets and leaves behind; a call that fails leaves all as it was."""

import numpy as np
import pytest

from radixlab.cache import CacheError, OutOfBlocksError, PromptTooLargeError, TransferError
from radixlab.events import BlocksDeduplicated
from tests.cache.helpers import Checked, cached, drawn, grow, run_request, start, text

# ---- a match through the door


@pytest.mark.parametrize(
    ("prompt", "hit_blocks"),
    [("abc", 2), ("abc.", 3), ("abc..", 3), ("abx", 2), ("ab", 1), ("a", 0), (".", 0), ("x", 0)],
)
def test_at_least_one_token_is_left_to_compute(prompt, hit_blocks):
    "M1 (nano-vllm 144: only the last token is withheld, and with it the block it needs, no more)"
    lab = cached(Checked(), "abc")
    sequence = lab.allocate(text(prompt))
    assert sequence.hit_tokens == 4 * hit_blocks < sequence.num_tokens


def test_a_block_size_of_one_withholds_one_token():
    "M1"
    lab = cached(Checked(block_size=1), "abc")
    assert lab.allocate(text("abc", 1)).hit_tokens == 2


def test_a_hit_is_whole_blocks():
    "M2"
    lab = cached(Checked(), "ab")
    assert lab.allocate([*text("a"), ord("b"), ord("b"), ord("b"), 0]).hit_tokens == 4


def test_a_peek_changes_nothing_and_sees_every_block():
    "M4: not even the last block is withheld, and no time passes"
    lab = cached(Checked(), "abc")
    before = list(lab.tree.walk()), lab.state.tick, len(lab.events)
    assert len(lab.peek(text("ab"))) == 2
    assert len(lab.peek(text("ab..."))) == 2
    assert (list(lab.tree.walk()), lab.state.tick, len(lab.events)) == before


def test_a_block_table_begins_with_the_hit():
    "M8"
    lab = cached(Checked(), "abc")
    hit = lab.peek(text("ab")).tolist()
    sequence = lab.allocate(text("abx."))
    assert sequence.block_table.tolist()[:2] == hit
    assert len(sequence.block_table) == 4
    lab.write(sequence)


def test_a_match_stamps_its_own_half_of_a_split_only():
    "M4 M5 (SGLang's RadixCache touched the child before splitting: the suffix looked fresh)"
    lab = cached(Checked(), "abcd")
    released = lab.state.tick
    lab.allocate(text("abx"))
    assert {view.num_hits: view.tick for view in lab.tree.walk()} == {1: released + 1, 0: released}


def test_every_admission_and_release_is_one_tick_and_nothing_else_is():
    lab = Checked()
    sequence = start(lab, "ab.")
    grow(lab, sequence, text("c"))
    lab.peek(text("ab"))
    assert lab.state.tick == 1
    lab.abort(lab.fork(sequence))
    lab.release(sequence)
    assert lab.state.tick == 3


def test_a_release_stamps_the_whole_path():
    lab = Checked()
    first, second = start(lab, "ab."), start(lab, "abcd.")
    lab.release(second)
    assert [view.tick for view in lab.tree.walk()] == [3, 3]
    lab.release(first)
    assert [view.tick for view in lab.tree.walk()] == [4, 3]


def test_a_node_counts_its_hits():
    lab = cached(Checked(), "abc", "abd", "abd.")
    assert drawn(lab) == "ab(c|d)"
    assert [view.num_hits for view in lab.tree.walk()] == [2, 0, 1]


# ---- commit


def test_nothing_is_matchable_before_it_is_committed():
    "T1 (vLLM 43569: registered at schedule time, aborted before the write)"
    lab = Checked()
    first = lab.allocate(text("ab."))
    lab.write(first)
    assert lab.allocate(text("ab.")).hit_tokens == 0
    lab.commit(first, 9)
    assert lab.allocate(text("ab.")).hit_tokens == 8


def test_an_abort_before_commit_leaves_nothing():
    "T1"
    lab = Checked()
    lab.abort(lab.allocate(text("abc")))
    assert (drawn(lab), lab.stats().num_free_blocks) == ("", 16)


@pytest.mark.parametrize(
    ("num_written", "registered"), [(0, ""), (3, ""), (4, "a"), (7, "a"), (8, "ab"), (9, "ab")]
)
def test_only_full_blocks_of_written_tokens_are_registered(num_written, registered):
    "M11 M12"
    lab = Checked()
    sequence = lab.allocate(text("ab."))
    lab.write(sequence, end=num_written)
    lab.commit(sequence, num_written)
    assert drawn(lab) == registered


def test_the_last_sampled_token_is_not_registered():
    "M11 (sglang-jax 982): it has no KV yet"
    lab = Checked()
    sequence = start(lab, "a...")
    lab.append(sequence, [ord(".")])
    lab.commit(sequence, num_written=7)
    lab.release(sequence)
    assert drawn(lab) == "a"


def test_the_partial_tail_stays_private():
    "M12"
    lab = Checked()
    sequence = start(lab, "a..")
    assert (drawn(lab), len(sequence.block_table)) == ("a", 2)
    grow(lab, sequence, text(".."))
    lab.commit(sequence, 8)
    assert [len(view.block_ids) for view in lab.tree.walk()] == [2]


def test_max_tokens_bounds_what_is_registered():
    lab = Checked()
    sequence = lab.allocate(text("abcd"))
    lab.write(sequence)
    lab.commit(sequence, 16, max_tokens=11)
    assert drawn(lab) == "ab"
    lab.commit(sequence, 16)
    assert drawn(lab) == "abcd"


def test_num_written_is_absolute_and_commit_may_repeat():
    "M9"
    lab = Checked()
    sequence = start(lab, "abc")
    before = list(lab.tree.walk())
    for num_written in (12, 4, 0, 12):
        lab.commit(sequence, num_written)
    assert list(lab.tree.walk()) == before


def test_the_lock_moves_to_the_deepest_node():
    "L1"
    lab = Checked()
    sequence = start(lab, "ab..")
    other = start(lab, "abx.")
    grow(lab, sequence, text(".."))
    lab.commit(sequence, 12)
    assert drawn(lab, locks=True) == "ab2(.1|x1)"
    lab.release(other)
    assert drawn(lab, locks=True) == "ab1(.1|x0)"


def test_a_duplicate_is_freed_and_the_block_table_re_pointed():
    "M10 (mini-sglang: the row kept its old blocks while they were free)"
    lab = Checked()
    first, second = lab.allocate(text("ab.")), lab.allocate(text("ab."))
    for sequence in (first, second):
        lab.write(sequence)
        lab.commit(sequence, 9)
    assert second.block_table.tolist()[:2] == first.block_table.tolist()[:2]
    assert second.block_table[2] != first.block_table[2]
    assert lab.stats().num_free_blocks == 16 - 4


def test_a_duplicate_head_is_freed_and_the_rest_registered():
    "M10"
    lab = Checked()
    first, second = lab.allocate(text("ab")), lab.allocate(text("acd"))
    for sequence in (first, second):
        lab.write(sequence)
        lab.commit(sequence, sequence.num_tokens)
    assert drawn(lab, locks=True) == "a2(b1|cd1)"
    (event,) = lab.happened(BlocksDeduplicated)
    assert (event.start_block, event.freed_runs, event.kept_runs) == (0, ((2, 1),), ((0, 1),))


def test_both_twins_read_right_whoever_goes_first():
    "M10 E6 (nano-vllm: after the second twin's end the first one's blocks were lost)"
    lab = Checked(num_blocks=9)
    twins = [lab.allocate(text("ab.")) for _ in range(3)]
    for twin in twins:
        lab.write(twin)
        lab.commit(twin, 9)
    lab.release(twins[2])
    lab.release(twins[0])
    cached(lab, "xyz")
    assert lab.allocate(text("ab.")).hit_tokens == 8


def test_what_a_running_request_wrote_is_shared_at_once():
    "M8"
    lab = Checked()
    first = start(lab, "ab.")
    second = start(lab, "abc")
    assert first.block_table.tolist()[:2] == second.block_table.tolist()[:2]
    assert lab.stats().num_shared_blocks == 2


# ---- append and reserve


def test_append_takes_a_block_when_the_last_is_full():
    lab = Checked()
    sequence = start(lab, "a")
    sizes = []
    for _ in range(5):
        grow(lab, sequence, [1])
        sizes.append(len(sequence.block_table))
    assert sizes == [2, 2, 2, 2, 3]


def test_an_append_for_which_there_is_no_block_changes_nothing():
    "C5 L7"
    lab = Checked(num_blocks=3)
    sequence, other = start(lab, "ab"), start(lab, ".")
    with pytest.raises(OutOfBlocksError):
        lab.append(sequence, [1])
    assert (sequence.num_tokens, len(sequence.block_table)) == (8, 2)
    lab.release(other)
    grow(lab, sequence, [1])


def test_appending_nothing_is_nothing():
    lab = Checked()
    sequence = start(lab, "ab")
    assert lab.append(sequence, []) == []
    assert sequence.num_tokens == 8


def test_reserved_blocks_cannot_run_out():
    lab = Checked(num_blocks=4)
    sequence = lab.allocate(text("a."), reserve_tokens=7)
    assert len(sequence.block_table) == 3
    lab.write(sequence)
    lab.allocate(text("x"))
    for _ in range(7):
        grow(lab, sequence, [1])
    with pytest.raises(OutOfBlocksError):
        lab.append(sequence, [1])


def test_reserved_blocks_go_back_with_the_rest():
    lab = Checked()
    sequence = lab.allocate(text("a."), reserve_tokens=16)
    lab.write(sequence)
    lab.commit(sequence, 5)
    lab.release(sequence)
    assert lab.stats().num_free_blocks == 15


def test_an_output_is_found_by_the_next_turn():
    lab = Checked()
    run_request(lab, "ab.", "...cd")
    turn = lab.allocate(text("ab....cd") + text("."))
    assert turn.hit_tokens == 20


# ---- admission


def test_a_failed_admission_restores_everything():
    "L7"
    lab = cached(Checked(num_blocks=6), "abc")
    running = start(lab, "xyz")
    before = list(lab.tree.walk()), lab.state.tick, lab.stats()
    with pytest.raises(OutOfBlocksError):
        lab.allocate(text("abdef"))
    assert (list(lab.tree.walk()), lab.state.tick, lab.stats()) == before
    lab.release(running)
    assert lab.allocate(text("abdef")).hit_tokens == 8


def test_an_admission_can_leave_room_for_those_that_run():
    "L6: what must be left is counted after the hit is locked, and a refusal changes nothing"
    lab = cached(Checked(num_blocks=6), "ab")
    with pytest.raises(OutOfBlocksError):
        lab.allocate(text("abc."), keep_blocks=3)  # 2 hit, 2 new: 2 are left
    assert lab.allocate(text("abc."), keep_blocks=2).hit_tokens == 8


def test_what_can_never_fit_is_told_from_what_cannot_now():
    lab = Checked(num_blocks=4)
    with pytest.raises(PromptTooLargeError):
        lab.allocate(text("abcd."))
    lab.allocate(text("abcd"))
    with pytest.raises(OutOfBlocksError) as caught:
        lab.allocate(text("a"))
    assert type(caught.value) is OutOfBlocksError


def test_the_whole_pool_is_one_prompts_if_it_needs_it():
    "L6"
    lab = cached(Checked(num_blocks=4), "abcd")
    sequence = start(lab, "wxyz")
    assert (drawn(lab), sequence.hit_tokens) == ("wxyz", 0)


def test_a_prompt_as_large_as_the_pool_reuses_its_own_cached_self():
    "L5 L6 M1: its last block must go, so that its last token can be computed"
    lab = cached(Checked(num_blocks=4), "abcd")
    sequence = start(lab, "abcd")
    assert (sequence.hit_tokens, lab.stats().evicted_blocks) == (12, 1)


# ---- the end


@pytest.mark.parametrize("end", ["release", "abort", "preempt"])
def test_every_end_frees_what_was_not_committed_and_keeps_the_rest(end):
    "L8"
    lab = Checked()
    sequence = start(lab, "ab..")
    getattr(lab, end)(sequence)
    assert (drawn(lab, locks=True), lab.stats().num_free_blocks) == ("ab0", 14)


def test_a_preempted_request_comes_back_with_its_tokens_and_hits_itself():
    "L8 S6"
    lab = Checked()
    sequence = start(lab, "ab.")
    grow(lab, sequence, [7, 8])
    tokens = lab.preempt(sequence)
    assert tokens.tolist() == [*text("ab."), 7, 8]
    assert lab.allocate(tokens).hit_tokens == 8


def test_reset_forgets_the_cache():
    "L11"
    lab = cached(Checked(), "abc", "x")
    lab.reset()
    assert (drawn(lab), lab.stats().num_free_blocks) == ("", 16)
    assert lab.allocate(text("abc.")).hit_tokens == 0


def test_reset_refuses_while_a_sequence_runs_and_says_which():
    "L11 (SGLang 12107)"
    lab = cached(Checked(), "abc")
    sequence = lab.allocate(text("x"))
    with pytest.raises(CacheError, match=rf"\b{sequence.id}\b"):
        lab.reset()
    assert drawn(lab) == "abc"
    lab.release(sequence)
    lab.reset()


def test_reset_refuses_while_a_copy_is_pending():
    "L11"
    lab = Checked()
    sequence = start(lab, "a")
    copies = lab.prepare_write(sequence, 0, 4)
    lab.release(sequence)
    with pytest.raises(CacheError):
        lab.reset()
    lab.complete(copies)
    lab.reset()
    assert lab.stats().num_free_blocks == 16


def test_a_commit_of_blocks_whose_bytes_have_not_arrived_raises():
    "T1"
    lab = Checked()
    first = lab.allocate(text("a..."))
    lab.write(first)
    second = lab.fork(first)
    copies = lab.append(second, [1])
    lab.write(second)
    with pytest.raises(TransferError):
        lab.commit(second, 8)
    lab.complete(copies)
    lab.commit(second, 8)


# ---- arithmetic


def a_hundred_requests() -> Checked:
    """500 shared tokens and 100 own each, all running, in 1,000 blocks of 16."""
    lab, shared = Checked(num_blocks=1000, block_size=16), np.arange(500)
    for i in range(100):
        own = 1000 + 100 * i + np.arange(100)
        lab.manager.commit(lab.manager.allocate(np.concatenate((shared, own))), 600)
    lab.verify_structure()
    return lab


def test_a_hundred_requests_with_a_shared_prompt_fill_731_blocks():
    """M8: 31 blocks (496 tokens) are shared, 37 (592) are full, the 38th holds the last 8 tokens.

    So 31 + 100 * (37 - 31 + 1) = 731 blocks are taken.
    """
    stats = a_hundred_requests().manager.stats()
    assert (stats.num_free_blocks, stats.num_shared_blocks) == (1000 - 731, 31)
    assert (stats.num_unique_blocks, stats.hit_tokens) == (700, 99 * 496)


def test_a_hundred_requests_leave_nothing_but_the_cache():
    "L9: 31 + 100 * (37 - 31) = 631 full blocks; the shared node and a hundred leaves"
    lab = a_hundred_requests()
    for sequence in list(lab.sequences.values()):
        lab.manager.release(sequence)
    lab.verify()
    stats = lab.stats()
    assert (stats.num_free_blocks, stats.num_cached_blocks) == (1000 - 631, 631)
    assert (stats.num_used_blocks, stats.num_evictable_blocks, stats.num_nodes) == (0, 631, 101)
    assert lab.manager.evict(1000) == 631
    assert lab.stats().num_free_blocks == 1000
