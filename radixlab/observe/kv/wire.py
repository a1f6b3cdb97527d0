"""The format in which engines publish what their prefix cache holds: vLLM's, field for field.

A payload is one msgpack array, `[ts, events, data_parallel_rank]`. Each event is a map with its
`type`; fields that have their default value are left out (vLLM 0.33.0, SGLang 0.5.23). Older
versions wrote an event as an array whose first item is the type. Both are read.

A payload comes from outside and is not trusted: it is checked as a whole before anything of it is
used. This file knows bytes and types. It does not know what the events do to a tree.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgpack

Hash = int | bytes
"""A block's name: 64 bits, or the whole digest if vLLM is told to publish digests."""

GPU, CPU = "GPU", "CPU"
"""The media that we publish. SGLang calls the second one `CPU_PINNED`; others have more."""

MAX_BYTES = 2**23
"""Longest payload that is read. A prompt of a million tokens takes 5 MB."""
MAX_CONTAINERS = 2**18
"""Most arrays and maps in a payload: an empty map takes 1 byte, and 64 in memory."""
MAX_FIELDS = 64
"""Most fields of a map: a new name takes 3 bytes, and 100 in memory."""
MAX_TEXT = 1000
"""Most characters of a name, such as a salt."""
MAX_SHORT = 64
"""Most characters of a medium or a kind of attention, and most bytes of a digest."""
MAX_RANK = 2**31
TOKEN_LIMIT = 2**31
"""Token ids fit int32."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Blocks that entered the cache: each one is the child of the one before it."""

    block_hashes: list[Hash]
    parent_block_hash: Hash | None
    """The block that the first one follows; None at the start of a prompt."""
    token_ids: list[int]
    block_size: int
    lora_id: int | None = None
    medium: str | None = GPU
    lora_name: str | None = None
    extra_keys: list[Any] | None = None
    """For each block, what its hash covers besides tokens: adapter, images, salt."""
    group_idx: int | None = None
    """The group of layers, in a model that has several kinds of attention."""
    kv_cache_spec_kind: str | None = None
    cache_salt: str | None = None
    """SGLang's field for a salt."""


@dataclass(frozen=True, slots=True)
class Removed:
    """Blocks that left a medium."""

    block_hashes: list[Hash]
    medium: str | None = GPU
    group_idx: int | None = None


@dataclass(frozen=True, slots=True)
class Cleared:
    """The cache is empty."""


WireEvent = Stored | Removed | Cleared


@dataclass(frozen=True, slots=True)
class Batch:
    """A payload: the events of one step."""

    ts: float
    """The publisher's clock, in seconds."""
    events: list[WireEvent]
    rank: int
    """The data-parallel rank; 0 if there is only one."""
    num_unknown: int = 0
    """Events of other types, which are left out."""


class MalformedError(Exception):
    """A payload that is not what it should be. Nobody outside this package sees it."""


# ---- out

_ALWAYS = (
    *("block_hashes", "parent_block_hash", "token_ids"),
    *("block_size", "lora_id", "medium", "lora_name"),
)
"""vLLM gives these fields no default, so they are never left out."""
_OPTIONAL = ("extra_keys", "group_idx", "kv_cache_spec_kind", "cache_salt")


def encode(ts: float, events: list[WireEvent], rank: int = 0) -> bytes:
    """Return a payload.

    >>> encode(0.0, [Cleared()]).hex()
    '93cb00000000000000009181a474797065b0416c6c426c6f636b73436c656172656400'
    """
    payload: bytes = msgpack.packb([ts, [_as_map(event) for event in events], rank])
    return payload


def _as_map(event: WireEvent) -> dict[str, Any]:
    if isinstance(event, Stored):
        fields = {"type": "BlockStored"} | {name: getattr(event, name) for name in _ALWAYS}
        return fields | _given(event, _OPTIONAL)
    if isinstance(event, Removed):
        fields = {"type": "BlockRemoved", "block_hashes": event.block_hashes}
        return fields | {"medium": event.medium} | _given(event, ("group_idx",))
    return {"type": "AllBlocksCleared"}


def _given(event: WireEvent, names: tuple[str, ...]) -> dict[str, Any]:
    pairs = ((name, getattr(event, name)) for name in names)
    return {name: value for name, value in pairs if value is not None}


# ---- in

_POSITIONS: dict[str, tuple[str, ...]] = {
    "BlockStored": (*_ALWAYS, "extra_keys", "group_idx", "kv_cache_spec_kind"),
    "BlockRemoved": ("block_hashes", "medium", "group_idx"),
    "AllBlocksCleared": (),
}
"""The order of the fields in older versions' arrays."""


def decode(payload: bytes, max_bytes: int = MAX_BYTES) -> Batch:
    """Return what a payload says; raise `MalformedError` if any part of it is not as it should be.

    >>> decode(encode(1.5, [Removed([7])])).events
    [Removed(block_hashes=[7], medium='GPU', group_idx=None)]
    """
    _need(len(payload) <= max_bytes, "oversize")
    parts = _unpacked(payload)
    _need(type(parts) is list and len(parts) >= 2, "a payload is an array of two or more")
    ts, events, rank = parts[0], parts[1], parts[2] if len(parts) > 2 else None
    _need(type(ts) in (int, float) and math.isfinite(ts), "ts")
    _need(type(events) is list, "events")
    rank = 0 if rank is None else rank
    _need(type(rank) is int and 0 <= rank < MAX_RANK, "rank")
    known = [event for event in map(_event, events) if event is not None]
    return Batch(ts, known, rank, len(events) - len(known))


def _unpacked(payload: bytes) -> Any:
    """Return the objects of a payload; there cannot be many more of them than bytes."""
    num_containers = 0

    def count(container: Any) -> Any:
        nonlocal num_containers
        num_containers += 1
        _need(num_containers <= MAX_CONTAINERS, "too many arrays and maps")
        return container

    try:
        return msgpack.unpackb(
            payload,
            list_hook=count,
            object_hook=count,
            ext_hook=_refuse_extension,
            max_map_len=MAX_FIELDS,
            timestamp=1,  # a float is the smallest of the choices
        )
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        raise MalformedError(f"not msgpack: {type(error).__name__}") from None


def _refuse_extension(code: int, data: bytes) -> None:
    raise MalformedError("an extension")


def _event(item: Any) -> WireEvent | None:
    """Return an event, or None for a type that this reader does not know."""
    if type(item) is list:
        _need(bool(item) and type(item[0]) is str, "an event without a type")
        names = _POSITIONS.get(item[0], ())
        item = {"type": item[0]} | dict(zip(names, item[1:], strict=False))
    _need(type(item) is dict and type(item.get("type")) is str, "an event without a type")
    read = _READERS.get(item["type"])
    return None if read is None else read(item)


def _stored(item: dict[str, Any]) -> Stored:
    for name in ("lora_name", "cache_salt"):
        _need(_is_text(item.get(name)), name)
    _need(_is_text(item.get("kv_cache_spec_kind"), MAX_SHORT), "kv_cache_spec_kind")
    size, parent = item.get("block_size", -1), item.get("parent_block_hash")
    _need(type(size) is int and 0 <= size < TOKEN_LIMIT, "block_size")
    _need(_is_count(item.get("lora_id")), "lora_id")
    return Stored(
        _hashes(item),
        None if parent is None else _hash(parent),
        _tokens(item.get("token_ids")),
        size,
        item.get("lora_id"),
        _medium(item),
        item.get("lora_name"),
        _extra_keys(item),
        _group(item),
        item.get("kv_cache_spec_kind"),
        item.get("cache_salt"),
    )


def _removed(item: dict[str, Any]) -> Removed:
    return Removed(_hashes(item), _medium(item), _group(item))


_READERS: dict[str, Callable[[dict[str, Any]], WireEvent]] = {
    "BlockStored": _stored,
    "BlockRemoved": _removed,
    "AllBlocksCleared": lambda item: Cleared(),
}


def _need(fits: bool, what: str) -> None:
    if not fits:
        raise MalformedError(what)


def _hashes(item: dict[str, Any]) -> list[Hash]:
    hashes = item.get("block_hashes")
    _need(type(hashes) is list, "block_hashes")
    assert isinstance(hashes, list)
    return list(map(_hash, hashes))


def _hash(value: Any) -> Hash:
    """Return a hash; a signed number and the unsigned one of the same 64 bits are one hash."""
    if type(value) is int:  # msgpack has no number of more than 64 bits
        return value & 0xFFFF_FFFF_FFFF_FFFF
    _need(type(value) is bytes and 0 < len(value) <= MAX_SHORT, "a hash")
    assert isinstance(value, bytes)
    return value


def _tokens(tokens: Any) -> list[int]:
    _need(type(tokens) is list and set(map(type, tokens)) <= {int}, "token_ids")
    fits = not tokens or -TOKEN_LIMIT <= min(tokens) <= max(tokens) < TOKEN_LIMIT
    _need(fits, "a token id does not fit int32")
    assert isinstance(tokens, list)
    return tokens


def _medium(item: dict[str, Any]) -> str | None:
    medium = item.get("medium")
    _need(_is_text(medium, MAX_SHORT), "medium")
    return medium


def _group(item: dict[str, Any]) -> int | None:
    group = item.get("group_idx")
    _need(_is_count(group), "group_idx")
    return group


def _extra_keys(item: dict[str, Any]) -> list[Any] | None:
    keys = item.get("extra_keys")
    _need(keys is None or type(keys) is list, "extra_keys")
    for key in keys or ():
        _need(key is None or (type(key) is list and all(map(_is_key, key))), "an extra key")
    return keys


def _is_key(value: Any) -> bool:
    """Whether this is a name, a digest or a number, or a list of these."""
    if type(value) is list:
        return all(type(part) is not list and _is_key(part) for part in value)
    if type(value) in (str, bytes):
        return len(value) <= MAX_TEXT
    return value is None or type(value) in (int, float)


def _is_text(value: Any, most: int = MAX_TEXT) -> bool:
    return value is None or (type(value) is str and len(value) <= most)


def _is_count(value: Any) -> bool:
    return value is None or (type(value) is int and 0 <= value < 2**63)
