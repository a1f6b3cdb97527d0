"""Any block ids come back as they were, and bytes that are none are refused."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from radixlab.cache import CodecError
from radixlab.observe.codec import MAX_IDS, CompressedIds

CODECS = pytest.mark.parametrize("codec", ["delta", "interval", None])
INT32 = st.integers(-(2**31), 2**31 - 1)
ANY = arrays(np.int32, st.integers(0, 60), elements=INT32)
RUNS = st.lists(st.tuples(INT32, st.integers(1, 40)), max_size=8).map(
    lambda runs: (
        np.concatenate(
            [np.array([], np.int64), *(np.arange(first, first + n) for first, n in runs)]
        )
        .astype(np.uint32)
        .view(np.int32)
    )
)
EXTREMES = np.array([2**31 - 1, -(2**31), 0, -(2**31), 2**31 - 1, -1, 1], np.int32)


@CODECS
@given(ids=st.one_of(ANY, RUNS))
@example(ids=EXTREMES)
def test_every_int32_array_comes_back(codec, ids):
    coded = CompressedIds.encode(ids, codec)
    back = coded.decode()
    assert back.dtype == np.int32
    assert back.tolist() == ids.tolist()
    assert CompressedIds.from_text(coded.to_text()) == coded


@given(st.one_of(ANY, RUNS))
def test_without_a_codec_the_smaller_one_is_taken(ids):
    sizes = [CompressedIds.encode(ids, codec).nbytes for codec in ("delta", "interval")]
    assert CompressedIds.encode(ids).nbytes == min(sizes)


def test_sequential_ids_take_next_to_nothing():
    ids = CompressedIds.encode(np.arange(5_000, 105_000, dtype=np.int32))
    assert ids.codec == "interval"
    assert ids.ratio <= 0.05
    assert ids.nbytes <= 8


def test_near_ids_take_a_byte_each():
    ids = np.array([7, 9, 3, 5, 60, 2] * 100, np.int32)
    assert CompressedIds.encode(ids, "delta").nbytes <= len(ids) + 1


def test_no_ids_are_no_bytes():
    ids = CompressedIds.encode(np.array([], np.int32))
    assert (ids.num_ids, ids.nbytes, ids.ratio, ids.decode().tolist()) == (0, 0, 0.0, [])


def test_the_same_ids_are_equal_and_hashable():
    ids = np.arange(9, dtype=np.int32)
    assert CompressedIds.encode(ids) == CompressedIds.encode(ids.copy())
    assert len({CompressedIds.encode(ids), CompressedIds.encode(ids)}) == 1


@pytest.mark.parametrize("ids", [np.array([1.5]), np.array([[1]], np.int32), np.array([2**40])])
def test_what_is_no_array_of_ids_is_refused(ids):
    with pytest.raises(CodecError, match="block ids must be int32"):
        CompressedIds.encode(ids)


WRONG = {
    "cut off": ("delta", 2, b"\x02\x80"),
    "one too many": ("delta", 1, b"\x02\x02"),
    "one too few": ("delta", 3, b"\x02\x02"),
    "over-long": ("delta", 1, b"\x82\x00"),
    "six bytes": ("delta", 1, b"\xff\xff\xff\xff\xff\x01"),
    "33 bits": ("delta", 1, b"\xff\xff\xff\xff\x1f"),
    "a start without a length": ("interval", 1, b"\x02"),
    "a run of nothing": ("interval", 0, b"\x02\x00"),
    "fewer than claimed": ("interval", 5, b"\x02\x04"),
    "an absurd claim": ("interval", MAX_IDS + 1, b"\x02\x04"),
    "a negative claim": ("delta", -1, b""),
}


@pytest.mark.parametrize("coded", WRONG.values(), ids=WRONG)
def test_bytes_that_are_no_ids_are_refused(coded):
    with pytest.raises(CodecError):
        CompressedIds(*coded).decode()


def test_a_few_bytes_cannot_ask_for_all_memory():
    huge = CompressedIds("interval", 2**31, b"\x00\x80\x80\x80\x80\x08")
    with pytest.raises(CodecError, match=f"2147483648 ids claimed: the most is {MAX_IDS}"):
        huge.decode()


@given(st.binary(max_size=30), st.sampled_from(["delta", "interval"]), st.integers(0, 50))
def test_random_bytes_are_ids_or_refused_nothing_else(data, codec, num_ids):
    try:
        ids = CompressedIds(codec, num_ids, data).decode()
    except CodecError:
        return
    assert len(ids) == num_ids


@given(st.text(max_size=20))
def test_random_text_is_refused(text):
    with pytest.raises(CodecError):
        CompressedIds.from_text("!" + text)
