"""KV events lead the map to what the cache holds: ours, and those of vLLM and SGLang."""

import os
from random import Random

import pytest

from radixlab.cache import KVCacheManager, OutOfBlocksError
from radixlab.config import CacheConfig
from radixlab.observe.kv_events import Cleared, Outgoing, RemoteTree, Removed, Stored, encode
from radixlab.route import Fleet, KVFeed, LongestPrefix, PrefixMap, Prompt, RemoteFeed, RouteError
from tests.observe.kv.frames import (
    ENGINES,
    packed,
    random_path,
    recorded,
    stream,
    tokens_of,
    vllm_like,
)
from tests.route.twins import check

SEEDS = range(60 if os.environ.get("RADIXLAB_SOAK") == "1" else 3)
BLOCK = 4


def length_of(known: PrefixMap, prompt: Prompt, slot: int = 0) -> int:
    levels = known.levels(prompt.keys, 1 << slot)
    return levels[-1][0] if levels else 0


@pytest.mark.parametrize("num_host_blocks", [0, 12])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_map_finds_what_the_manager_finds(seed, num_host_blocks):
    "With a host tier, a block counts wherever it is, as for a remote tree of the same events."
    rng, known = Random(seed), PrefixMap()
    manager = KVCacheManager(CacheConfig(24, BLOCK, num_host_blocks=num_host_blocks))
    outgoing, feed, tree = Outgoing(BLOCK), KVFeed(known, 0), RemoteTree(num_host_blocks=64)

    def listen(event):
        told = outgoing.hear(event)
        feed.hear(told)
        if told:
            tree.feed(encode(0.0, told))

    manager.emit = listen
    spaces = [None, ("salt", "x"), ("adapter", "x")]
    for _ in range(60):
        tokens = [rng.choice((1, 1, 2)) for _ in range(rng.randrange(1, 40))]
        space = rng.choice(spaces)
        prompt = Prompt.of_tokens(tokens, BLOCK, space)
        if not num_host_blocks:
            assert length_of(known, prompt) == len(manager.peek(tokens, space))
        usable = Prompt(prompt.keys[: (len(tokens) - 1) // BLOCK])
        assert length_of(known, usable) * BLOCK == tree.num_cached_tokens(tokens, space)
        try:
            sequence = manager.allocate(tokens, space)
        except OutOfBlocksError:
            continue
        manager.complete(sequence.copies)
        manager.commit(sequence, len(tokens))
        manager.release(sequence)
        if rng.random() < 0.05:
            manager.complete(manager.transfers)
            manager.reset()
            assert known.is_empty
        check(known)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_recorded_streams_of_others_lead_to_what_those_engines_found(engine):
    fleet = Fleet(["a", "b"])
    rule, tree = LongestPrefix(fleet, "events"), RemoteTree()
    RemoteFeed(rule.feed_of("b"), tree)
    num_probes = 0
    for row in recorded(engine):
        if "payload" in row:
            tree.feed(row["payload"], row["seq"])
        for probe in row.get("probes", ()):
            tokens = probe["tokens"]
            prompt = Prompt.of_tokens(tokens, 4)
            usable = Prompt(prompt.keys[: (len(tokens) - 1) // 4])
            assert length_of(rule.known, usable, slot=1) * 4 == probe["hit_tokens"]
            num_probes += 1
    assert num_probes == 180
    assert not any(node.holders & 1 for node in rule.known.nodes()), "'a' has told nothing"


@pytest.mark.parametrize("source", [stream, vllm_like], ids=lambda source: source.__name__)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_map_finds_what_a_remote_tree_finds_whatever_is_published(seed, source):
    "Orphans, two media, children before parents, a block twice."
    rng, known, tree = Random(seed), PrefixMap(), RemoteTree()
    RemoteFeed(KVFeed(known, 0), tree)
    for _, payload in packed(rng, 120, source):
        tree.feed(payload)
        tokens = [*tokens_of(random_path(rng)), 5]
        prompt = Prompt.of_tokens(tokens, 2)
        assert length_of(known, prompt) * 2 == tree.num_cached_tokens(tokens)
        check(known)


def test_a_reset_a_replay_and_a_restart_leave_what_the_replica_holds():
    known, tree = PrefixMap(), RemoteTree()
    RemoteFeed(KVFeed(known, 0), tree)
    first = encode(0.0, [Stored([7, 8], None, [1, 2, 3, 4], block_size=2)])
    prompt = Prompt.of_tokens([1, 2, 3, 4], 2)
    for seq in (0, 0):
        tree.feed(first, seq)
        assert length_of(known, prompt) == 2
    tree.feed(encode(1.0, [Removed([8])]), 1)
    assert length_of(known, prompt) == 1
    tree.feed(encode(2.0, [Cleared()]), 2)
    assert known.is_empty
    tree.feed(encode(3.0, [Stored([9], 8, [3, 4], block_size=2)]), 3)
    assert length_of(known, prompt) == 0, "an orphan helps nobody"
    tree.restart()
    assert known.is_empty


def test_digests_and_their_first_64_bits_are_one_name():
    known = PrefixMap()
    feed = KVFeed(known, 0)
    feed.hear([Stored([bytes(7) + b"\x05" + bytes(24)], None, [], 16)])
    assert known.holders(5) == 1
    feed.hear([Removed([5])])
    assert known.is_empty


def test_a_rule_that_is_fed_by_prompts_refuses_a_stream():
    with pytest.raises(RouteError, match="make it with feed='events'"):
        LongestPrefix(Fleet(["a"])).feed_of("a")
