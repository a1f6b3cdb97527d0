"""Values as bytes, between two processes that do not trust each other.

Plain data is copied: None, bool, int, float, str, bytes, list, tuple, set, dict, and NumPy's
numbers and arrays as ints, floats and lists. Any other object stays where it is and crosses as a
reference to it. Nothing that arrives is ever executed, as a pickle would be.

The judge takes nothing large from the box: bytes, lists, depth and digits are bounded before
anything is built of them. What has members that are looked up by hash stays small, because numbers
can be chosen so that all hashes are equal; only keys that are text may be many.
"""

import io
from collections.abc import Callable
from itertools import chain
from typing import Any, Protocol

import msgpack

MAX_FRAME_BYTES = 64 << 20
"""Of any message."""
MAX_ANSWER_BYTES = 4_000_000
"""Of a message from the box; those of the exercises have some 100,000."""
MAX_ITEM_BYTES = 64_000_000
"""Of all messages from the box in one item."""
MAX_CONTAINERS = 100_000
MAX_HASHED = 256
"""Members of a set, and keys of a dict that are not all text."""
MAX_DEPTH = 64
MAX_BITS = 4_096
_HEADER_BYTES = 4
_TUPLE, _SET, _BIG_INT, _REFERENCE = 1, 2, 3, 4
_NESTING = (list, tuple, set, dict)


class WireError(Exception):
    """One message cannot be sent or read; the next one can."""


class References(Protocol):
    """What stands for the objects that are not copied."""

    def give(self, value: object) -> list[Any]:
        """Describe an object so that the other side can refer to it."""

    def take(self, description: list[Any]) -> object:
        """Return the object, or what represents it here."""


class Wire:
    """Messages over a pair of pipes.

    Parameters
    ----------
    is_guarded
        Whether the other side may be hostile: the judge's side is guarded.
    """

    def __init__(
        self,
        reader: io.RawIOBase,
        writer: io.RawIOBase,
        references: References,
        is_guarded: bool,
    ) -> None:
        self._reader, self._writer, self._references = reader, writer, references
        self._most = MAX_ANSWER_BYTES if is_guarded else MAX_FRAME_BYTES
        self._is_guarded = is_guarded
        self._hooks: dict[str, Any] = (
            {"list_hook": self._list, "object_pairs_hook": self._dict} if is_guarded else {}
        )
        self._buffer = bytearray()
        self._depth = self._containers = self._nested_bytes = 0
        self.received_bytes = 0
        """In all messages so far."""
        self._allowed_bytes = 0
        self.refill()

    def refill(self) -> None:
        """Begin an item."""
        self._allowed_bytes = self.received_bytes + MAX_ITEM_BYTES

    def send(self, message: object) -> None:
        """Write one message.

        Raises
        ------
        WireError
            It holds a list that holds itself, or is too long.
        OSError
            Nobody reads.
        """
        self._depth = 0
        body = self._pack(message)
        most = MAX_FRAME_BYTES if self._is_guarded else MAX_ANSWER_BYTES
        if len(body) > most:
            raise WireError(f"it has {len(body):,} bytes; at most {most:,} can be sent")
        rest = memoryview(len(body).to_bytes(_HEADER_BYTES, "little") + body)
        while rest:
            rest = rest[self._writer.write(rest) or 0 :]

    def receive(self) -> Any:
        """Wait for one message.

        Raises
        ------
        WireError
            It cannot be read.
        EOFError
            The other side has gone, or nothing that follows can be read.
        """
        size = int.from_bytes(self._take(_HEADER_BYTES), "little")
        if size > self._most:
            raise EOFError(f"a message of {size:,} bytes, over {self._most:,}")
        body = self._take(size)
        self.received_bytes += _HEADER_BYTES + size
        if self._is_guarded and self.received_bytes > self._allowed_bytes:
            raise WireError(f"more than {MAX_ITEM_BYTES:,} bytes of answers in one item")
        self._depth = self._containers = self._nested_bytes = 0
        message = self._unpack(body)
        if self._is_guarded and size > MAX_DEPTH:  # a level takes a byte
            _check_depth(message)
        return message

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            chunk = self._reader.read(1 << 16)
            if not chunk:
                raise EOFError
            self._buffer += chunk
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _pack(self, value: object) -> bytes:
        try:
            packed: bytes = msgpack.packb(
                value, default=self._reduce, strict_types=True, unicode_errors="surrogatepass"
            )
        except (ValueError, RecursionError, MemoryError) as error:
            raise WireError(f"it cannot be sent ({error})") from None
        return packed

    def _reduce(self, value: Any) -> Any:
        kind = type(value)
        if kind is int:
            if value.bit_length() > MAX_BITS:
                raise WireError(f"a number has {value.bit_length():,} bits, over {MAX_BITS:,}")
            return msgpack.ExtType(_BIG_INT, hex(value).encode())
        if kind.__module__ == "numpy" and hasattr(value, "tolist"):
            return value.tolist()
        if kind not in (tuple, set, frozenset):
            return msgpack.ExtType(_REFERENCE, self._pack(self._references.give(value)))
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise WireError(f"it is nested more than {MAX_DEPTH} deep")
        packed = self._pack(list(value))
        self._depth -= 1
        return msgpack.ExtType(_TUPLE if kind is tuple else _SET, packed)

    def _unpack(self, body: bytes) -> Any:
        try:
            return msgpack.unpackb(
                body,
                ext_hook=self._rebuild,
                strict_map_key=False,
                unicode_errors="surrogatepass",
                **(self._hooks if len(body) > MAX_HASHED else {}),
            )
        except (
            *(ValueError, TypeError, KeyError, RecursionError, MemoryError),
            msgpack.UnpackException,
        ) as error:
            raise WireError(f"it cannot be read ({type(error).__name__})") from None

    def _rebuild(self, code: int, data: bytes) -> Any:
        self._count()
        if code == _BIG_INT:
            if len(data) > MAX_BITS // 4 + len("-0x"):
                raise WireError(f"a number has over {MAX_BITS:,} bits")
            return int(data, 16)
        builders: dict[int, Callable[[Any], Any]] = {
            _TUPLE: tuple,
            _SET: self._set,
            _REFERENCE: self._references.take,
        }
        return builders[code](self._nested(data))

    def _nested(self, data: bytes) -> Any:
        self._depth += 1
        self._nested_bytes += len(data)  # each level holds its own copy
        if self._depth > MAX_DEPTH or self._nested_bytes > 4 * self._most:
            raise WireError(f"it is nested more than {MAX_DEPTH} deep")
        inner = self._unpack(data)
        self._depth -= 1
        return inner

    def _count(self) -> None:
        self._containers += 1
        if self._is_guarded and self._containers > MAX_CONTAINERS:
            raise WireError(f"it holds more than {MAX_CONTAINERS:,} lists")

    def _list(self, values: list[Any]) -> list[Any]:
        self._count()
        return values

    def _dict(self, pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
        self._count()
        if len(pairs) > MAX_HASHED and any(type(key) is not str for key, _ in pairs):
            raise WireError(f"a dict has {len(pairs):,} keys that are not all text")
        return dict(pairs)

    def _set(self, values: list[Any]) -> set[Any]:
        if self._is_guarded and len(values) > MAX_HASHED:
            raise WireError(f"a set has {len(values):,} members, over {MAX_HASHED:,}")
        return set(values)


def _check_depth(message: Any) -> None:
    level: list[Any] = [[message]]
    for _ in range(MAX_DEPTH + 2):  # the message is a list as well
        level = [
            inner
            for outer in level
            for inner in (chain(outer, outer.values()) if type(outer) is dict else outer)
            if type(inner) in _NESTING
        ]
        if not level:
            return
    raise WireError(f"it is nested more than {MAX_DEPTH} deep")
