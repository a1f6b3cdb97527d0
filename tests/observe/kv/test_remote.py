"""A remote tree finds what the engine finds, whatever happens to the stream on its way."""

import random

import numpy as np
import pytest

from radixlab.cache import NamespaceError, TokenError
from radixlab.config import ConfigError
from radixlab.observe import Recorder, fold_all, read_recording, snapshot
from radixlab.observe.kv_events import Cleared, KVEventError, RemoteTree, Removed, Stored, encode
from tests.observe.kv.consistent import Followed, Naive
from tests.observe.kv.frames import (
    ENGINES,
    name_of,
    packed,
    random_path,
    recorded,
    stored,
    stream,
    tokens_of,
    vllm_like,
)


def fed(*events, **options) -> Followed:
    """A tree that was fed these events, one payload each."""
    followed = Followed(**options)
    for number, event in enumerate(events):
        assert followed.tree.feed(encode(number, [event]), number)
    followed.check()
    return followed


# ---- against the engines themselves


@pytest.mark.parametrize("engine", ENGINES)
def test_it_finds_what_the_engine_itself_found(engine):
    followed, num_probes = Followed(num_blocks=48, block_size=4), 0
    for row in recorded(engine):
        if "payload" in row:
            assert followed.tree.feed(row["payload"], row["seq"])
        for probe in row.get("probes", ()):
            num_probes += 1
            assert followed.tree.num_cached_tokens(probe["tokens"]) == probe["hit_tokens"]
    followed.check()
    assert num_probes == 180
    assert not followed.tree.faults and not followed.tree.gaps and not followed.tree.num_orphans


@pytest.mark.parametrize("engine", ENGINES)
def test_the_block_size_and_the_pool_need_not_be_known(engine):
    tree = RemoteTree()
    for row in recorded(engine):
        if "payload" in row:
            tree.feed(row["payload"])
        for probe in row.get("probes", ()):
            assert tree.num_cached_tokens(probe["tokens"]) == probe["hit_tokens"]
    assert tree.block_size == 4


@pytest.mark.parametrize("engine", ENGINES)
def test_its_events_make_a_recording_that_can_be_replayed(engine, tmp_path):
    tree = RemoteTree(num_blocks=48, block_size=4)
    with Recorder(tree, tmp_path / "run.jsonl"):
        for row in recorded(engine):
            if "payload" in row:
                tree.feed(row["payload"], row["seq"])
    assert fold_all(*read_recording(tmp_path / "run.jsonl")) == snapshot(tree)


# ---- any events in any order


def prompts(random, num: int = 10):
    return [tokens_of(random_path(random)) for _ in range(num)]


@pytest.mark.parametrize("seed", range(12))
def test_it_finds_what_a_dictionary_of_all_blocks_finds(seed):
    "parents that go first, children that come first, two media, resets"
    rng, followed, naive = random.Random(seed), Followed(num_blocks=200), Naive()
    for number, (events, payload) in enumerate(packed(rng, 60)):
        assert followed.tree.feed(payload, number)
        for event in events:
            naive.hear(event)
        followed.check()
        for prompt in prompts(rng):
            assert followed.tree.num_cached_tokens(prompt) == naive.num_cached_tokens(prompt)


@pytest.mark.parametrize("budget", [2, 6])
@pytest.mark.parametrize("seed", range(4))
def test_a_large_move_is_told_as_a_new_picture(seed, budget, monkeypatch):
    monkeypatch.setattr("radixlab.observe.kv.telling.BUDGET", budget)
    rng, followed = random.Random(seed), Followed(num_blocks=200)
    for number, (_, payload) in enumerate(packed(rng, 60)):
        followed.tree.feed(payload, number)
        followed.check()


@pytest.mark.parametrize("host", [0, 3])
@pytest.mark.parametrize("seed", range(4))
def test_what_does_not_fit_is_left_out_and_counted(seed, host):
    rng, followed = random.Random(seed), Followed(num_blocks=4, num_host_blocks=host)
    for number, (_, payload) in enumerate(packed(rng, 60)):
        followed.tree.feed(payload, number)
        followed.check()
        assert followed.tree.num_cached_blocks <= 4 + host
    assert followed.tree.faults["over_limit"]


@pytest.mark.parametrize("source", [stream, vllm_like])
@pytest.mark.parametrize("seed", range(12))
def test_late_payloads_end_in_the_same_tree(seed, source):
    "a fifth is lost and comes back later, in any order"
    rng, followed, whole = random.Random(seed), Followed(num_blocks=200), Followed(num_blocks=200)
    frames, late = [payload for _, payload in packed(rng, 60, source)], []
    for number, payload in enumerate(frames):
        assert whole.tree.feed(payload, number)
        if rng.random() < 0.2 and number + 1 < len(frames):
            late.append(number)
            continue
        followed.tree.feed(payload, number)
        while late and rng.random() < 0.3:
            number = late.pop(rng.randrange(len(late)))
            followed.tree.feed(frames[number], number)
        followed.check()
    rng.shuffle(late)
    for number in late:
        followed.tree.feed(frames[number], number)
    followed.check()
    assert followed.tree.gaps == []
    assert copies_in(followed.tree) == copies_in(whole.tree)
    for prompt in prompts(rng, 60):
        found = followed.tree.num_cached_tokens(prompt)
        assert found == whole.tree.num_cached_tokens(prompt)


def copies_in(tree) -> dict:
    (shard,) = tree._intake.shards.values()
    return {name: (block.copies, block.media) for name, block in shard.blocks.items()}


# ---- single rules


def test_at_least_one_token_is_left_to_compute():
    tree = fed(stored((1, 2))).tree
    found = [tree.num_cached_tokens([1, 1, 2, 2, 3][:num]) for num in range(6)]
    assert found == [0, 0, 0, 2, 2, 4]


def test_an_unknown_parent_makes_a_marked_orphan_that_is_adopted_later():
    followed = fed(stored((1, 2, 3), 1))
    tree = followed.tree
    (view,) = tree.walk()
    assert view.namespace == ("orphan of", f"{name_of((1,)):016x}") and view.parent_id is None
    assert tree.num_orphans == 2 and tree.num_cached_tokens(tokens_of((1, 2, 3, 4))) == 0
    tree.feed(encode(1, [stored((1,))]), 1)
    followed.check()
    assert tree.num_orphans == 0 and tree.num_cached_tokens(tokens_of((1, 2, 3, 4))) == 6
    assert {view.namespace for view in tree.walk()} == {None}


def test_a_block_that_goes_alone_leaves_orphans():
    followed = fed(stored((1, 2, 3)), Removed([name_of((1, 2))]))
    assert followed.tree.num_orphans == 1
    assert followed.tree.num_cached_tokens(tokens_of((1, 2, 3, 4))) == 2
    followed.tree.feed(encode(2, [stored((1, 2), 1)]), 2)
    followed.check()
    assert followed.tree.num_cached_tokens(tokens_of((1, 2, 3, 4))) == 6


def test_a_removal_in_any_order_leaves_no_orphans():
    names = stored((1, 2, 3)).block_hashes
    for order in (names, names[::-1], [names[1], names[0], names[2]]):
        followed = fed(stored((1, 2, 3)), Removed(order))
        assert not list(followed.tree.walk()) and followed.tree.num_orphans == 0
        assert followed.state.evicted_blocks == 3


def test_two_media_must_both_let_go_of_a_block():
    path, names = (1, 2), stored((1, 2)).block_hashes
    followed = fed(stored(path), stored(path, medium="CPU"))
    tree, prompt = followed.tree, tokens_of((1, 2, 3))
    tree.feed(encode(2, [Removed(names, "GPU")]), 2)
    followed.check()
    assert (tree.num_cached_tokens(prompt), tree.num_cached_tokens(prompt, medium="GPU")) == (4, 0)
    assert [view.resident for view in tree.walk()] == [False]
    tree.feed(encode(3, [stored(path)]), 3)
    assert [view.resident for view in tree.walk()] == [True]
    tree.feed(encode(4, [Removed(names, "CPU"), Removed(names, "GPU")]), 4)
    followed.check()
    assert tree.num_cached_tokens(prompt) == 0


def test_vllms_duplicates_are_counted_and_other_repetitions_are_not():
    names = stored((1,)).block_hashes
    for group, left in ((0, 2), (None, 0)):
        twice = [stored((1,), group_idx=group)] * 2
        tree = fed(*twice, Removed(names, group_idx=group)).tree
        assert tree.num_cached_tokens([1, 1, 2]) == left


def test_names_without_content_stand_for_known_blocks():
    "vLLM's offloading says only which blocks it has"
    names = stored((1, 2)).block_hashes
    tree = fed(stored((1, 2)), Stored([*names, 7], None, [], 0, medium="CPU")).tree
    assert tree.faults == {"unknown_block": 1}
    tree.feed(encode(2, [Removed(names)]), 2)
    assert tree.num_cached_tokens([1, 1, 2, 2, 3]) == 4


def test_a_salt_and_an_adapter_are_namespaces():
    salted = Stored([1, 2], None, [5, 5, 6, 6], 2, extra_keys=[["x"], None])
    adapted = Stored([3, 4], None, [5, 5, 6, 6], 2, lora_name="x", extra_keys=[["x"], ["x"]])
    old = Stored([5], None, [5, 5], 2, lora_id=7)
    sglang = Stored([6, 8], None, [5, 5, 7, 7], 2, cache_salt="y")
    both = Stored([9], None, [5, 5], 2, lora_name="x", extra_keys=[["x", "y"]])
    tree = fed(salted, adapted, old, sglang, both).tree
    prompt = [5, 5, 6, 6, 0]
    assert tree.num_cached_tokens(prompt) == 0
    assert tree.num_cached_tokens(prompt, ("salt", "x")) == 4
    assert tree.num_cached_tokens(prompt, ("adapter", "x")) == 4
    assert tree.num_cached_tokens(prompt, ("adapter", "7")) == 2
    assert tree.num_cached_tokens([5, 5, 7, 7, 0], ("salt", "y")) == 4
    assert tree.num_cached_tokens(prompt, ("adapter and salt", "'x' and 'y'")) == 2
    assert len({view.namespace for view in tree.walk()}) == 5


def test_an_image_sets_a_block_apart():
    with_image = Stored([1, 2], None, [5, 5, 6, 6], 2, extra_keys=[None, [["an image", 3]]])
    tree = fed(with_image).tree
    assert tree.num_cached_tokens([5, 5, 6, 6, 0]) == 2
    tree.feed(encode(1, [Stored([3], 1, [6, 6], 2)]), 1)
    assert tree.num_cached_tokens([5, 5, 6, 6, 0]) == 4


def test_ranks_hold_caches_of_their_own():
    followed = Followed()
    tree = followed.tree
    tree.feed(encode(0, [stored((1, 2, 3))], rank=0), 0)
    tree.feed(encode(0, [stored((1,))], rank=1), 0)
    tree.feed(encode(1, [stored((1, 2), 1)], rank=1), 1)
    followed.check()
    prompt = tokens_of((1, 2, 3, 4))
    assert [tree.num_cached_tokens(prompt, rank=rank) for rank in (None, 0, 1, 2)] == [6, 6, 4, 0]
    assert {view.namespace for view in tree.walk()} == {("rank 0", ""), ("rank 1", "")}
    tree.feed(encode(2, [Cleared()], rank=0), 1)
    followed.check()
    assert [tree.num_cached_tokens(prompt, rank=rank) for rank in (None, 0, 1)] == [4, 0, 4]


def test_groups_of_layers_must_all_have_a_prefix():
    full, sliding = stored((1, 2, 3), group_idx=0), stored((1,), group_idx=2)
    other = stored((1, 2), group_idx=1, kv_cache_spec_kind="full_attention")
    part = Stored(*[getattr(sliding, f) for f in sliding.__match_args__[:9]], "sliding_window")
    assert fed(full, other, part).tree.num_cached_tokens(tokens_of((1, 2, 3, 4))) == 4


# ---- the order of payloads


def test_a_gap_is_shown_and_closed_again():
    tree = RemoteTree()
    for number in (0, 1, 5, 9):
        tree.feed(encode(number, [stored((number,))]), number)
    assert [(gap.first, gap.last) for gap in tree.gaps] == [(2, 4), (6, 8)]
    for number in (3, 2, 4, 8, 7, 6):
        assert tree.feed(encode(number, [stored((number,))]), number)
    assert tree.gaps == [] and tree.expected() == 10
    assert tree.num_cached_blocks == 10


def test_who_comes_late_knows_what_was_missed():
    tree = RemoteTree()
    tree.feed(encode(0, [stored((1,))]), 7)
    assert [(gap.rank, gap.first, gap.last) for gap in tree.gaps] == [(0, 0, 6)]


def test_a_duplicate_changes_nothing():
    followed = fed(stored((1,)), Removed(stored((1,)).block_hashes))
    assert not followed.tree.feed(encode(0, [stored((1,))]), 0)
    assert not list(followed.tree.walk()) and followed.tree.faults == {"duplicate": 1}


def test_a_late_payload_of_before_a_reset_is_void():
    tree = RemoteTree()
    for number, event in ((0, stored((1,))), (2, Cleared()), (3, stored((2,)))):
        tree.feed(encode(number, [event]), number)
    assert not tree.feed(encode(1, [stored((3,))]), 1)
    assert tree.faults == {"void": 1} and tree.num_cached_blocks == 1


def test_a_late_reset_spares_what_came_after_it():
    tree = RemoteTree()
    for number, event in ((0, stored((1,))), (2, stored((2,))), (1, Cleared())):
        tree.feed(encode(number, [event]), number)
    found = [tree.num_cached_tokens(prompt) for prompt in ([1, 1, 0], [2, 2, 0])]
    assert found == [0, 2] and tree.gaps == []


@pytest.mark.parametrize("missed", [0, 3])
@pytest.mark.parametrize("later", [True, False], ids=["later", "the same clock"])
def test_a_publisher_that_begins_again_is_recognised(missed, later):
    followed = fed(*[stored((number,)) for number in range(10, 20)])
    for number in range(missed, 8):
        ts = 100 + number if later else number
        followed.tree.feed(encode(ts, [stored((number,))]), number)
    followed.check()
    if later or not missed:
        assert followed.tree.num_restarts == 1
        assert followed.tree.num_cached_blocks == 8 - missed
        assert [(gap.first, gap.last) for gap in followed.tree.gaps] == [(0, 2)] * bool(missed)


def test_one_stray_payload_is_no_new_publisher():
    followed = fed(*[stored((number,)) for number in range(10, 20)])
    for stray in (0, 4, 9):
        followed.tree.feed(encode(99, [stored((99 + stray,))]), stray) if stray else None
        followed.tree.feed(encode(-1, [stored((99 + stray,))]), 0)
    followed.tree.feed(encode(100, [stored((20,))]), 10)
    followed.check()
    assert followed.tree.num_restarts == 0 and followed.tree.num_cached_blocks == 11


def test_memory_for_missing_payloads_is_bounded(monkeypatch):
    monkeypatch.setattr("radixlab.observe.kv.order.MAX_GAPS", 5)
    monkeypatch.setattr("radixlab.observe.kv.intake.MAX_TOUCHED", 50)
    tree = RemoteTree()
    for number in range(0, 200, 2):
        tree.feed(encode(number, [stored((number,))]), number)
        assert len(tree.gaps) <= 5
        assert sum(len(s.touched) for s in tree._intake.shards.values()) <= 50


# ---- what a caller does wrong, and what the stream does wrong


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda tree: tree.feed("text"), KVEventError),
        (lambda tree: tree.feed(b"", seq="1"), KVEventError),
        (lambda tree: tree.feed(b"", seq=1.0), KVEventError),
        (lambda tree: setattr(tree, "emit", 7), KVEventError),
        (lambda tree: tree.num_cached_tokens(["a"]), TokenError),
        (lambda tree: tree.num_cached_tokens([1], "salt"), NamespaceError),
        (lambda tree: RemoteTree(num_blocks=0), ConfigError),
        (lambda tree: RemoteTree(num_host_blocks=-1), ConfigError),
        (lambda tree: RemoteTree(block_size=0), ConfigError),
    ],
)
def test_a_callers_mistake_is_refused_by_name(call, error):
    with pytest.raises(error):
        call(RemoteTree())


STRANGE = {
    "no blocks": Stored([], None, [], 2),
    "too few tokens": Stored([1, 2], None, [1, 2], 2),
    "too many tokens": Stored([1], None, [1, 2, 3], 2),
    "blocks of nothing": Stored([1], None, [1], 0),
    "another block size": Stored([1], None, [1, 2, 3], 3),
    "keys for another number of blocks": Stored([1], None, [1, 2], 2, extra_keys=[None, None]),
    "a block that follows itself": Stored([1], 1, [1, 2], 2),
    "a block twice": Stored([1, 1, 1], None, [1, 2] * 3, 2),
    "a circle of two": Stored([1], 2, [1, 2], 2),
    "the other half": Stored([2], 1, [1, 2], 2),
    "a circle": Stored([1, 2, 1, 2], None, [1, 2] * 4, 2),
    "an unknown removal": Removed([7, 8]),
    "a rank of its own": Stored([1], None, [1, 2], 2, group_idx=2**40),
}


@pytest.mark.parametrize("event", STRANGE.values(), ids=STRANGE)
def test_a_strange_event_does_no_harm(event):
    followed = fed(stored((1, 2)))
    for number in (1, 2):
        assert followed.tree.feed(encode(number, [event, stored((1, 2, 3), 2)]), number)
        followed.check()
    assert followed.tree.num_cached_tokens(tokens_of((1, 2, 3, 4)), rank=0) in (0, 6)


def test_blocks_that_follow_each_other_are_dropped():
    first, second = Stored([1], 2, [1, 2], 2), Stored([2], 1, [3, 4], 2)
    assert fed(first, second).tree.faults == {"circle": 2}


def test_ranks_without_end_are_refused():
    tree = RemoteTree()
    for rank in range(1000):
        tree.feed(encode(0, [stored((1,))], rank), 0)
    assert len(tree._intake.shards) == 256 and tree.faults["too_many_ranks"] == 744


def test_a_number_that_is_none_is_refused():
    tree = RemoteTree()
    assert not any(tree.feed(encode(0, []), number) for number in (-1, 2**63, 2**70))
    assert tree.faults == {"bad_number": 3}


def test_tokens_may_be_of_any_kind_that_the_cache_takes():
    tree = fed(stored((1, 2))).tree
    for tokens in (np.array([1, 1, 2, 2, 3], np.int64), (1, 1, 2, 2, 3)):
        assert tree.num_cached_tokens(tokens) == 4
