"""The host tier: what is evicted is written back, and loaded back when it is asked for again."""

import numpy as np
import pytest

from radixlab.cache import (
    CacheError,
    DoubleFreeError,
    KVCacheManager,
    KVCanary,
    NumpyKVStore,
    OutOfBlocksError,
    TransferError,
    check,
)
from radixlab.cache.eviction import POLICIES
from radixlab.config import CacheConfig, ConfigError
from radixlab.events import BlockRemoved, LoadedBack, PrefixMatched, WrittenBack
from radixlab.workloads import GENERATORS, replay
from tests.cache.helpers import Checked, cached, drawn, grow, refused, run_request, start, text


def lab(num_blocks: int = 8, num_host_blocks: int = 16, **config) -> Checked:
    return Checked(num_blocks, num_host_blocks=num_host_blocks, **config)


def on_host(*prompts: str, **config) -> Checked:
    """A cache in which these prompts are on the host, and nothing else is cached."""
    cache = cached(lab(**config), *prompts)
    cache.evict(99)
    cache.complete(cache.transfers)
    return cache


# ---- there


def test_what_is_evicted_stays_in_the_tree_on_the_host():
    "H8"
    cache = cached(lab(), "abcd", "efgh")
    run_request(cache, "ijk.")
    assert drawn(cache) == "[abcd]|efgh|ijk"
    stats = cache.stats()
    assert (stats.evicted_blocks, stats.written_back_blocks, stats.dropped_blocks) == (4, 4, 0)


def test_the_tail_of_a_leaf_goes_alone_and_what_follows_joins_it():
    cache = cached(lab(), "abcd")
    for expected in ("abc([d])", "ab([cd])", "a([bcd])"):
        assert cache.evict(1) == 1
        assert drawn(cache) == expected


def test_a_parent_of_host_nodes_alone_is_a_leaf_of_the_device():
    "E1: its children are no reason to stay"
    cache = cached(lab(), "abc", "abd")
    for expected in ("ab([c]|d)", "ab([c]|[d])", "a([b]([c]|[d]))", "[a]([b]([c]|[d]))"):
        cache.evict(1)
        assert drawn(cache) == expected


@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_serves_two_tiers(name):
    "E3: a policy hears of what left the device as gone, and of what is back as new"
    cache = Checked(8, num_host_blocks=9, policy=POLICIES[name]())
    for prompt in (
        "abcd",
        "efgh",
        "abxy.",
        "ijkl",
        "abcd.",
        "efz",
        "abxy",
        "abcdef.",
        "ij.",
        "ef.",
    ):
        run_request(cache, prompt, ".")
    assert cache.stats().loaded_back_blocks


# ---- and back


@pytest.mark.parametrize("seed", range(3))
def test_bytes_survive_the_round_trip(seed):
    "H1: the very bytes, through another block on each way"
    rng, store = np.random.default_rng(seed), NumpyKVStore(8, 4, (2,), num_host_blocks=16)
    manager = KVCacheManager(CacheConfig(8, 4, num_host_blocks=16))
    values = {}
    for prompt in ("abcd", "efgh", "ijkl", "abcd.", "ijkl.", "efgh.", "abcd."):
        sequence = manager.allocate(text(prompt))
        store.run(sequence.copies)
        manager.complete(sequence.copies)
        missing = sequence.slots(sequence.hit_tokens, sequence.num_tokens, 4)
        store.write(missing, rng.random((len(missing), 2)).astype(np.float32))
        found = store.read(sequence.slots(0, min(16, sequence.num_tokens), 4))
        known = values.setdefault(prompt[:4], found)
        assert len(prompt) == 4 or np.array_equal(found, known)
        manager.commit(sequence, sequence.num_tokens)
        manager.release(sequence)
    assert manager.stats().loaded_back_blocks > 12


def test_a_host_hit_is_a_hit_and_is_told_apart():
    "H5 H8"
    cache = cached(lab(), "ab", "abcd")
    cache.evict(2)
    sequence = start(cache, "abcde")
    assert (sequence.hit_tokens, sequence.host_hit_tokens) == (16, 8)
    stats = cache.stats()
    assert (stats.host_hit_tokens, stats.loaded_back_blocks) == (8, 2)
    assert cache.happened(PrefixMatched)[-1].host_hit_tokens == 8


def test_only_the_matched_part_comes_back():
    "H9: a split on the host, each half with its own blocks"
    cache = on_host("abcd")
    sequence = start(cache, "abx")
    assert (sequence.host_hit_tokens, drawn(cache)) == (8, "ab([cd]|x)")
    cache.release(sequence)
    assert start(cache, "abcd.").hit_tokens == 16


def test_a_peek_lists_the_device_and_changes_nothing():
    "M4"
    cache = cached(lab(), "abcd")
    cache.evict(2)
    before = drawn(cache)
    assert cache.peek(text("abcd")).tolist() == cache.peek(text("ab")).tolist() != []
    assert drawn(cache) == before


def test_what_was_computed_anew_is_not_loaded_back():
    "M1: the last block is withheld; when it is computed, the host's copy of it is given up"
    cache = on_host("abc")
    sequence = start(cache, "abc")
    assert (sequence.host_hit_tokens, cache.stats().num_free_host_blocks) == (8, 16)
    assert not cache.happened(BlockRemoved)
    assert cache.stats().num_cached_blocks + cache.stats().num_unique_blocks == 3


def test_a_request_that_does_not_fit_leaves_the_host_alone():
    "L7"
    cache = on_host("abcd", num_blocks=8)
    start(cache, "uvwxyz")
    with refused(OutOfBlocksError, 5):
        cache.allocate(text("abcd."))
    assert drawn(cache) == "[abcd]|uvwxyz"


# ---- what is under way


def test_the_source_of_a_write_back_is_not_given_away():
    "H2: nobody may write to it until its bytes are on the host"
    cache = cached(lab(num_blocks=4), "abcd")
    assert cache.evict(4) == 4
    assert cache.stats().num_in_transfer_blocks == 4
    with refused(OutOfBlocksError, 1, 0):
        cache.allocate(text("x"))
    cache.complete(cache.transfers)
    assert start(cache, "x").block_table.tolist() != []


def test_a_taker_gets_the_write_backs_of_its_blocks_in_front():
    "H2: it runs them before it writes, and may complete them much later"
    cache = cached(lab(num_blocks=4), "abcd")
    sequence = cache.allocate(text("wxyz"))
    assert [t.kind for t in sequence.copies] == ["write_back"] * 4
    assert {t.src for t in sequence.copies} == set(sequence.block_table.tolist())
    cache.write(sequence)
    cache.release(sequence)
    assert cache.stats().num_free_blocks == 0  # bytes may still be read from all of them
    cache.complete(sequence.copies)
    assert start(cache, "abc.").host_hit_tokens == 12


def test_the_source_of_a_load_back_is_held():
    "H2: its host blocks are free when the bytes have arrived, not before"
    cache = on_host("abcd", num_host_blocks=4)
    sequence = cache.allocate(text("abcd."))
    assert cache.stats().num_free_host_blocks == 0
    cache.complete(sequence.copies)
    assert cache.stats().num_free_host_blocks == 4


def test_what_is_being_loaded_back_is_not_evicted():
    "H2: the destination is locked, though the request is gone"
    cache = on_host("abcd")
    sequence = cache.allocate(text("abcd."))
    cache.abort(sequence)
    assert cache.evict(4) == 0
    cache.complete(sequence.copies)
    assert cache.evict(4) == 4


def test_a_pending_write_back_makes_nobody_copy():
    "C3: the block has a second holder, but a single table"
    cache = cached(lab(num_blocks=4), "abcd")
    sequence = cache.allocate(text("wx."))
    assert cache.append(sequence, [1, 2]) == []
    assert cache.stats().copied_blocks == 0


def test_what_is_in_transfer_cannot_be_committed():
    "M11"
    cache = cached(lab(num_blocks=4), "abcd")
    sequence = cache.allocate(text("wxyz"))
    cache.write(sequence)
    with refused(TransferError, "write-back"):
        cache.commit(sequence, 16)
    cache.complete(sequence.copies)
    cache.commit(sequence, 16)


def test_a_second_append_before_the_copy_is_complete_copies_nothing():
    "C3: the copy is the sequence's own already"
    cache = lab()
    first = cache.allocate(text("a."))
    cache.write(first)
    second = cache.fork(first)
    assert len(cache.append(second, [1])) == 1
    assert cache.append(second, [2]) == []


def test_a_load_back_may_read_what_is_still_being_written_back():
    "H1: in execution order"
    cache = cached(lab(num_blocks=10), "abcd")
    cache.evict(4)
    sequence = cache.allocate(text("abcd."))
    assert sequence.host_hit_tokens == 16
    assert [t.kind for t in cache.transfers] == ["write_back"] * 4 + ["load_back"] * 4
    cache.complete(sequence.copies)  # the later ones first
    cache.complete(cache.transfers)
    assert cache.stats().num_free_host_blocks == 16


def test_a_reset_waits_for_transfers():
    "L11"
    cache = cached(lab(), "abcd")
    cache.evict(2)
    with refused(CacheError, "2 transfers"):
        cache.reset()
    cache.complete(cache.transfers)
    cache.reset()
    assert (drawn(cache), cache.stats().num_free_host_blocks) == ("", 16)


# ---- the host is full


def test_a_load_back_cannot_drop_what_it_loads():
    "H3: room for it is made on the device, therefore on the host, which has only its own blocks"
    cache = cached(lab(num_blocks=4, num_host_blocks=4), "abcd", "wxyz")
    cache.complete(cache.transfers)
    assert drawn(cache) == "[abcd]|wxyz"
    sequence = start(cache, "abc.")
    assert (sequence.hit_tokens, sequence.host_hit_tokens) == (12, 12)


def test_what_is_loaded_back_is_not_overwritten_by_what_makes_room_for_it():
    "H3: its host blocks are not the ones that the victims are written back to"
    manager, canary = KVCacheManager(CacheConfig(4, 4, num_host_blocks=4)), KVCanary(4, 4, 4)
    for prompt in ("abcd", "wxyz", "abc."):
        sequence = manager.allocate(text(prompt))
        canary.run(sequence.copies)
        manager.complete(sequence.copies)
        canary.write(sequence)
        canary.read(sequence)
        manager.commit(sequence, sequence.num_tokens)
        manager.release(sequence)
    check(manager)


def test_a_full_host_drops_its_least_recent_tail_first():
    "H4: what was dropped is counted as that"
    cache = on_host("abcd", "efgh", num_host_blocks=8)
    run_request(cache, "xy")
    cache.evict(2)
    assert drawn(cache) == "[ab]|[efgh]|[xy]"
    assert (cache.stats().written_back_blocks, cache.stats().dropped_blocks) == (10, 2)
    (gone,) = cache.happened(BlockRemoved)
    assert (gone.reason, sum(count for _, count in gone.block_runs)) == ("host full", 2)


def test_what_the_host_cannot_take_is_dropped():
    "H4: dropped, and not counted as written back"
    cache = cached(lab(num_host_blocks=3), "abcdefgh")
    assert cache.evict(8) == 8
    assert drawn(cache) == "[abc]"
    stats = cache.stats()
    assert (stats.evicted_blocks, stats.written_back_blocks, stats.dropped_blocks) == (8, 3, 5)


def test_nothing_is_left_below_what_is_dropped():
    "H6 E2: on the host too, a prefix is useless without its beginning"
    cache = cached(lab(num_blocks=6, num_host_blocks=2), "abcdef")
    cache.evict(2)  # [ef] is on the host, its write-back under way
    cache.evict(4)
    assert drawn(cache) == "[ab]"
    cache.complete(cache.transfers)
    assert cache.stats().num_free_host_blocks == 0


@pytest.mark.parametrize("completed", [True, False])
@pytest.mark.parametrize("steps", [(1, 1), (2, 1), (1, 2), (1, 1, 1), (2, 2), (1, 1, 1, 1), (3, 1)])
@pytest.mark.parametrize("num_host_blocks", [1, 2, 3])
def test_evictions_before_the_bytes_arrive_keep_as_much_as_after(num_host_blocks, steps, completed):
    "H6 H2: blocks to which bytes are still on their way can be taken for what is evicted later"
    cache = cached(lab(num_blocks=6, num_host_blocks=num_host_blocks), "abcd")
    for num_blocks in steps:
        assert cache.evict(num_blocks) == num_blocks
        if completed:
            cache.complete(cache.transfers)
    cache.complete(cache.transfers)
    left = 4 - sum(steps)
    on_host = min(num_host_blocks, sum(steps))
    sequence = cache.allocate(text("abcd."))
    assert sequence.hit_tokens == 4 * (left + on_host)
    cache.complete(sequence.copies)
    cache.canary.read(sequence, sequence.hit_tokens)


def test_parents_evicted_after_their_children_take_their_place():
    "H6: one admission gives up leaves, then the nodes above them, before any byte has moved"
    cache = cached(lab(num_blocks=4, num_host_blocks=2), "abc", "abd")
    cache.allocate(text("wxyz"))
    cache.complete(cache.transfers)
    assert drawn(cache) == "[ab]"


def test_only_what_left_the_whole_cache_was_evicted():
    "the reason of a miss"
    cache = cached(lab(num_host_blocks=2, explain=True), "abcd")
    cache.evict(4)
    cache.complete(cache.transfers)
    sequence = start(cache, "abcd.")
    assert (sequence.hit_tokens, sequence.miss_reason) == (8, "evicted")


# ---- the tiers as a whole


def test_the_tiers_are_counted_apart():
    "H7 T6: the counters are those of the events"
    cache = lab(num_host_blocks=6)
    for prompt in ("abcd", "efgh", "abx", "ijkl", "abcd.", "efgh", "mn"):
        run_request(cache, prompt)
    stats, blocks = cache.stats(), {}
    for event in cache.happened(WrittenBack, LoadedBack, BlockRemoved):
        name = type(event).__name__
        blocks[name] = blocks.get(name, 0) + sum(count for _, count in event.block_runs)
    assert blocks["WrittenBack"] == stats.written_back_blocks > 0
    assert blocks["LoadedBack"] == stats.loaded_back_blocks > 0
    assert blocks["BlockRemoved"] == stats.dropped_blocks > 0


def test_a_host_block_freed_twice_raises():
    "H7"
    cache = on_host("ab")
    with refused(DoubleFreeError, 5):
        cache.manager.host.allocator.free(np.array([5], np.int32))


def test_decode_goes_on_over_a_prefix_that_was_on_the_host():
    cache = on_host("abcd")
    sequence = start(cache, "abcd.")
    for token in range(9):
        grow(cache, sequence, [token])
        cache.commit(sequence, sequence.num_tokens)
    child = cache.fork(sequence)
    grow(cache, child, [7])
    for running in (sequence, child):
        cache.release(running)
    check(cache.manager)


@pytest.mark.parametrize("num", [-1, True, 2.5])
def test_a_host_of_no_size_is_refused(num):
    with pytest.raises(ConfigError, match="num_host_blocks"):
        CacheConfig(8, num_host_blocks=num)


def test_a_large_host_keeps_the_hit_rate_of_an_endless_pool():
    "a working set three times the device pool: at least 90 % of what an endless pool would hit"

    def served(num_blocks: int, num_host_blocks: int = 0) -> tuple[float, int]:
        manager = KVCacheManager(CacheConfig(num_blocks, num_host_blocks=num_host_blocks))
        result = replay(manager, GENERATORS["tenants"](300, 0))
        return result.token_hit_rate, manager.tree.num_blocks

    endless, working_set = served(100_000)
    alone, with_host = served(working_set // 3)[0], served(working_set // 3, working_set)[0]
    assert alone < 0.9 * endless <= with_host
