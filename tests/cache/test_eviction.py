"""Eviction: unlocked leaves only, the least recently used first, as many blocks as are missing."""

import numpy as np
import pytest

from radixlab.cache import OutOfBlocksError
from radixlab.events import BlockRemoved, PrefixMatched
from tests.cache.helpers import Checked, cached, drawn, grow, run_request, start, text


def evicted(lab: Checked) -> str:
    """Evict block by block; return what went, as letters."""
    token_of = {
        block: chr(view.tokens[i * lab.config.block_size])
        for view in lab.tree.walk()
        for i, block in enumerate(view.block_ids)
    }
    before = len(lab.events)
    for _ in range(lab.config.num_blocks):
        lab.evict(1)
    removed = [event for event in lab.events[before:] if isinstance(event, BlockRemoved)]
    return "".join(token_of[event.block_runs[0][0]] for event in removed)


def test_leaves_go_first_and_parents_follow():
    "E1"
    lab = cached(Checked(), "abc", "a.", "ab.")
    assert (drawn(lab), evicted(lab)) == ("a(b(c))", "cba")


def test_the_tail_of_a_request_is_older_than_its_head():
    "E1 E2"
    lab = cached(Checked(), "abcd")
    assert lab.evict(3) == 3
    assert drawn(lab) == "a"


def test_the_prefix_of_a_cached_block_is_always_cached():
    "E2 (llm-d-sim 704)"
    lab = cached(Checked(), "abc", "abd", "aef", "x")
    for _ in range(8):
        lab.evict(1)
        parents = {view.id for view in lab.tree.walk()} | {None}
        assert all(view.parent_id in parents for view in lab.tree.walk())


@pytest.mark.parametrize(
    ("trace", "order"),
    [
        (("a", "b", "c"), "abc"),
        (("a", "b", "a.", "c"), "bac"),
        (("ab", "cd", "ab.", "ef"), "dcbafe"),
        (("ab", "ac", "ab."), "cba"),
        (("ab", "ac", "d", "a."), "bcda"),
        (("abc", "x", "abd"), "cxdba"),
    ],
)
def test_the_least_recently_used_goes_first(trace, order):
    "E3"
    assert evicted(cached(Checked(), *trace)) == order


def test_a_split_does_not_refresh_the_half_that_was_not_matched():
    "E3 M4 (SGLang's RadixCache: the suffix looked fresh, a newer entry went instead)"
    assert evicted(cached(Checked(), "abcd", "xy", "ab.")) == "dcyxba"


def test_a_split_does_refresh_the_half_that_was_matched():
    "E3 M4 (mini-sglang PR 124: the prefix just matched went before an entry never hit)"
    assert evicted(cached(Checked(), "ab", "xy", "a.")) == "byxa"


def test_a_peek_does_not_refresh():
    "E3 M4"
    lab = cached(Checked(), "a", "b")
    lab.peek(text("a."))
    assert evicted(lab) == "ab"


def test_a_release_refreshes():
    "E3: the last use is the end of a request"
    lab = Checked()
    slow = start(lab, "a")
    cached(lab, "b")
    lab.release(slow)
    assert evicted(lab) == "ba"


def test_a_failed_admission_does_not_refresh():
    "E3 L7"
    lab = cached(Checked(num_blocks=4), "a", "b")
    running = start(lab, "xy")
    with pytest.raises(OutOfBlocksError):
        lab.allocate(text("acd"))
    lab.release(running)
    assert evicted(lab)[:2] == "ab"


@pytest.mark.parametrize("asked", [0, 1, 3, 4, 99])
def test_evict_returns_the_true_number(asked):
    "E4"
    lab = cached(Checked(), "ab", "xy")
    running = start(lab, "z")
    free = lab.stats().num_free_blocks
    assert lab.evict(asked) == min(asked, 4) == lab.stats().num_free_blocks - free
    lab.release(running)


def test_what_was_touched_after_it_became_evictable_is_not_the_victim():
    "E5 (sglang-omni 1724): entries of a lazy heap go stale"
    lab = cached(Checked(), "a", "b", "c", *("a.", "b.") * 50)
    assert evicted(lab) == "cab"


def test_what_was_removed_and_stored_again_is_young():
    "E5"
    lab = cached(Checked(), "a", "b")
    lab.evict(1)
    assert evicted(cached(lab, "a")) == "ba"


def test_what_grew_a_child_is_no_victim_until_the_child_is_gone():
    "E1 E5"
    assert evicted(cached(Checked(), "a", "x", "ab")) == "xba"


def test_an_evicted_block_is_unreachable_before_it_is_used_again():
    "E6 (nano-vllm 163, vLLM 4761)"
    lab = cached(Checked(), "ab", "xy")
    lab.evict(2)
    assert lab.peek(text("ab")).tolist() == []
    assert lab.allocate(text("ab.")).hit_tokens == 0


def test_the_kv_of_what_took_its_place_is_read_right():
    "E6 M8"
    lab = cached(Checked(num_blocks=3), "ab", "xyz", "ab")
    sequence = start(lab, "ab.")
    assert sequence.hit_tokens == 8
    lab.release(sequence)


def test_free_blocks_go_before_cached_ones():
    "E7 (vLLM 42656): partial blocks are not cached at all, so they are free at once"
    lab = cached(Checked(num_blocks=6), "ab...", "x..")
    assert lab.stats().num_free_blocks == 3
    start(lab, "klm")
    assert lab.stats().evicted_blocks == 0


def test_only_what_is_missing_is_evicted():
    "E7"
    lab = cached(Checked(num_blocks=6), "abcd")
    start(lab, "xyz")
    assert (lab.stats().evicted_blocks, drawn(lab)) == (1, "abc|xyz")


def test_a_growing_request_evicts_one_block_at_a_time():
    "E7"
    lab = cached(Checked(num_blocks=4), "abc")
    sequence = start(lab, "x")
    counts = []
    for _ in range(12):
        grow(lab, sequence, [1])
        counts.append(lab.stats().evicted_blocks)
    assert counts == [1] * 4 + [2] * 4 + [3] * 4


def test_thrash_is_visible():
    "E8: two working sets, each fits alone, together they do not"
    lab, climbing = Checked(num_blocks=4), []
    for _ in range(5):
        cached(lab, "abc.", "xyz.")
        climbing.append(lab.stats().evicted_blocks)
    assert lab.stats().hit_tokens == 0
    assert climbing == sorted(set(climbing))


def test_a_large_enough_pool_does_not_thrash():
    "E8: the control"
    lab = Checked(num_blocks=7)
    for _ in range(5):
        cached(lab, "abc.", "xyz.")
    assert (lab.stats().hit_tokens, lab.stats().evicted_blocks) == (8 * 12, 0)


# ---- the reference: one block at a time, no tree


class NaiveLRU:
    """Every cached prefix with its last use. The victim is the oldest, of equals the deepest."""

    def __init__(self) -> None:
        self.last_use: dict[str, int] = {}
        self.tick = 0

    def serve(self, prompt: str, num_blocks: int) -> set[str]:
        """Serve one request in a pool of `num_blocks`; return the prefixes that had to go."""
        blocks = [prompt[: i + 1] for i in range(len(prompt))]
        hit = [prefix for prefix in blocks[:-1] if prefix in self.last_use]
        self._touch(hit)
        gone = set()
        while len(self.last_use) - len(hit) + len(prompt) > num_blocks:
            unlocked = [prefix for prefix in self.last_use if prefix not in hit]
            victim = min(unlocked, key=lambda prefix: (self.last_use[prefix], -len(prefix)))
            del self.last_use[victim]
            gone.add(victim)
        self._touch(blocks)
        return gone

    def _touch(self, prefixes: list[str]) -> None:
        self.tick += 1
        for prefix in prefixes:
            self.last_use[prefix] = self.tick


def prefixes_in(lab: Checked) -> set[str]:
    ends, block_size = {None: ""}, lab.config.block_size
    found = set()
    for view in lab.tree.walk():
        letters = "".join(map(chr, view.tokens[::block_size]))
        found |= {ends[view.parent_id] + letters[: i + 1] for i in range(len(letters))}
        ends[view.id] = ends[view.parent_id] + letters
    return found


@pytest.mark.parametrize("seed", range(12))
def test_leaf_lru_is_exactly_lru_over_single_blocks(seed):
    "E3: a random serial trace evicts the very blocks that a block-by-block reference does"
    random = np.random.default_rng(seed)
    num_blocks, letters = int(random.integers(5, 14)), list("abc"[: random.integers(2, 4)])
    lab, reference = Checked(num_blocks=num_blocks, block_size=2), NaiveLRU()
    for _ in range(60):
        prompt = "".join(random.choice(letters, random.integers(1, 6)))
        before = prefixes_in(lab)
        run_request(lab, prompt)
        gone = reference.serve(prompt, num_blocks)
        assert prefixes_in(lab) == set(reference.last_use)
        assert before - prefixes_in(lab) == gone - prefixes_in(lab)


def test_every_eviction_says_why_and_since_when():
    "E3"
    lab = cached(Checked(num_blocks=4), "ab", "cd", "e")
    (removed,) = lab.happened(BlockRemoved)
    assert (removed.reason, removed.tick) == ("least recent", 2)
    assert len(lab.happened(PrefixMatched)) == 3
