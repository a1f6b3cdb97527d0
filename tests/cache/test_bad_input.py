"""Bad input at the door: one typed error that names the thing and the numbers, and no change.

`Checked` holds the second half for every call: a `CacheError` with a change behind it fails.
"""

import numpy as np
import pytest

from radixlab.cache import (
    BlockAllocator,
    BlockError,
    CacheError,
    KVCanary,
    NamespaceError,
    NumpyKVStore,
    OutOfBlocksError,
    PromptTooLargeError,
    RadixTree,
    SequenceError,
    TokenError,
    Tokens,
    TransferError,
)
from radixlab.config import CacheConfig, ConfigError
from tests.cache.helpers import BLOCK_SIZE, Checked, cached, ids, refused, start, text

# ---- sizes


@pytest.mark.parametrize("size", [0, -1, -(10**9), 1.0, 2.5, True, None, "16", [4]])
@pytest.mark.parametrize("name", ["num_blocks", "block_size"])
def test_sizes_are_positive_ints(name, size):
    sizes = {"num_blocks": 8, "block_size": 4} | {name: size}
    for make in (CacheConfig, NumpyKVStore, KVCanary):
        with refused(ConfigError, name, repr(size)):
            make(**sizes)
    with refused(ConfigError, name, repr(size)):
        RadixTree(size) if name == "block_size" else BlockAllocator(size)


# ---- tokens

NO_TOKENS = {
    "none": None,
    "a number": 7,
    "a string": "abc",
    "bytes": b"abc",
    "a set": {1, 2},
    "a float": [1, 2.5, 3],
    "a whole float": [1, 2.0],
    "nan": [float("nan")],
    "a missing one": [1, None],
    "a word": [1, "2"],
    "words": ["a", "b"],
    "a bool": [True],
    "bools": np.array([True, False]),
    "a bool among ints": [1, True, 3],
    "nested": [[1, 2], [3, 4]],
    "ragged": [[1, 2], [3]],
    "an empty list in a list": [[]],
    "a matrix": np.zeros((2, 2), np.int32),
    "a scalar array": np.array(3, np.int32),
    "an array of floats": np.array([1.0, 2.0]),
    "objects": np.array([1, None], object),
    "complex": [1j],
    "dates": np.array(["2026-01-01"], "datetime64[D]"),
}


@pytest.mark.parametrize("tokens", NO_TOKENS.values(), ids=NO_TOKENS)
def test_what_is_no_flat_list_of_ints_is_refused_everywhere(tokens):
    lab = cached(Checked(), "ab")
    sequence = start(lab, "ab.")
    calls = (
        lab.allocate,
        lab.peek,
        lambda t: lab.append(sequence, t),
        Tokens,
        lab.tree.match_prefix,
    )
    for call in calls:
        with refused(TokenError):
            call(tokens)
    lab.verify()


@pytest.mark.parametrize(
    "huge", [2**31, -(2**31) - 1, 2**32, 2**63, 2**64 - 1, 2**64, 10**30, -(10**30)]
)
@pytest.mark.parametrize("beside", [[], [5], [-5]])
def test_what_exceeds_int32_is_refused_and_named(huge, beside):
    lab = Checked()
    with refused(TokenError, huge):
        lab.allocate([*beside, huge])


@pytest.mark.parametrize(
    ("dtype", "huge"), [(np.uint32, 2**31), (np.int64, 2**31), (np.uint64, 2**64 - 1)]
)
def test_an_array_that_exceeds_int32_is_refused_and_its_id_named(dtype, huge):
    with refused(TokenError, huge):
        Checked().allocate(np.array([1, huge], dtype))


def test_the_first_bad_token_is_named_with_its_position():
    with refused(TokenError, 2, "'x'"):
        Checked().allocate([5, 6, "x", None])


@pytest.mark.parametrize("empty", [[], (), np.empty(0, np.int32), Tokens()])
def test_an_empty_prompt_is_refused(empty):
    with refused(TokenError, 0):
        Checked().allocate(empty)


@pytest.mark.parametrize("empty", [[], Tokens()])
def test_to_peek_for_nothing_finds_nothing(empty):
    "M3"
    assert Checked().peek(empty).tolist() == []


# ---- sizes of requests


@pytest.mark.parametrize("num_tokens", [33, 1000, 10**6])
def test_a_prompt_larger_than_the_pool_is_refused(num_tokens):
    with refused(PromptTooLargeError, num_tokens, -(-num_tokens // 4), 8):
        Checked(num_blocks=8).allocate(np.zeros(num_tokens, np.int32))


def test_a_reservation_larger_than_the_pool_is_refused():
    with refused(PromptTooLargeError, 30, 3, 8):
        Checked(num_blocks=8).allocate([0] * 30, reserve_tokens=3)


@pytest.mark.parametrize("reserve", [-1, -100, 1.5, "x", None])
def test_a_reservation_is_no_less_than_nothing(reserve):
    with refused(CacheError, repr(reserve)):
        Checked().allocate([1], reserve_tokens=reserve)


def test_a_prompt_that_does_not_fit_now_says_what_there_is():
    lab = cached(Checked(num_blocks=8), "ab")
    start(lab, "xyz")
    with refused(OutOfBlocksError, 6, 3, 2):
        lab.allocate([0] * 24)


# ---- sequences


@pytest.mark.parametrize("unknown", [None, 0, 7, "sequence 0", object(), [1]])
@pytest.mark.parametrize(
    "call", ["release", "abort", "preempt", "fork", "commit", "append", "write"]
)
def test_what_is_no_sequence_is_refused(call, unknown):
    "L8"
    lab = Checked()
    start(lab, "ab.")
    calls = {
        "commit": lambda: lab.commit(unknown, 4),
        "append": lambda: lab.append(unknown, [1]),
        "fork": lambda: lab.manager.fork(unknown),
        "write": lambda: lab.prepare_write(unknown, 0, 1),
    }
    with refused(SequenceError):
        calls.get(call, lambda: getattr(lab, call)(unknown))()
    lab.verify()


@pytest.mark.parametrize("ends", ["release", "abort", "preempt"])
def test_a_released_sequence_can_do_nothing_more(ends):
    "L8 L2"
    lab = Checked()
    sequence, _other = start(lab, "ab."), start(lab, "ab.")
    getattr(lab, ends)(sequence)
    calls = (
        lambda: lab.release(sequence),
        lambda: lab.fork(sequence),
        lambda: lab.append(sequence, [1]),
        lambda: lab.commit(sequence, 9),
        lambda: lab.prepare_write(sequence, 0, 1),
    )
    for call in calls:
        with refused(SequenceError, sequence.id):
            call()


def test_a_sequence_of_another_manager_is_refused():
    "L8"
    here, there = Checked(), Checked()
    mine, theirs = start(here, "ab."), start(there, "ab.")
    assert mine.id == theirs.id
    for call in (here.release, here.fork, here.preempt, lambda s: here.commit(s, 9)):
        with refused(SequenceError, theirs.id):
            call(theirs)
    there.release(theirs)
    here.release(mine)


@pytest.mark.parametrize("num_written", [-1, 10, 10**9])
def test_a_commit_of_tokens_there_are_not_is_refused(num_written):
    "M11"
    lab = Checked()
    sequence = start(lab, "ab.")
    with refused(SequenceError, sequence.id, num_written, 9):
        lab.commit(sequence, num_written)


@pytest.mark.parametrize("no_number", [None, "4", 4.5, [4]])
def test_a_num_written_that_is_no_int_is_refused(no_number):
    "M11"
    lab = Checked()
    sequence = lab.allocate(text("ab."))
    lab.write(sequence)
    with refused(CacheError, repr(no_number)):
        lab.commit(sequence, no_number)
    lab.verify()


@pytest.mark.parametrize("no_number", ["4", 4.5, [4]])
def test_a_count_that_is_no_int_is_refused(no_number):
    lab = Checked()
    sequence = lab.allocate(text("ab."))
    lab.write(sequence)
    calls = [
        lambda: lab.prepare_write(sequence, 0, no_number),
        lambda: lab.fork(sequence, no_number),
        lambda: lab.commit(sequence, 9, no_number),
        lambda: lab.evict(no_number),
    ]
    for call in calls:
        with refused(CacheError, repr(no_number)):
            call()
    lab.verify()


@pytest.mark.parametrize("max_tokens", [-1, -8])
def test_a_bound_below_zero_registers_nothing(max_tokens):
    lab = Checked()
    sequence = lab.allocate(text("ab."))
    lab.write(sequence)
    try:
        lab.commit(sequence, 9, max_tokens)
    except CacheError as error:
        assert str(max_tokens) in str(error)
    assert lab.peek(text("a")).tolist() == []


# ---- namespaces

NO_NAMESPACES = [
    "salt",
    ("salt",),
    ("salt", 1),
    (1, "x"),
    ("a", "b", "c"),
    ["salt", "x"],
    7,
    (),
    {},
]


@pytest.mark.parametrize("namespace", NO_NAMESPACES, ids=repr)
def test_a_namespace_is_a_tagged_pair(namespace):
    "K2"
    lab = cached(Checked(), "ab")
    for call in (lab.allocate, lab.peek):
        with refused(NamespaceError, repr(namespace)):
            call(text("ab."), namespace)


# ---- blocks and transfers


def test_an_insertion_needs_one_id_per_whole_block():
    for block_ids in (ids(), ids(0), ids(0, 1, 2)):
        with refused(BlockError, len(block_ids), 2, 9):
            RadixTree(BLOCK_SIZE).insert(text("ab."), block_ids)


def test_a_transfer_of_elsewhere_is_refused():
    "C7"
    here, there = Checked(), Checked()
    sequence = start(there, "a")
    copies = there.prepare_write(sequence, 0, 4)
    with refused(TransferError, copies[0].src, copies[0].dst):
        here.complete(copies)
    there.complete(copies)


def test_to_complete_nothing_is_nothing():
    lab = Checked()
    lab.complete([])
    assert lab.events == []


# ---- the state afterwards


def test_a_hundred_bad_calls_leave_a_cache_that_works():
    "L7"
    lab = cached(Checked(num_blocks=8), "abc")
    running = start(lab, "ab.")
    for i in range(100):
        with pytest.raises(CacheError):
            (lab.allocate, lab.peek)[i % 2]([None, "x", [2**40], [[1]]][i % 4])
        with pytest.raises(CacheError):
            lab.allocate([0] * (29 + i))
    lab.release(running)
    assert lab.allocate(text("abcd")).hit_tokens == 12
