"""The wire format is vLLM's, field for field, and whatever is not it is refused as a whole."""

import math
import tracemalloc

import msgpack
import pytest

from radixlab.observe.kv.wire import MalformedError
from radixlab.observe.kv_events import Cleared, Removed, Stored, decode, encode
from tests.observe.kv.frames import ENGINES, payloads


@pytest.mark.parametrize("engine", ENGINES)
def test_every_recorded_payload_is_read(engine):
    batches = [decode(payload) for _, payload in payloads(engine)]
    assert all(batch.events and not batch.num_unknown for batch in batches)
    assert {batch.rank for batch in batches} == {0}


def test_what_vllm_wrote_is_written_again_field_for_field():
    for _, payload in payloads("vllm_0.33.0"):
        batch = decode(payload)
        ours, theirs = encode(batch.ts, batch.events, batch.rank), msgpack.unpackb(payload)
        assert msgpack.unpackb(ours) == theirs
        assert list(map(list, msgpack.unpackb(ours)[1])) == list(map(list, theirs[1]))


def test_default_fields_are_left_out_and_those_without_default_are_not():
    _, events, rank = msgpack.unpackb(encode(1.0, [Stored([1], None, [5, 6], 2), Removed([1])], 3))
    assert list(events[0]) == [
        *("type", "block_hashes", "parent_block_hash", "token_ids", "block_size"),
        *("lora_id", "medium", "lora_name"),
    ]
    assert events[1] == {"type": "BlockRemoved", "block_hashes": [1], "medium": "GPU"}
    assert rank == 3


def test_the_arrays_of_older_versions_say_the_same():
    old = [
        ["BlockStored", [1, 2], None, [5, 6, 7, 8], 2, None, "GPU", "an adapter"],
        ["BlockRemoved", [2]],
        ["AllBlocksCleared"],
    ]
    batch = decode(msgpack.packb([0.5, old]))
    want = [Stored([1, 2], None, [5, 6, 7, 8], 2, lora_name="an adapter"), Removed([2], None)]
    assert batch.events == [*want, Cleared()]
    assert (batch.ts, batch.rank) == (0.5, 0)


def test_a_signed_hash_is_the_unsigned_one_of_its_bits():
    assert decode(encode(0, [Removed([-1])])).events == [Removed([2**64 - 1])]


def test_digests_may_be_bytes():
    event = Stored([b"\x01" * 32], b"\x02" * 32, [5, 6], 2)
    assert decode(encode(0, [event])).events == [event]


def test_an_event_of_another_type_is_counted():
    batch = decode(msgpack.packb([0, [{"type": "BlockMoved", "where": 1}, {"type": "BlockRemoved",
        "block_hashes": [1]}], None]))  # fmt: skip
    assert (batch.events, batch.num_unknown) == ([Removed([1], None)], 1)


GOOD = {
    "type": "BlockStored", "block_hashes": [1], "parent_block_hash": None, "token_ids": [5, 6],
    "block_size": 2, "lora_id": None, "medium": "GPU", "lora_name": None,
}  # fmt: skip
BAD_FIELDS = {
    "block_hashes": [None, 7, "x", [1.5], [[1]], [True], [b""], [b"x" * 2000], {1: 2}],
    "parent_block_hash": ["x", 1.0, [1], True, b""],
    "token_ids": [
        None,
        "ab",
        [1.0],
        [True, 2],
        [2**31, 1],
        [-(2**31) - 1, 1],
        [[1, 2]],
        [math.nan],
    ],
    "block_size": [None, -1, 2.0, "2", True, 2**40],
    "lora_id": [-1, "x", True, 1.0],
    "medium": [7, ["GPU"], "x" * 2000],
    "lora_name": [7, [], "x" * 2000],
    "extra_keys": [7, "x", ["x"], [[[["deep"]]]], [["x" * 2000]], [{}], [[{}]]],
    "group_idx": [-1, "x", True],
    "kv_cache_spec_kind": [3],
    "cache_salt": [3, "x" * 2000],
    "type": [None, 3, ["BlockStored"]],
}
VARIANTS = [(name, value) for name, values in BAD_FIELDS.items() for value in values]


@pytest.mark.parametrize(("name", "value"), VARIANTS)
def test_a_field_of_the_wrong_type_refuses_the_payload(name, value):
    assert decode(msgpack.packb([0, [GOOD], None])).events
    with pytest.raises(MalformedError):
        decode(msgpack.packb([0, [GOOD, GOOD | {name: value}], None]))


PAYLOADS = {
    "empty": b"",
    "truncated": encode(0.0, [Removed([1])])[:-3],
    "more than one object": encode(0.0, []) + b"\x00",
    "no array": msgpack.packb({"ts": 0}),
    "too short": msgpack.packb([0.0]),
    "no events": msgpack.packb([0.0, None, 0]),
    "a time that is none": msgpack.packb([math.nan, [], 0]),
    "an endless time": msgpack.packb([math.inf, [], 0]),
    "a time as text": msgpack.packb(["now", [], 0]),
    "a negative rank": msgpack.packb([0.0, [], -1]),
    "a huge rank": msgpack.packb([0.0, [], 2**40]),
    "a rank as text": msgpack.packb([0.0, [], "0"]),
    "an array that claims 4 billion items": b"\xdd\xff\xff\xff\xff",
    "a map that claims 4 billion items": b"\x92\x00\xdf\xff\xff\xff\xff",
    "a text that claims 4 GB": b"\x92\x00\xdb\xff\xff\xff\xffabc",
    "nested 100,000 deep": b"\x91" * 100_000,
    "text that is not UTF-8": b"\x92\x00\x91\x81\xa4type\xa2\xff\xfe",
    "a list as key": b"\x92\x00\x91\x81\x90\x01",
    "an extension": msgpack.packb([0, [msgpack.ExtType(5, b"x")], 0]),
    "an event without type": msgpack.packb([0, [{}], 0]),
    "an empty array as event": msgpack.packb([0, [[]], 0]),
    "a number as event": msgpack.packb([0, [7], 0]),
}


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_bytes_that_are_no_payload_are_refused(payload):
    with pytest.raises(MalformedError):
        decode(payload)


ORDER = {
    "BlockStored": (*list(GOOD)[1:], "extra_keys", "group_idx", "kv_cache_spec_kind"),
    "BlockRemoved": ("block_hashes", "medium", "group_idx"),
}
"""vLLM's order of the fields when events were arrays."""
IN_ARRAYS = [
    (kind, name, value)
    for kind, names in ORDER.items()
    for name, value in VARIANTS
    if name in names
]


def as_array(kind: str, fields: dict) -> list:
    return [kind, *(fields.get(name) for name in ORDER[kind])]


@pytest.mark.parametrize(("kind", "name", "value"), IN_ARRAYS)
def test_so_does_one_in_the_arrays_of_older_versions(kind, name, value):
    good = as_array(kind, GOOD)
    assert decode(msgpack.packb([0, [good], None])).events
    with pytest.raises(MalformedError):
        decode(msgpack.packb([0, [good, as_array(kind, GOOD | {name: value})], None]))


MORE = [None, "x" * 10_000, [[[]]], {"a": {"b": [1]}}, math.nan, -1, b"\0" * 5000]


@pytest.mark.parametrize("more", MORE, ids=lambda value: f"{value!r:.20}")
def test_fields_that_a_later_version_adds_are_left_alone(more):
    "in a map under a new name; in an array behind the known ones; in the payload at its end"
    old = as_array("BlockStored", GOOD)
    events = [GOOD | {"new_field": more}, [*old, more], ["AllBlocksCleared", more]]
    batch = decode(msgpack.packb([0.0, events, 3, more]))
    assert batch.events == [*decode(msgpack.packb([0, [GOOD] * 2])).events, Cleared()]
    assert batch.rank == 3


def names(num: int) -> bytes:
    return b"".join(b"\xa4%04x\xc0" % number for number in range(num))


BLOATED = {
    "a map of 50,000 names": b"\xdf" + (50_000).to_bytes(4, "big") + names(50_000),
    "100,000 extensions": b"\xdd" + (100_000).to_bytes(4, "big") + b"\xd4\x05x" * 100_000,
    "100,000 times": b"\xdd" + (100_000).to_bytes(4, "big") + b"\xd6\xff\0\0\0\1" * 100_000,
}


@pytest.mark.parametrize("item", BLOATED.values(), ids=BLOATED)
def test_what_takes_far_more_memory_than_bytes_is_refused_before_it_exists(item):
    payload = b"\x92\x00" + item
    tracemalloc.start()
    with pytest.raises(MalformedError):
        decode(payload)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * len(payload)  # a reference to each item takes as much


@pytest.mark.parametrize("item", [b"\x80", b"\x90"], ids=["maps", "arrays"])
def test_a_million_empty_containers_are_refused_before_they_exist(item, monkeypatch):
    monkeypatch.setattr("radixlab.observe.kv.wire.MAX_CONTAINERS", 2**12)
    num = 2**20
    payload = b"\x92\x00\xdd" + num.to_bytes(4, "big") + item * num
    tracemalloc.start()
    with pytest.raises(MalformedError):
        decode(payload)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12_000_000  # the list's own memory is 8 bytes an item


def test_an_oversize_payload_is_not_looked_at():
    with pytest.raises(MalformedError, match="oversize"):
        decode(bytes(1001), max_bytes=1000)
