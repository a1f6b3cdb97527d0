"""Frames that were changed on their way, or made to do harm: counted, dropped, forgotten."""

import random
import tracemalloc

import msgpack
import pytest

pytest.importorskip("zmq", reason="pyzmq is not installed: the extra `serve` brings it")

from radixlab.observe import Recorder, fold_all, read_recording
from radixlab.observe.kv.subscriber import EventWatch
from radixlab.observe.kv_events import RemoteTree, Removed, Stored, encode
from tests.observe.kv.consistent import Followed, check_structure
from tests.observe.kv.frames import ENGINES, payloads


def flipped(rng, payload: bytes) -> bytes:
    changed = bytearray(payload)
    for _ in range(rng.randint(1, 4)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def cut(rng, payload: bytes) -> bytes:
    return payload[: rng.randrange(len(payload))]


def spliced(rng, payload: bytes) -> bytes:
    where = rng.randrange(len(payload))
    return payload[:where] + rng.randbytes(rng.randint(1, 9)) + payload[where:]


def swapped(rng, payload: bytes) -> bytes:
    return msgpack.packb(_swapped(rng, msgpack.unpackb(payload)))


def _swapped(rng, value):
    """Replace, repeat, drop or shuffle parts of a payload that stays msgpack."""
    if rng.random() < 0.03:
        return rng.choice(PARTS)
    if isinstance(value, list):
        items = [_swapped(rng, item) for item in value]
        if rng.random() < 0.05:
            rng.shuffle(items)
        return items * rng.choice([1] * 15 + [3]) if items else items
    if isinstance(value, dict):
        items = {key: _swapped(rng, item) for key, item in value.items()}
        if rng.random() < 0.05:
            items.pop(rng.choice(list(items)))
        return items
    return value


PARTS = [
    *(None, True, -1, 0, 2**31, 2**63, 2**64 - 1, -(2**63), float("nan"), float("inf")),
    *("x" * 3000, b"\0" * 40, [], {}, [[]] * 50, [None], [0] * 1000, msgpack.ExtType(3, b"z")),
    *({"type": "BlockStored"}, ["BlockRemoved"], {"type": "AllBlocksCleared"}),
]
WAYS = (flipped, cut, spliced, swapped)


def attack(engine: str, seed: int, num_frames: int) -> int:
    """Feed an engine's frames with changed ones among them; return how many were changed."""
    rng, num_changed = random.Random(seed), 0
    followed = Followed(num_blocks=100, num_host_blocks=rng.choice([0, 100]), block_size=4)
    for number, payload in payloads(engine)[:num_frames]:
        for _ in range(rng.randint(0, 4)):
            seq = rng.choice([None, number, number + rng.randint(-3, 3), rng.randrange(2**64)])
            followed.tree.feed(rng.choice(WAYS)(rng, payload), seq)
            num_changed += 1
        followed.tree.feed(payload, number)
        if number % 10 == 0:
            followed.check()
    followed.check()
    assert sum(followed.tree.faults.values()) > 0
    return num_changed


@pytest.mark.parametrize("engine", ENGINES)
def test_changed_frames_raise_nothing_and_leave_a_consistent_tree(engine):
    assert sum(attack(engine, seed, 350) for seed in range(4)) > 2500


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 110))
@pytest.mark.parametrize("engine", ENGINES)
def test_many_changed_frames_raise_nothing(engine, seed):
    attack(engine, seed, 600)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_recording_of_changed_frames_can_be_read(engine, tmp_path):
    for seed in range(3):
        rng, tree = random.Random(seed), RemoteTree(num_blocks=100, num_host_blocks=50)
        with Recorder(tree, tmp_path / "run.jsonl"):
            for number, payload in payloads(engine)[:150]:
                for _ in range(2):
                    tree.feed(rng.choice(WAYS)(rng, payload), rng.choice([None, number + 7]))
                tree.feed(payload, number)
        assert fold_all(*read_recording(tmp_path / "run.jsonl")) == tree.snapshot()


LONG = "x" * 1000
EXTREMES = {
    "an adapter and a salt of 1,000 characters": {"lora_name": LONG, "cache_salt": LONG},
    "a salt of 1,000 quotes": {"lora_name": "'" * 1000, "cache_salt": "\"'\\" * 300},
    "a salt of 1,000 characters in the keys": {"extra_keys": [[LONG]]},
    "a pair of 1,000 characters each": {"extra_keys": [[[LONG, LONG]]]},
    "a long digest as parent": {"parent_block_hash": b"\xff" * 64},
    "the largest group": {"group_idx": 2**63 - 1, "cache_salt": LONG},
    "control characters": {"cache_salt": "\x00\x1b\u202e\ud7ff"},
    "the largest token ids": {"token_ids": [2**31 - 1, -(2**31)]},
}


@pytest.mark.parametrize("size", [None, 2])
@pytest.mark.parametrize("fields", EXTREMES.values(), ids=EXTREMES)
def test_a_recording_of_extreme_values_can_be_read(fields, size, tmp_path):
    tree = RemoteTree(num_blocks=100, block_size=size)
    good = {"block_hashes": [1], "parent_block_hash": None, "token_ids": [5, 6], "block_size": 2}
    first = encode(0, [Stored(**good | fields)], rank=2**31 - 1)
    tree.feed(first, 3, "a" * 300)
    with Recorder(tree, tmp_path / "run.jsonl"):
        tree.feed(encode(0, [Stored(**good | fields | {"block_hashes": [2]})], rank=7), 2**53 - 1)
        tree.feed(encode(0, [Stored(**good | {"block_hashes": [3]})]), 2**63 - 1)
    assert fold_all(*read_recording(tmp_path / "run.jsonl")) == tree.snapshot()


def messages(rng, payload: bytes):
    """Messages as a stranger might send them: parts that are missing, long, empty or swapped."""
    number = rng.choice([b"", b"\xff" * 8, bytes(8), rng.randbytes(rng.randint(0, 20))])
    parts = [
        rng.choice([b"", b"kv", b"\xff" * 300]),
        number,
        rng.choice([payload, b"", payload[:9]]),
    ]
    rng.shuffle(parts) if rng.random() < 0.3 else None
    return rng.choice([parts, parts[:2], parts[:1], [], [b"", *parts], parts * 3])


@pytest.mark.parametrize("seed", range(4))
def test_strange_messages_are_counted_and_leave_a_consistent_tree(seed):
    "from the publisher, and as answers of a replay that nobody asked"
    rng = random.Random(seed)
    with EventWatch("tcp://127.0.0.1:1", "tcp://127.0.0.1:1", block_size=4) as watch:
        for number, payload in payloads("vllm_0.33.0")[:150]:
            for _ in range(3):
                watch.links[0].take(messages(rng, payload), rng.random() < 0.5)
            watch.links[0].take([b"", number.to_bytes(8, "big"), payload], False)
        check_structure(watch.tree)
        assert watch.num_frames == 600 and watch.num_odd_frames > 100
        assert "messages refused" in watch.doubt()


def test_memory_is_bounded_by_the_pool_whatever_is_sent():
    tree, rng = RemoteTree(num_blocks=500, num_host_blocks=500), random.Random(0)
    peaks = []
    tracemalloc.start()
    for _ in range(3):
        for number in range(400):
            event = rng.choice([rogue_chain, rogue_orphans, rogue_names, rogue_salts])(rng)
            tree.feed(encode(number, [event], rank=rng.randrange(4)), rng.choice([None, number]))
        check_structure(tree)
        assert tree.num_cached_blocks <= 1000
        peaks.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert peaks[2] < 1.3 * peaks[1] + 200_000


def rogue_chain(rng):
    names = [rng.randrange(2**64) for _ in range(20)]
    return Stored(names, None, [rng.randrange(2**31) for _ in range(40)], 2)


def rogue_orphans(rng):
    return Stored([rng.randrange(2**64)], rng.randrange(2**64), [1, 2], 2, medium="CPU")


def rogue_names(rng):
    "one content under ever new names"
    return Stored([rng.randrange(2**64)], None, [1, 2], 2)


def rogue_salts(rng):
    return Stored([rng.randrange(2**64)], None, [1, 2], 2, extra_keys=[[rng.randbytes(9).hex()]])


def test_work_is_bounded_by_the_payload():
    "thousands of splits, moves and adoptions of a large subtree, in one payload each"
    tree = RemoteTree(num_blocks=30_000)
    path = tuple(range(20_000))
    names = [number + 1 for number in path]
    tree.feed(encode(0, [Stored(names, None, list(path), 1)]), 0)
    heard = []
    tree.emit = heard.append
    first = Stored([1], None, [0], 1)
    tree.feed(encode(1, [Removed([1]), first] * 500), 1)
    assert tree.num_orphans == 0 and len(heard) < 4 * 4096
    side = [Stored([10**6 + n], n + 1, [7], 1) for n in range(500)]
    tree.feed(encode(2, side), 2)
    tree.feed(encode(3, [Removed([name]) for name in names[:500]]), 3)
    check_structure(tree)
    assert tree.num_cached_tokens([0, 1, 2]) == 0
