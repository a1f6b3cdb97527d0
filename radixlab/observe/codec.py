"""Prefix compression: block ids in few bytes, for recordings and exports.

There are two codes. Both take any int32 array, and neither loops over ids:

- *delta*: the difference from the previous id, mapped to a non-negative number (zigzag: 0, -1, 1,
-2 become 0, 1, 2, 3), in as many 7-bit bytes as it needs. Good for ids close to each other.
- *interval*: runs of consecutive ids as (start, length), encoded in the same bytes; the start is a
difference from the end of the previous run. An allocator that hands out runs needs few of them.

Differences wrap around at 2^32, so the extremes of int32 need no special case. The tree itself
keeps plain arrays, because it reads them too often.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from radixlab.cache.errors import CodecError
from radixlab.cache.results import BlockIds
from radixlab.choices import not_one_of
from radixlab.config import as_int, shown

Codec = Literal["delta", "interval"]
MARKS: dict[Codec, bytes] = {"delta": b"D", "interval": b"I"}
MAX_IDS = 2**28
"""A few bytes can claim to stand for any number of ids; more than this many are refused."""
MAX_VARINT_BYTES = 5
"""Most bytes of a number: at 7 bits each, enough for 32 bits."""

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class CompressedIds:
    """Compressed block ids; equal ids in the same code are equal.

    >>> ids = CompressedIds.encode(np.arange(1000, 3000, dtype=np.int32))
    >>> ids.codec, ids.num_ids, ids.nbytes
    ('interval', 2000, 4)
    >>> ids.decode()[:3]
    array([1000, 1001, 1002], dtype=int32)
    """

    codec: Codec
    num_ids: int
    data: bytes

    @classmethod
    def encode(cls, block_ids: BlockIds, codec: Codec | None = None) -> "CompressedIds":
        """Compress an int32 array `[n]`; by default with the codec that needs fewer bytes."""
        try:
            array = np.asarray(block_ids)
        except (ValueError, TypeError, OverflowError):
            raise CodecError(f"block ids must be int32 [n], not {shown(block_ids)}") from None
        if codec is not None:
            _check_codec(codec)
        if array.ndim != 1 or array.dtype != np.int32 or len(array) > MAX_IDS:
            shape = f"{array.dtype} {list(array.shape)}"
            raise CodecError(f"block ids must be int32 [n], n at most {MAX_IDS}, not {shape}")
        words = np.ascontiguousarray(array).view(np.uint32)
        names: tuple[Codec, ...] = (codec,) if codec else ("interval", "delta")
        coded = [cls(name, len(words), _ENCODERS[name](words)) for name in names]
        return min(coded, key=lambda ids: ids.nbytes)

    def decode(self) -> BlockIds:
        """Return the ids, int32 `[num_ids]`; raise `CodecError` for invalid bytes."""
        return _DECODERS[_check_codec(self.codec)](*self._read()).view(np.int32)

    def _read(self, max_ids: int = MAX_IDS) -> tuple[Words, int]:
        """Return the code's numbers, not yet expanded, and how many ids they stand for."""
        num_ids = as_int(self.num_ids)
        if num_ids is None or not 0 <= num_ids <= max_ids:
            raise CodecError(f"{shown(self.num_ids)} ids claimed: the most is {max_ids}")
        if not isinstance(self.data, bytes):
            raise CodecError(f"data must be bytes, not {shown(self.data)}")
        if self.codec == "delta":
            return _read_varints(self.data, "deltas", num_ids), num_ids
        return _read_intervals(self.data, num_ids), num_ids

    @property
    def nbytes(self) -> int:
        """The number of bytes of the code."""
        return len(self.data)

    @property
    def ratio(self) -> float:
        """The bytes of the code divided by the bytes of the ids as int32; 0 without ids."""
        return self.nbytes / (4 * self.num_ids) if self.num_ids else 0.0

    def to_text(self) -> str:
        """Return the compressed ids as ASCII text, for JSON."""
        head = MARKS[self.codec] + _varints(np.array([self.num_ids], np.uint32))
        return base64.b64encode(head + self.data).decode()

    @classmethod
    def from_text(cls, text: str, max_ids: int = MAX_IDS) -> "CompressedIds":
        """Read what `to_text` wrote; raise `CodecError` for anything else.

        A short text can stand for very many ids, so more than `max_ids` are refused. The ids are
        not expanded here, so nothing is allocated for them.
        """
        if not isinstance(text, str):
            raise CodecError(f"compressed ids are a text, not {shown(text)}")
        if (most := as_int(max_ids)) is None or most < 0:
            raise CodecError(f"max_ids must be 0 or more, not {shown(max_ids)}")
        try:
            raw = base64.b64decode(text.encode(), validate=True)
        except (binascii.Error, UnicodeEncodeError) as error:
            raise CodecError(f"not base64: {error}") from None
        codec = {mark: name for name, mark in MARKS.items()}.get(raw[:1])
        if codec is None:
            raise CodecError(f"unknown codec mark  {raw[:1]!r}: known are {list(MARKS.values())}")
        size = next((i for i, byte in enumerate(raw[1:6], 1) if byte < 0x80), len(raw))
        (num_ids,) = _read_varints(raw[1 : size + 1], "the number of ids", 1).tolist()
        ids = cls(codec, num_ids, raw[size + 1 :])
        ids._read(min(most, MAX_IDS))  # raises here, not later
        return ids


# ---- the two codes


def _encode_delta(ids: Words) -> bytes:
    before = np.concatenate((np.zeros(1, np.uint32), ids[:-1]))
    return _varints(_zigzag(ids - before)) if len(ids) else b""


def _decode_delta(deltas: Words, num_ids: int) -> Words:
    ids: Words = np.cumsum(_unzigzag(deltas), dtype=np.uint32)
    return ids


def _encode_interval(ids: Words) -> bytes:
    if not len(ids):
        return b""
    starts = np.concatenate(([0], np.flatnonzero(np.diff(ids) != 1) + 1))
    counts = np.diff(np.append(starts, len(ids))).astype(np.uint32)
    first = ids[starts]
    ends = np.concatenate((np.zeros(1, np.uint32), (first + counts)[:-1]))
    pairs = np.column_stack((_zigzag(first - ends), counts))
    return _varints(pairs.ravel())


def _read_intervals(data: bytes, num_ids: int) -> Words:
    """Read pairs of start and length; raise `CodecError` unless they give `num_ids` ids."""
    words = _read_varints(data, "intervals")
    if len(words) % 2:
        raise CodecError(f"{len(words)} numbers are not intervals: a start or a length is missing")
    counts = words[1::2]
    if (counts == 0).any() or int(counts.sum(dtype=np.uint64)) != num_ids:
        total = int(counts.sum(dtype=np.uint64))
        raise CodecError(f"intervals of {total} ids, all at least 1 long? {num_ids} are claimed")
    return words


def _decode_interval(words: Words, num_ids: int) -> Words:
    jumps, counts = _unzigzag(words[0::2]), words[1::2]
    if len(counts) == 1:
        ids: Words = np.arange(num_ids, dtype=np.uint32) + jumps[0]
        return ids
    before = np.cumsum(counts, dtype=np.uint32) - counts
    first = np.cumsum(jumps, dtype=np.uint32) + before  # each jump is from the end of the last run
    ids = np.repeat(first - before, counts) + np.arange(num_ids, dtype=np.uint32)
    return ids


_ENCODERS = {"delta": _encode_delta, "interval": _encode_interval}
_DECODERS = {"delta": _decode_delta, "interval": _decode_interval}


def _check_codec(name: object) -> Codec:
    """Return a codec's name; raise `CodecError` for an unknown name."""
    for known in MARKS:
        if isinstance(name, str) and name == known:
            return known
    raise CodecError(f"codec {not_one_of(name, MARKS)}")


# ---- numbers as bytes


def _zigzag(deltas: Words) -> Words:
    """Map signed differences to non-negative numbers; small differences stay small."""
    signed = deltas.view(np.int32)
    return ((signed << 1) ^ (signed >> 31)).view(np.uint32)


def _unzigzag(words: Words) -> Words:
    return (words >> np.uint32(1)) ^ (np.uint32(0) - (words & np.uint32(1)))


def _varints(words: Words) -> bytes:
    """Write each number in 1 to 5 bytes of 7 bits, low bits first; the high bit means "more"."""
    sizes = np.ones(len(words), np.int64)
    for bits in (7, 14, 21, 28):
        sizes += words >= np.uint32(1 << bits)
    starts = np.cumsum(sizes) - sizes
    out: Bytes = np.empty(int(sizes.sum()), np.uint8)
    for nth in range(int(sizes.max(initial=0))):
        has = sizes > nth if nth else slice(None)
        more = np.where(sizes[has] > nth + 1, 0x80, 0)
        out[starts[has] + nth] = ((words[has] >> np.uint32(7 * nth)) & np.uint32(0x7F)) | more
    return out.tobytes()


def _read_varints(data: bytes, what: str, num_words: int | None = None) -> Words:
    """Read numbers; raise `CodecError` if one is truncated, over-long or above 32 bits."""
    raw: Bytes = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(raw < 0x80)
    if len(raw) and (not len(ends) or ends[-1] != len(raw) - 1):
        raise CodecError(f"{what}: the {len(raw)} bytes end inside a number")
    if num_words is not None and len(ends) != num_words:
        raise CodecError(f"{what}: {len(ends)} numbers, {num_words} expected")
    if len(ends) == len(raw):
        return raw.astype(np.uint32)
    sizes = np.diff(ends, prepend=-1)
    if sizes.max() > MAX_VARINT_BYTES or ((sizes > 1) & (raw[ends] == 0)).any():
        raise CodecError(f"{what}: a number is written in more bytes than it needs")
    starts = ends - sizes + 1
    words = np.zeros(len(ends), np.uint64)
    for nth in range(int(sizes.max())):
        has = sizes > nth
        words[has] |= (raw[starts[has] + nth] & np.uint8(0x7F)).astype(np.uint64) << np.uint64(
            7 * nth
        )
    if words.max() >= 2**32:
        raise CodecError(f"{what}: {int(words.max())} does not fit 32 bits")
    return words.astype(np.uint32)
