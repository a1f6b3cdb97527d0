"""Every public argument against a table of bad values: right, or one typed line, and no change.

The table is made from the signatures, so that a new argument is covered when it comes.
"""

import inspect
from dataclasses import fields

import numpy as np
import pytest

from radixlab.cache import (
    BlockAllocator,
    CacheConfig,
    CacheError,
    ConfigError,
    KVCacheManager,
    KVCanary,
    NaiveManager,
    NumpyKVStore,
    RadixTree,
    Tokens,
    Transfer,
    check,
    match_batch,
)
from radixlab.config import SchedulerConfig
from radixlab.observe import snapshot
from radixlab.observe.codec import CompressedIds
from tests.cache.helpers import ids, text

BAD = {
    "-1": -1,
    "-9": -9,
    "2**31": 2**31,
    "2**63": 2**63,
    "2**200": 2**200,
    "10**5000": 10**5000,
    "-(2**200)": -(2**200),
    "True": True,
    "1.5": 1.5,
    "3.0": 3.0,
    "nan": float("nan"),
    "inf": float("inf"),
    "'3'": "3",
    "None": None,
    "int64": np.int64(3),
    "uint8": np.uint8(3),
    "float32": np.float32(3),
    "array": np.array(3),
    "array of two": np.array([1, 2]),
    "bool_": np.bool_(True),
    "list": [3],
    "dict": {},
    "object": object(),
}
REFUSED = (CacheError, ConfigError)


def running() -> dict:
    """A manager in the middle of things, and handles on all that it handed out."""
    config = CacheConfig(16, 4, pin_budget_blocks=4, num_host_blocks=4, explain=True)
    manager, tree = KVCacheManager(config), RadixTree(4)
    node = tree.insert(text("ab"), ids(0, 1)).node
    first = manager.allocate(text("abc."))
    manager.commit(first, 12)
    second = manager.fork(first)
    pin = manager.pin(text("ab"), ttl_ticks=5)
    transfers = manager.append(second, [1])
    return {
        "manager": manager,
        "tree": tree,
        "sequence": second,
        "node": node,
        "pin": pin,
        "receipt": tree.lock(tree.match_prefix(text("a")).node),
        "transfers": transfers,
    }


GOOD = {
    "tokens": lambda at: text("ab"),
    "token_ids": lambda at: [1, 2],
    "prompts": lambda at: [text("ab")],
    "namespace": lambda at: None,
    "namespaces": lambda at: None,
    "block_ids": lambda at: ids(3, 4),
    "slots": lambda at: ids(3, 4),
    "values": lambda at: [1.0, 2.0],
    "sequence": lambda at: at["sequence"],
    "node": lambda at: at["node"],
    "pin": lambda at: at["pin"],
    "receipt": lambda at: at["receipt"],
    "transfers": lambda at: at["transfers"],
    "start": lambda at: 2,
    "end": lambda at: 6,
    "num_tokens": lambda at: 5,
    "num_written": lambda at: 12,
    "num_blocks": lambda at: 1,
    "block_size": lambda at: 4,
    "block_id": lambda at: 0,
    "num_bytes": lambda at: 4,
    "ttl_ticks": lambda at: 5,
    "max_ids": lambda at: 9,
    "text": lambda at: CompressedIds.encode(ids(1, 2)).to_text(),
    "codec": lambda at: "delta",
    "data": lambda at: b"",
    "num_ids": lambda at: 0,
    "config": lambda at: at["manager"].config,
    "tree": lambda at: at["tree"],
}
FOR_OTHER_PARTS = {
    RadixTree: {
        *("find", "key_after", "cut", "ancestor_at", "touch", "hit", "store", "split", "take_tail"),
        *("came_to_device", "left_device", "new_id", "report_to"),
    },
    BlockAllocator: {"pop"},
}
"""Methods that a class has for the other parts of the engine, not for callers."""


def made(cls, *args, **kwargs):
    return lambda at: cls(*args, **kwargs)


def pool(at):
    allocator = BlockAllocator(8)
    allocator.share(allocator.allocate(5))
    return allocator


OBJECTS = {
    KVCacheManager: lambda at: at["manager"],
    RadixTree: lambda at: at["tree"],
    BlockAllocator: pool,
    NumpyKVStore: made(NumpyKVStore, 8, 4),
    KVCanary: made(KVCanary, 16, 4, 4),
    Tokens: made(Tokens, [1, 2, 3]),
    NaiveManager: lambda at: at["naive"],
}


def doors():
    """Yield `(name, the function for a world, its parameters)` of every public call."""
    for cls, instance in OBJECTS.items():
        yield cls.__name__, (lambda at, cls=cls: cls), inspect.signature(cls).parameters
        for name, method in inspect.getmembers(cls, inspect.isroutine):
            if not name.startswith("_") and name not in FOR_OTHER_PARTS.get(cls, ()):
                parameters = dict(list(inspect.signature(method).parameters.items())[1:])
                call = lambda at, name=name, get=instance: getattr(get(at), name)  # noqa: E731
                yield f"{cls.__name__}.{name}", call, parameters
    for cls in (CacheConfig, SchedulerConfig, CompressedIds):
        yield cls.__name__, (lambda at, cls=cls: cls), inspect.signature(cls).parameters
    for name in ("encode", "from_text"):
        method = getattr(CompressedIds, name)
        yield name, (lambda at, m=method: m), inspect.signature(method).parameters
    yield "match_batch", (lambda at: match_batch), inspect.signature(match_batch).parameters
    slots = running()["sequence"].slots
    yield "slots", (lambda at: at["sequence"].slots), inspect.signature(slots).parameters


CASES = [
    pytest.param(door, name, id=f"{where}({name})")
    for where, door, parameters in doors()
    for name, parameter in parameters.items()
    if parameter.kind is not parameter.VAR_POSITIONAL
]
SIGNATURES = {where: parameters for where, _, parameters in doors()}


def arguments(where: str, name: str, value: object, at: dict) -> dict:
    """Return sound arguments for a call, without the one named."""
    needed = {
        key: GOOD[key](at)
        for key, parameter in SIGNATURES[where].items()
        if parameter.default is parameter.empty and key != name
    }
    return needed | {name: value}


def world(where: str) -> dict:
    at = running()
    naive = NaiveManager(CacheConfig(16, 4))
    mine = naive.allocate(text("ab."))
    at["naive"] = naive
    if where.startswith("NaiveManager"):
        at["sequence"] = mine
    return at


@pytest.mark.parametrize(("door", "name"), CASES)
def test_a_bad_value_is_right_or_refused_by_name(door, name, request):
    where = request.node.callspec.id.split("(")[0]
    for said, value in BAD.items():
        at = world(where)
        before = snapshot(at["manager"])
        try:
            result = door(at)(**arguments(where, name, value, at))
            if type(result) is CompressedIds:
                result.decode()
        except REFUSED as error:
            message = str(error)
            assert snapshot(at["manager"]) == before, f"{said} was refused, and changed something"
            assert "\n" not in message, message
            assert len(message) < 600, message
        check(at["manager"])


COUNTS = [
    (KVCacheManager.allocate, {"reserve_tokens": -1, "priority": -1, "keep_blocks": -1}),
    (KVCacheManager.pin, {"ttl_ticks": 0}),
    (KVCacheManager.commit, {"max_tokens": -1, "num_written": -1}),
    (KVCacheManager.fork, {"num_tokens": 0}),
    (KVCacheManager.prepare_write, {"start": -1, "end": -1}),
]
EACH_COUNT = pytest.mark.parametrize(
    ("method", "name", "low"),
    [(method.__name__, name, low) for method, names in COUNTS for name, low in names.items()],
)


@EACH_COUNT
@pytest.mark.parametrize("below", [0, 8, 2**40, 2**200])
def test_a_count_out_of_range_is_refused_with_its_number(method, name, low, below):
    at = world(method)
    where = f"KVCacheManager.{method}"
    with pytest.raises(CacheError) as caught:
        getattr(at["manager"], method)(**arguments(where, name, low - below, at))
    assert str(low - below) in str(caught.value)


@EACH_COUNT
@pytest.mark.parametrize("kind", [np.int8, np.uint16, np.int64, np.uint64])
def test_numpys_integers_are_taken_as_plain_ones(method, name, low, kind):
    worlds = world(method), world(method)
    where = f"KVCacheManager.{method}"
    for at, value in zip(worlds, (4, kind(4)), strict=True):
        getattr(at["manager"], method)(**arguments(where, name, value, at))
        snapshot_json = repr(snapshot(at["manager"]))
        assert "np." not in snapshot_json
    plain, numpys = (snapshot(at["manager"]) for at in worlds)
    assert plain == numpys


@pytest.mark.parametrize("cls", [CacheConfig, SchedulerConfig])
def test_a_config_holds_plain_values(cls):
    sizes = {f.name: np.int64(8) for f in fields(cls) if f.type is int or f.type == "int"}
    if cls is CacheConfig:
        sizes |= {"num_blocks": np.int64(16), "explain": np.bool_(True)}
    config = cls(**sizes)
    assert all(type(getattr(config, f.name)) in (int, bool, str) for f in fields(cls))


def test_a_huge_reservation_is_too_large_and_takes_no_memory():
    manager = KVCacheManager(CacheConfig(4096, 2**30))
    for huge in (2**43, 2**63, 2**200):
        with pytest.raises(CacheError, match=str(huge)):
            manager.allocate([1], reserve_tokens=huge)
    sequence = manager.allocate([1], reserve_tokens=2**40)
    assert (len(sequence.block_table), len(sequence.tokens.data) < 2**23) == (1025, True)


@pytest.mark.parametrize("wrong", [-1, 2, 99])
@pytest.mark.parametrize("end", ["src", "dst"])
@pytest.mark.parametrize("kind", ["copy", "write_back", "load_back", "surprise"])
def test_a_store_copies_no_block_that_it_does_not_have(kind, end, wrong):
    store = NumpyKVStore(2, 4, num_host_blocks=2)
    transfers = [Transfer(0, 1, "copy"), Transfer(**{"src": 0, "dst": 0, "kind": kind, end: wrong})]
    store.data[0] = 7
    with pytest.raises(CacheError, match=f"{wrong}|surprise"):
        store.run(transfers)
    assert not store.data[1].any()
