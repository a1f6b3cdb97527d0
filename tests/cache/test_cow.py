"""Fork and copy-on-write: siblings share every block and never see each other's writes."""

from itertools import permutations

import pytest

from radixlab.cache import OutOfBlocksError, SequenceError, TransferError
from radixlab.events import BlockCopied
from tests.cache.helpers import Checked, cached, drawn, grow, refused, start, text


def running(lab: Checked, drawing: str):
    """A sequence with its KV written and nothing committed."""
    sequence = lab.allocate(text(drawing))
    lab.write(sequence)
    return sequence


def kv(lab: Checked, sequence, num_tokens: int | None = None) -> bytes:
    """The KV a sequence reads, as bytes."""
    end = sequence.num_tokens if num_tokens is None else num_tokens
    return lab.canary.store.read(sequence.slots(0, end, lab.config.block_size)).tobytes()


def test_a_fork_shares_every_block_and_copies_nothing():
    "C1"
    lab = Checked()
    parent = running(lab, "ab.")
    child = lab.fork(parent)
    assert child.block_table.tolist() == parent.block_table.tolist()
    assert child.token_ids.tolist() == parent.token_ids.tolist()
    assert [lab.allocator.ref_count(block) for block in parent.block_table.tolist()] == [2, 2, 2]
    assert lab.stats().copied_blocks == 0


def test_a_fork_of_committed_blocks_locks_them_once_more():
    "C1 L1"
    lab = Checked()
    lab.fork(start(lab, "ab."))
    assert drawn(lab, locks=True) == "ab2"


@pytest.mark.parametrize(("num_tokens", "num_blocks"), [(1, 1), (4, 1), (5, 2), (8, 2), (9, 3)])
@pytest.mark.parametrize("begin", [running, start])
def test_a_fork_may_cut_anywhere(begin, num_tokens, num_blocks):
    "C1"
    lab = Checked()
    parent = begin(lab, "ab.")
    child = lab.fork(parent, num_tokens)
    assert child.token_ids.tolist() == parent.token_ids.tolist()[:num_tokens]
    assert child.block_table.tolist() == parent.block_table.tolist()[:num_blocks]
    grow(lab, child, [1, 2, 3, 4])
    lab.commit(child, child.num_tokens)


@pytest.mark.parametrize("begin", [running, start])
def test_writing_to_a_shared_last_block_copies_it_first(begin):
    "C2"
    lab = Checked()
    parent = begin(lab, "a.")
    child, before = lab.fork(parent), kv(lab, parent)
    (copy,) = lab.append(child, [7])
    lab.write(child)
    assert (copy.src, copy.dst) == (parent.block_table[1], child.block_table[1])
    assert kv(lab, parent) == before
    lab.complete([copy])
    assert kv(lab, parent) == before == kv(lab, child, 5)


def test_the_parent_that_writes_copies_as_well():
    "C2"
    lab = Checked()
    parent = running(lab, "a.")
    child = lab.fork(parent)
    (copy,) = lab.append(parent, [7])
    assert (copy.src, copy.dst) == (child.block_table[1], parent.block_table[1])


def test_blocks_before_the_write_are_not_copied():
    "C2"
    lab = Checked()
    parent = running(lab, "abcd")
    child = lab.fork(parent)
    (copy,) = lab.prepare_write(child, 13, 14)
    assert copy.src == parent.block_table[3]
    assert child.block_table.tolist()[:3] == parent.block_table.tolist()[:3]


def test_a_sole_owner_writes_in_place():
    "C3"
    lab = Checked()
    sequence = start(lab, "a.")
    assert lab.append(sequence, [7]) == []
    assert lab.prepare_write(sequence, 4, 6) == []
    assert lab.happened(BlockCopied) == []


@pytest.mark.parametrize("end", ["release", "abort", "preempt"])
def test_the_last_of_the_siblings_writes_in_place(end):
    "C3"
    lab = Checked()
    parent = running(lab, "a.")
    child = lab.fork(parent)
    getattr(lab, end)(parent)
    assert lab.append(child, [7]) == []


def test_an_empty_range_needs_no_copy():
    "C3"
    lab = Checked()
    lab.fork(running(lab, "ab"))
    assert lab.prepare_write(next(iter(lab.sequences.values())), 4, 4) == []


def test_a_block_of_the_tree_is_never_written_even_by_its_only_reader():
    "C4"
    lab = Checked()
    sequence = start(lab, "ab")
    cached_kv = kv(lab, sequence)
    before = sequence.block_table.tolist()
    copies = lab.prepare_write(sequence, 5, 6)
    assert [copy.src for copy in copies] == before[1:]
    lab.write(sequence, 5, 6)
    lab.complete(copies)
    assert lab.allocate(text("ab.")).block_table.tolist()[:2] == before
    assert drawn(lab, locks=True) == "a2(b1)"
    assert kv(lab, sequence) == cached_kv


def test_rewriting_a_cached_position_takes_all_cached_blocks_after_it_along():
    "C4: what follows a rewritten position is no longer what the tree promises"
    lab = Checked()
    sequence = start(lab, "abc.")
    copies = lab.prepare_write(sequence, 0, 1)
    assert len(copies) == 3
    lab.complete(copies)
    assert drawn(lab, locks=True) == "abc0"
    assert lab.evict(9) == 3


def test_a_hit_is_copied_before_it_is_written():
    "C4"
    lab = cached(Checked(), "ab")
    sequence = lab.allocate(text("ab."))
    lab.write(sequence)
    assert len(lab.prepare_write(sequence, 6, 9)) == 1


def test_a_copy_that_finds_no_block_fails_clean():
    "C5"
    lab = Checked(num_blocks=3)
    parent = running(lab, "ab.")
    child = lab.fork(parent)
    for call in (lambda: lab.append(child, [7]), lambda: lab.prepare_write(child, 0, 9)):
        with pytest.raises(OutOfBlocksError):
            call()
    assert child.block_table.tolist() == parent.block_table.tolist()
    lab.release(parent)
    assert lab.append(child, [7]) == []


def test_a_copy_and_a_new_block_are_taken_together_or_not_at_all():
    "C5"
    lab = Checked(num_blocks=3)
    child = lab.fork(running(lab, "a..."))
    with pytest.raises(OutOfBlocksError):
        lab.append(child, [1, 2])
    assert (child.num_tokens, lab.stats().num_free_blocks) == (7, 1)
    assert len(lab.append(child, [1])) == 1


def test_a_copy_evicts_what_is_cached_but_never_its_own_source():
    "C5 L5"
    lab = cached(Checked(num_blocks=4), "x")
    sequence = start(lab, "ab.")
    copies = lab.prepare_write(sequence, 4, 8)
    assert (len(copies), drawn(lab)) == (1, "a(b)")


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_siblings_may_end_in_any_order(order):
    "C6"
    lab = Checked()
    parent = running(lab, "ab.")
    family = [parent, lab.fork(parent), lab.fork(parent, 6), lab.fork(parent, 4)]
    for i in order:
        lab.release(family[i])
    assert lab.stats().num_free_blocks == 16


def test_a_fork_of_a_fork_outlives_both():
    "C7"
    lab = Checked()
    parent = running(lab, "ab.")
    child = lab.fork(parent)
    grandchild = lab.fork(child)
    for sequence, token in ((child, 1), (grandchild, 2), (parent, 3)):
        grow(lab, sequence, [token])
    lab.abort(parent)
    lab.abort(child)
    assert grandchild.token_ids.tolist() == [*text("ab."), 2]
    lab.release(grandchild)
    assert lab.stats().num_free_blocks == 16


def test_a_commit_of_shared_blocks_gives_every_sibling_its_lock():
    "C1 L1: the blocks are the tree's now, once"
    lab = Checked()
    parent = running(lab, "ab.")
    lab.fork(parent)
    lab.fork(parent, 4)
    lab.commit(parent, 9)
    assert drawn(lab, locks=True) == "a3(b2)"


def test_a_commit_of_the_child_gives_the_parent_its_lock():
    "C1 L1"
    lab = Checked()
    parent = running(lab, "abc")
    child = lab.fork(parent, 8)
    lab.commit(child, 8)
    assert drawn(lab, locks=True) == "ab2"
    lab.commit(parent, 12)
    assert drawn(lab, locks=True) == "ab2(c1)"


def test_siblings_that_part_share_what_they_had_in_common():
    "C2 M10"
    lab = Checked()
    parent = running(lab, "a.")
    child = lab.fork(parent)
    for sequence, token in ((parent, 1), (child, 2)):
        grow(lab, sequence, [token] * 3)
        lab.commit(sequence, 8)
    assert [view.lock_ref for view in lab.tree.walk()] == [2, 1, 1]


def test_siblings_of_a_deduplicated_head_get_their_lock_too():
    "C1 M10 L1: `a` is the tree's already, only `b` is new, and the sibling holds both"
    lab = Checked()
    parent = running(lab, "ab.")
    child = lab.fork(parent)
    start(lab, "a.")
    lab.commit(parent, 9)
    assert drawn(lab, locks=True) == "a3(b2)"
    assert child.block_table.tolist() == parent.block_table.tolist()


@pytest.mark.parametrize("num_committed", [0, 8])
def test_a_sibling_that_rewrites_the_head_does_not_lose_the_tail(num_committed):
    "C1 C4 E6: the parent's commit must not make the tail evictable under the child"
    lab = Checked()
    parent = running(lab, "abcd")
    lab.commit(parent, num_committed)
    child = lab.fork(parent)
    lab.complete(lab.prepare_write(child, 0, 4))
    lab.commit(parent, 16)
    lab.release(parent)
    cached(lab, "uvwxyz")
    lab.commit(child, 16)


def test_a_pending_copy_holds_both_ends():
    "C7"
    lab = Checked(num_blocks=4)
    parent = running(lab, "a.")
    child = lab.fork(parent)
    copies = lab.append(child, [7])
    lab.abort(parent)
    lab.abort(child)
    assert (lab.stats().num_in_transfer_blocks, lab.stats().num_free_blocks) == (2, 2)
    lab.complete(copies)
    assert lab.stats().num_free_blocks == 4


def test_a_pending_copy_of_a_cached_block_keeps_it_cached():
    "C7"
    lab = Checked(num_blocks=4)
    sequence = start(lab, "a")
    copies = lab.prepare_write(sequence, 0, 4)
    lab.abort(sequence)
    assert (drawn(lab, locks=True), lab.evict(9)) == ("a1", 0)
    lab.complete(copies)
    assert (drawn(lab, locks=True), lab.evict(9)) == ("a0", 1)


def test_a_copy_completes_once():
    "C7 L2"
    lab = Checked()
    sequence = start(lab, "a")
    copies = lab.prepare_write(sequence, 0, 4)
    with refused(TransferError, copies[0].src, copies[0].dst):
        lab.complete(copies * 2)
    lab.complete(copies)
    with refused(TransferError, copies[0].src, copies[0].dst):
        lab.complete(copies)


def test_copies_complete_in_any_order():
    "C7"
    lab = Checked()
    sequence = start(lab, "abc")
    copies = lab.prepare_write(sequence, 0, 12)
    for copy in reversed(copies):
        lab.complete([copy])
    lab.release(sequence)
    assert lab.stats().num_in_transfer_blocks == 0


@pytest.mark.parametrize("num_tokens", [0, -1, 10])
def test_a_fork_at_a_position_there_is_not_raises(num_tokens):
    lab = Checked()
    sequence = start(lab, "ab.")
    with refused(SequenceError, sequence.id, num_tokens, 9):
        lab.fork(sequence, num_tokens)


@pytest.mark.parametrize(("begin", "end"), [(-1, 4), (5, 4), (0, 10)])
def test_a_write_at_positions_there_are_not_raises(begin, end):
    lab = Checked()
    sequence = start(lab, "ab.")
    with refused(SequenceError, sequence.id, begin, end, 9):
        lab.prepare_write(sequence, begin, end)
