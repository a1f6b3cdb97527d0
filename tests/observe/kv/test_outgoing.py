"""What we publish is what we cache: a reader of our KV events finds what our manager finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radixlab.cache import KVCacheManager
from radixlab.cache.tokens import Tokens
from radixlab.config import CacheConfig
from radixlab.observe import snapshot
from radixlab.observe.kv.mirror import UnknownNodeError
from radixlab.observe.kv_events import Cleared, Outgoing, RemoteTree, Removed, Stored, encode
from tests.observe.kv.consistent import Followed
from tests.observe.lives import NAMESPACES, NUM_HOST_BLOCKS, live, small_cache

SIZE = 2


class Line:
    """Our encoder, the wire, and a reader at the other end."""

    def __init__(self, **options) -> None:
        self.out, self.events, self.num = Outgoing(SIZE), [], 0
        self.reader = Followed(**options)

    def __call__(self, event) -> None:
        self.send(self.out.hear(event))

    def send(self, told) -> None:
        if told:
            self.events += told
            assert self.reader.tree.feed(encode(self.num, told), self.num)
            self.num += 1


def assert_same(manager, tree, prompts) -> None:
    """Both tiers, and the device alone, by the manager's own look-ups."""
    for tokens, namespace in prompts:
        usable = (len(tokens) - 1) // SIZE
        found = manager.tree.find(Tokens(tokens), usable, namespace).num_blocks * SIZE
        assert tree.num_cached_tokens(tokens, namespace) == found
        here = len(manager.peek(tokens[:-1], namespace)) * SIZE
        assert tree.num_cached_tokens(tokens, namespace, medium="GPU") == here


def random_prompts(random, num: int = 6):
    for _ in range(num):
        yield random.integers(1, 3, random.integers(1, 11)), NAMESPACES[random.integers(4)]


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), host=st.sampled_from([0, NUM_HOST_BLOCKS, 9]))
def test_a_reader_finds_what_the_manager_finds_after_every_call(seed, host):
    "any run: forks, evictions, salts, host tier, resets, restarts, quarantine"
    line, random = Line(num_blocks=16, num_host_blocks=host), np.random.default_rng(seed)
    manager = small_cache(line, num_host_blocks=host)
    for _ in live(manager, seed, 40):
        assert_same(manager, line.reader.tree, random_prompts(random))
    line.reader.check()
    assert line.reader.tree.num_orphans == 0 and not line.reader.tree.faults


@pytest.mark.parametrize("seed", range(8))
def test_a_publisher_may_begin_in_mid_run(seed):
    manager, random = small_cache(), np.random.default_rng(seed)
    list(live(manager, seed, 30))
    line = Line(num_blocks=16, num_host_blocks=NUM_HOST_BLOCKS)
    line.send(line.out.begin(snapshot(manager)))
    manager.emit = line
    assert_same(manager, line.reader.tree, random_prompts(random))
    for _ in live(manager, seed + 100, 30):
        assert_same(manager, line.reader.tree, random_prompts(random))
    line.reader.check()


def run(calls, **config) -> list:
    """Return the KV events of a few calls on a small cache."""
    line = Line(num_blocks=64)
    manager = KVCacheManager(CacheConfig(**({"num_blocks": 8, "block_size": SIZE} | config)), line)
    calls(manager)
    return line.events


def serve(manager, tokens, namespace=None):
    sequence = manager.allocate(tokens, namespace)
    manager.complete(sequence.copies)
    manager.commit(sequence, len(tokens))
    return sequence


def test_a_partial_block_is_never_published():
    (event,) = run(lambda manager: serve(manager, [1, 2, 3]))
    assert (event.token_ids, len(event.block_hashes)) == ([1, 2], 1)


def test_a_fork_publishes_nothing_until_it_commits_blocks_of_its_own():
    def calls(manager):
        parent = serve(manager, [1, 2, 3])
        child = manager.fork(parent)
        manager.complete(manager.append(child, [4, 5, 6]))
        manager.commit(child, 6)

    first, second = run(calls)
    assert second.parent_block_hash == first.block_hashes[0]
    assert second.token_ids == [3, 4, 5, 6]


def test_an_eviction_is_a_removal_from_the_tail():
    def calls(manager):
        manager.release(serve(manager, [1, 2, 3, 4]))
        manager.evict(2)

    first, *removed = run(calls)
    gone = [name for event in removed for name in event.block_hashes]
    assert gone == first.block_hashes[::-1]
    assert {(type(event), event.medium) for event in removed} == {(Removed, "GPU")}


def test_a_move_to_the_host_is_stored_there_before_it_leaves_the_device():
    def calls(manager):
        manager.release(serve(manager, [1, 2, 3, 4]))
        manager.evict(2)

    first, stored, removed = run(calls, num_host_blocks=4)
    assert (type(stored), stored.medium) == (Stored, "CPU")
    assert stored.block_hashes == first.block_hashes and stored.token_ids == first.token_ids
    assert (type(removed), removed.medium) == (Removed, "GPU")


def test_a_load_back_is_stored_on_the_device_before_it_leaves_the_host():
    def calls(manager):
        manager.release(serve(manager, [1, 2, 3, 4]))
        manager.evict(2)
        manager.complete(manager.transfers)
        serve(manager, [1, 2, 3, 4, 5])

    *_, stored, removed = run(calls, num_host_blocks=4)
    assert (type(stored), stored.medium) == (Stored, "GPU")
    assert (type(removed), removed.medium) == (Removed, "CPU")


def test_a_reset_clears_all():
    def calls(manager):
        manager.release(serve(manager, [1, 2]))
        manager.reset()

    assert run(calls)[-1] == Cleared()


def test_a_salt_stands_in_the_first_block_and_an_adapter_in_every_one():
    def keys(namespace):
        def calls(manager):
            serve(manager, [1, 2, 3, 4], namespace)

        (event,) = run(calls)
        return event.extra_keys, event.lora_name

    assert keys(None) == (None, None)
    assert keys(("salt", "x")) == ([["x"], None], None)
    assert keys(("adapter", "x")) == ([["x"], ["x"]], "x")
    assert keys(("tenant", "x")) == ([[["tenant", "x"]], None], None)


def test_a_hash_names_its_whole_prefix_and_its_namespace():
    hashes = []
    for namespace in (None, ("salt", "x"), ("adapter", "x"), ("salt", ""), ("sal", "tx")):
        for prompt in ([1, 2, 3, 4], [2, 1, 3, 4]):

            def calls(manager, prompt=prompt, namespace=namespace):
                serve(manager, prompt, namespace)

            hashes += run(calls)[0].block_hashes
    assert len(set(hashes)) == len(hashes) == 20
    assert run(lambda manager: serve(manager, [1, 2, 3, 4]))[0].block_hashes == hashes[:2]


@pytest.mark.parametrize("block_size", [1, 3, 16])
def test_a_wrong_block_size_is_noticed(block_size):
    out, errors = Outgoing(block_size), []

    def listen(event):
        try:
            out.hear(event)
        except UnknownNodeError as error:
            errors.append(str(error))

    manager = KVCacheManager(CacheConfig(num_blocks=8, block_size=2), listen)
    first = serve(manager, [1, 2, 3, 4])
    manager.append(first, [5, 6])
    manager.commit(first, 6)
    assert errors


def test_a_watched_tree_is_published_too():
    from radixlab.cache import RadixTree
    from radixlab.observe import watch

    line = Line()
    tree = watch(RadixTree(SIZE), SIZE, 64, line)
    tree.insert([1, 2, 3, 4], np.array([0, 1], np.int32))
    tree.match_prefix([1, 2])
    tree.insert([1, 2, 5, 6], np.array([0, 2], np.int32))
    assert line.reader.tree.num_cached_tokens([1, 2, 5, 6, 7]) == 4
    tree.evict(3)
    assert line.reader.tree.num_cached_tokens([1, 2, 5, 6, 7]) == 0
    assert isinstance(line.reader.tree, RemoteTree) and not line.reader.tree.faults
