"""Rules that a mutant slipped past, told once more where it shows without an oracle's help.

`drawn(…, locks=True)` counts receipts. Whether they *protect* shows in what can be evicted, and in
the sum that promises it; whether a block is an orphan, in the tokens that lead to it.
"""

from tests.cache.helpers import Checked, drawn, grow, node, run_request, start, text, tree


def evictable(radix_tree) -> int:
    """What the tree promises, after seeing that its policy agrees on whether there is any."""
    victim = radix_tree.policy.victim()
    assert (victim is None) == (radix_tree.num_evictable_blocks == 0)
    return radix_tree.num_evictable_blocks


def test_a_split_under_a_lock_protects_both_halves():
    "M5 L3 (mllm 656: the evictable size went negative after a split)"
    radix_tree = tree("abcd")
    receipt = radix_tree.lock(node(radix_tree, "abcd"))
    radix_tree.match_prefix(text("ab"))
    other = radix_tree.lock(node(radix_tree, "ab"))
    assert (evictable(radix_tree), radix_tree.evict(9).tolist()) == (0, [])
    radix_tree.unlock(receipt)
    assert evictable(radix_tree) == 2
    radix_tree.unlock(other)
    assert evictable(radix_tree) == len(radix_tree.evict(9)) == 4


def test_what_grew_in_place_is_read_right_by_the_next():
    "M8 (O2): a node that grew block by block still has each block under its own tokens"
    lab = Checked()
    first = run_request(lab, "a", "bcd")
    second = lab.allocate(text("abcd."))
    assert second.block_table[:4].tolist() == first.block_table.tolist()
    assert second.hit_tokens == 16
    lab.canary.read(second, 16)


def test_each_nodes_tokens_are_those_its_blocks_were_written_for():
    "M8: a path's keys, one after the other, are the prompt"
    lab = Checked()
    for prompt in ("abc", "abd", "ab", "aef"):
        run_request(lab, prompt)
    assert drawn(lab) == "a(b(c|d)|ef)"


def test_a_lock_protects_its_own_node():
    "L1 (mini-sglang PR 52): not only what is above it"
    radix_tree = tree("a(b(c))|x")
    radix_tree.lock(node(radix_tree, "abc"))
    assert evictable(radix_tree) == 1
    assert radix_tree.evict(9).tolist() == [3]
    assert drawn(radix_tree) == "a(b(c))"


def test_the_sum_moves_with_the_first_lock_and_the_last_unlock():
    "L3 L1: on 0 to 1 and on 1 to 0, and not between"
    radix_tree = tree("a(b|c)")
    sums, receipts = [], []
    for path in ("ab", "ab", "a", "ac"):
        receipts.append(radix_tree.lock(node(radix_tree, path)))
        sums.append(evictable(radix_tree))
    for receipt in receipts:
        radix_tree.unlock(receipt)
        sums.append(evictable(radix_tree))
    assert sums == [1, 1, 1, 0, 0, 1, 1, 3]


def prefixes(radix_tree) -> dict[int, tuple[int, ...]]:
    """Return for each cached block the tokens on the way to it, its own included."""
    found, above = {}, {None: ()}
    for view in radix_tree.walk():
        above[view.id] = above[view.parent_id] + view.tokens
        start = len(above[view.parent_id])
        for i, block in enumerate(view.block_ids):
            found[block] = above[view.id][: start + (i + 1) * radix_tree.block_size]
    return found


def test_an_eviction_leaves_every_other_block_where_it_was():
    "E2 (llm-d-inference-sim 704): no orphan, and nobody adopts one"
    radix_tree = tree("ab(c(d|e)|f)|g")
    before = prefixes(radix_tree)
    for num_left in range(6, -1, -1):
        radix_tree.evict(1)
        after = prefixes(radix_tree)
        assert len(after) == num_left
        assert all(before[block] == prefix for block, prefix in after.items())


def test_an_abort_in_prefill_gives_everything_back():
    "L8 (SGLang 38981): before the first commit, with nothing cached"
    for end in ("release", "abort", "preempt"):
        lab = Checked()
        sequence = lab.allocate(text("abc."))
        lab.write(sequence, 0, 6)
        getattr(lab, end)(sequence)
        assert lab.stats().num_free_blocks == 16


def test_a_second_reader_of_what_is_growing_hits_what_is_committed():
    "M8 M11: the blocks of the first reader, none that is not written yet"
    lab = Checked()
    first = start(lab, "ab")
    grow(lab, first, text("c"))
    second = lab.allocate(text("abc."))
    assert second.hit_tokens == 8
    lab.commit(first, 12)
    assert lab.peek(text("abc")).tolist() == first.block_table.tolist()
