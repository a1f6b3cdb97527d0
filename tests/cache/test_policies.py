"""Each policy does what its definition says, and only that one does."""

from itertools import pairwise
from string import ascii_lowercase
from types import SimpleNamespace

import numpy as np
import pytest

from radixlab.cache import KVCacheManager
from radixlab.cache.eviction import POLICIES, LeafHeap
from radixlab.config import CacheConfig
from radixlab.events import BlockRemoved
from radixlab.observe.state import expand
from tests.cache.helpers import Checked, ids, text
from tests.cache.test_policy import busy_step

EACH = pytest.mark.parametrize("name", POLICIES)

TWICE = "a" + "".join(f" {new} {old}" for old, new in pairwise(ascii_lowercase))

ORDERS = {  # policy: (pool of blocks of one token, requests, the order in which all blocks then go)
    # d was stored first, but used last.
    "fifo": (12, "d a b d", "dab"),
    "mru": (12, "d a b d", "dba"),
    # i j and f have one hit each, e has none: e goes, though it is the latest.
    "lfu": (5, "f ij ij f e", "ejif"),
    # d and a were hit and b was not; the last hit made too many protected, so d was let go.
    "slru": (12, "d d a a b", "dba"),
    # j is deeper than f: it costs more to compute again.
    "gdsf": (12, "ij f d d", "fjid"),
    # c was used in the small queue and moved on; b's two hits buy it no second move.
    "s3fifo": (12, "b a c c b", "abc"),
    # d matters more (3) than c, which was used later.
    "priority": (5, "b b d!3 c", "bcd"),
    # By recency alone: neither x's priority nor z's rarity matters.
    "lru": (5, TWICE + " x!2 z w", "yxzw"),
    # Letters came twice, two requests apart, and never again, until w did: z's second time is due.
    "adaptive": (5, TWICE + " w", "xywz"),
}


def order_of_eviction(policy, num_blocks: int, requests: str) -> str:
    """Serve requests of one-token blocks, `abc!2` with priority 2; then evict everything."""
    manager, names, gone = KVCacheManager(CacheConfig(num_blocks, 1), policy=policy), {}, []
    for request in requests.split():
        prompt, _, priority = request.partition("!")
        sequence = manager.allocate(text(prompt + ".", 1), priority=int(priority or 0))
        manager.commit(sequence, len(prompt))
        names.update(zip(sequence.block_table.tolist(), prompt, strict=False))
        manager.release(sequence)
    manager.emit = lambda event: gone.append(event) if isinstance(event, BlockRemoved) else None
    manager.evict(num_blocks)
    return "".join(names[block] for event in gone for block in reversed(expand(event.block_runs)))


@EACH
def test_the_order_of_a_policy_is_its_own(name):
    "E3: on the trace made for it, this policy evicts in this order, and no other does"
    num_blocks, requests, expected = ORDERS[name]
    orders = {p: order_of_eviction(POLICIES[p](), num_blocks, requests) for p in POLICIES}
    assert orders[name] == expected
    assert [p for p, order in orders.items() if order == expected] == [name]


@EACH
@pytest.mark.parametrize("seed", range(3))
def test_no_policy_ever_evicts_a_locked_or_an_inner_block(name, seed):
    "E1 L4: in random lives with forks, under every oracle; a wrong victim raises PolicyError"
    random = np.random.default_rng(seed)
    lab = Checked(num_blocks=12, policy=POLICIES[name]())
    for _ in range(60):
        busy_step(lab, random)
    for sequence in list(lab.sequences.values()):
        lab.release(sequence)
    lab.evict(lab.stats().num_cached_blocks)
    assert lab.stats().num_free_blocks == 12


def churn(policy, num_requests: int, num_blocks: int = 64, seed: int = 0) -> KVCacheManager:
    """Serve a mixture of hot, warm and new prompts through a small pool."""
    manager, random = KVCacheManager(CacheConfig(num_blocks, 1), policy=policy), np.random
    random = np.random.default_rng(seed)
    for number in range(num_requests):
        family = int(random.integers(20)) if random.random() < 0.7 else 100 + number
        prompt = [family, *random.integers(3, size=int(random.integers(1, 6))), -1]
        sequence = manager.allocate([int(token) for token in prompt])
        manager.commit(sequence, len(prompt) - 1)
        manager.release(sequence)
    return manager


def num_kept(thing, seen=None) -> int:
    """Count everything in the containers of a policy."""
    seen = set() if seen is None else seen
    if id(thing) in seen or isinstance(thing, str | bytes | int | float):
        return 0
    seen.add(id(thing))
    if isinstance(thing, dict | list | set | tuple):
        items = thing.values() if isinstance(thing, dict) else thing
        return len(thing) + sum(num_kept(x, seen) for x in items if not hasattr(x, "children"))
    return sum(num_kept(value, seen) for value in getattr(thing, "__dict__", {}).values())


@EACH
def test_what_a_policy_remembers_is_bounded(name):
    "After three times the traffic it keeps no more: nodes, ghosts and stale entries are bounded."
    few, many = POLICIES[name](), POLICIES[name]()
    churn(few, 3000)
    churn(many, 9000)
    assert num_kept(many) <= 1.5 * num_kept(few) + 100


@EACH
def test_a_policy_decides_alike_every_time(name):
    evicted = [churn(POLICIES[name](), 500).counts.evicted_blocks for _ in range(2)]
    trees = [sorted(churn(POLICIES[name](), 500).tree.walk(), key=str) for _ in range(2)]
    assert evicted[0] == evicted[1]
    assert trees[0] == trees[1]


class Counted:
    """A leaf that counts how often a policy looks at it."""

    looks = 0
    num_blocks, end, num_hits, priority, namespace, parent, edge = 1, 1, 0, 0, None, None, b"abcd"

    def __init__(self, id: int) -> None:
        self.id = self.tick = id

    @property
    def evictable(self) -> bool:
        Counted.looks += 1
        return True


@EACH
def test_a_decision_looks_at_few_leaves_however_many_there_are(name):
    looks = {}
    for num_leaves in (100, 10_000):
        policy = POLICIES[name]()
        for node in map(Counted, range(num_leaves)):
            policy.on_insert(node, node.tick)
            policy.on_evictable(node)
        Counted.looks = 0
        for _ in range(50):
            policy.victim()
        looks[num_leaves] = Counted.looks
    assert looks[10_000] <= looks[100] <= 50 * 4


def test_a_split_does_not_make_a_node_young_for_fifo():
    "E3: the oldest prefix stays the oldest when it is cut in two"
    assert order_of_eviction(POLICIES["fifo"](), 12, "abc d e abx") == "cdexba"


def test_a_touched_leaf_leaves_no_trace_in_mru():
    "E5: a was the newest, then b, then a again"
    assert order_of_eviction(POLICIES["mru"](), 12, "a b a c b") == "bca"


def test_a_heap_drops_what_is_stale():
    heap, leaf = LeafHeap(lambda node: node.tick), SimpleNamespace(id=1, tick=0, evictable=True)
    for tick in range(10_000):
        leaf.tick = tick
        heap.push(leaf)
    assert len(heap) <= 1024 + 1
    assert heap.first() is leaf
    leaf.evictable = False
    assert heap.first() is None


def test_blocks_keep_their_priority_only_where_the_request_was():
    lab = Checked(num_blocks=8, policy=POLICIES["priority"]())
    for drawing, priority in (("ab", 2), ("ac", 0)):
        sequence = lab.allocate(text(drawing), priority=priority)
        lab.write(sequence)
        lab.commit(sequence, sequence.num_tokens)
        lab.release(sequence)
    lab.evict(1)
    assert lab.peek(text("ab.")).tolist() == [0, 1]
    assert len(lab.peek(text("ac."))) == len(ids(0))
