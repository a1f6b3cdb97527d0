"""The cache in numbers: gauges equal a recount of the structures, counters one of the events."""

from collections import Counter

import numpy as np

from radixlab.cache import CountError
from radixlab.events import BlockCopied, BlockRemoved, PrefixMatched, SequenceStarted
from tests.cache.helpers import Checked, cached, grow, refused, start, text


def test_blocks_are_counted_by_block_tables():
    lab = cached(Checked(), "abc", "x")
    start(lab, "ab.")
    start(lab, "aby.")
    stats = lab.stats()
    assert (stats.num_shared_blocks, stats.num_unique_blocks) == (2, 3)
    assert (stats.num_cached_blocks, stats.num_free_blocks) == (2, 9)
    assert stats.num_used_blocks == 5
    assert stats.sharing_ratio == 2 / 5


def test_the_gauges_add_up_to_the_pool():
    "L9"
    lab = cached(Checked(), "ab", "x")
    parent = start(lab, "ab.")
    child = lab.fork(parent)
    copies = lab.append(child, [1])
    for _ in range(3):
        stats = lab.stats()
        used = stats.num_used_blocks + stats.num_cached_blocks + stats.num_in_transfer_blocks
        assert used + stats.num_free_blocks == stats.num_blocks == 16
        if lab.sequences:
            lab.release(next(iter(lab.sequences.values())))
    lab.complete(copies)
    assert lab.stats().num_in_transfer_blocks == 0


def test_an_empty_cache_has_no_rates():
    stats = Checked().stats()
    assert (stats.sharing_ratio, stats.token_hit_rate, stats.num_free_blocks) == (0.0, 0.0, 16)


def test_rates_are_shares_of_prompt_tokens():
    lab = cached(Checked(), "ab.", "ab.", "abc")
    stats = lab.stats()
    assert (stats.num_requests, stats.prompt_tokens, stats.hit_tokens) == (3, 30, 16)
    assert stats.token_hit_rate == 16 / 30


def test_a_fork_and_appended_tokens_are_no_requests():
    lab = Checked()
    sequence = start(lab, "ab")
    grow(lab, lab.fork(sequence), text("c"))
    assert (lab.stats().num_requests, lab.stats().prompt_tokens) == (1, 8)


def busy(seed: int) -> Checked:
    """A hundred random steps of a small cache, some requests forked, some still running."""
    lab, random = Checked(num_blocks=14), np.random.default_rng(seed)
    for _ in range(100):
        prompt = "".join(random.choice(list("abc"), random.integers(1, 4))) + "."
        if len(lab.sequences) > 2:
            lab.release(next(iter(lab.sequences.values())))
        elif lab.stats().num_free_blocks + lab.stats().num_evictable_blocks > 8:
            grow(lab, lab.fork(start(lab, prompt)), [1])
    return lab


def test_counters_equal_a_recount_of_the_events():
    "T6"
    lab = busy(0)
    stats, matched = lab.stats(), lab.happened(PrefixMatched)
    removed = [count for event in lab.happened(BlockRemoved) for _, count in event.block_runs]
    assert stats.hit_tokens == sum(event.hit_tokens for event in matched) > 0
    assert stats.prompt_tokens == sum(event.num_tokens for event in matched)
    assert stats.num_requests == len(lab.happened(SequenceStarted)) == len(matched)
    assert stats.evicted_blocks == sum(removed) > 0
    assert stats.copied_blocks == len(lab.happened(BlockCopied)) > 0


def test_gauges_equal_a_recount_of_the_structures():
    "T6"
    lab = busy(1)
    holders = Counter(b for s in lab.sequences.values() for b in set(s.block_table.tolist()))
    in_tree = {block for view in lab.tree.walk() for block in view.block_ids}
    unlocked = sum(len(view.block_ids) for view in lab.tree.walk() if not view.lock_ref)
    stats = lab.stats()
    assert stats.num_shared_blocks == sum(count > 1 for count in holders.values())
    assert stats.num_unique_blocks == sum(count == 1 for count in holders.values())
    assert stats.num_cached_blocks == len(in_tree - holders.keys())
    assert stats.num_evictable_blocks == unlocked
    assert stats.num_nodes == len(list(lab.tree.walk()))


def test_a_trees_own_count_goes_by_receipts():
    lab = cached(Checked(), "abc")
    start(lab, "ab.")
    start(lab, "abx")
    stats = lab.tree.stats()
    assert (stats.num_shared_blocks, stats.num_unique_blocks, stats.num_cached_blocks) == (2, 1, 1)


def test_who_comes_back_after_a_preemption_does_not_raise_the_hit_rate():
    "S6: its own blocks are no hit; neither is it a new prompt"
    lab = Checked()
    sequence = start(lab, "ab.")
    tokens = lab.preempt(sequence)
    assert lab.allocate(tokens, resumed=True).hit_tokens == 8
    stats = lab.stats()
    assert (stats.prompt_tokens, stats.hit_tokens, stats.token_hit_rate) == (18, 8, 0.0)
    assert (stats.resumed_prompt_tokens, stats.resumed_hit_tokens) == (9, 8)
    lab.release(lab.allocate(text("ab.")))
    assert lab.stats().token_hit_rate == 8 / 18
    for wrong in (None, 1, "yes"):
        with refused(CountError, "resumed", repr(wrong)):
            lab.allocate(text("x"), resumed=wrong)
