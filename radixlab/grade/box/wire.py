"""Values as bytes, between two processes that do not trust each other.

Plain data is copied: None, bool, int of any size, float, str, bytes, list, tuple, set, dict, and
NumPy's numbers and arrays as ints, floats and lists. Any other object stays where it is and crosses
as a reference to it. Nothing that arrives is ever executed, as a pickle would be.
"""

import io
from collections.abc import Callable
from typing import Any, Protocol

import msgpack

MAX_FRAME_BYTES = 64 << 20
_HEADER_BYTES = 4
_TUPLE, _SET, _BIG_INT, _REFERENCE = 1, 2, 3, 4


class WireError(Exception):
    """The bytes are no message."""


class References(Protocol):
    """What stands for the objects that are not copied."""

    def give(self, value: object) -> list[Any]:
        """Describe an object so that the other side can refer to it."""

    def take(self, description: list[Any]) -> object:
        """Return the object, or what represents it here."""


class Wire:
    """Messages over a pair of pipes."""

    def __init__(self, reader: io.RawIOBase, writer: io.RawIOBase, references: References) -> None:
        self._reader, self._writer, self._references = reader, writer, references
        self._buffer = bytearray()

    def send(self, message: object) -> None:
        """Write one message.

        Raises
        ------
        WireError
            It holds a list that holds itself, or is too long.
        OSError
            Nobody reads.
        """
        body = self._pack(message)
        if len(body) > MAX_FRAME_BYTES:
            raise WireError(f"a message of {len(body):,} bytes, over {MAX_FRAME_BYTES:,}")
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
            The other side has gone.
        """
        while True:
            if len(self._buffer) >= _HEADER_BYTES:
                size = int.from_bytes(self._buffer[:_HEADER_BYTES], "little")
                if size > MAX_FRAME_BYTES:
                    raise WireError(f"a message of {size:,} bytes, over {MAX_FRAME_BYTES:,}")
                end = _HEADER_BYTES + size
                if len(self._buffer) >= end:
                    body = bytes(self._buffer[_HEADER_BYTES:end])
                    del self._buffer[:end]
                    return self._unpack(body)
            chunk = self._reader.read(1 << 16)
            if not chunk:
                raise EOFError
            self._buffer += chunk

    def _pack(self, value: object) -> bytes:
        try:
            packed: bytes = msgpack.packb(
                value, default=self._reduce, strict_types=True, unicode_errors="surrogatepass"
            )
        except (ValueError, RecursionError) as error:
            raise WireError(f"cannot be sent: {error}") from None
        return packed

    def _reduce(self, value: Any) -> Any:
        kind = type(value)
        if kind is tuple:
            return msgpack.ExtType(_TUPLE, self._pack(list(value)))
        if kind in (set, frozenset):
            return msgpack.ExtType(_SET, self._pack(list(value)))
        if kind is int:
            return msgpack.ExtType(_BIG_INT, hex(value).encode())
        if kind.__module__ == "numpy" and hasattr(value, "tolist"):
            return value.tolist()
        return msgpack.ExtType(_REFERENCE, self._pack(self._references.give(value)))

    def _unpack(self, body: bytes) -> Any:
        try:
            return msgpack.unpackb(
                body,
                ext_hook=self._rebuild,
                strict_map_key=False,
                unicode_errors="surrogatepass",
            )
        except (ValueError, TypeError, KeyError, RecursionError, msgpack.UnpackException) as error:
            raise WireError(f"cannot be read: {type(error).__name__}") from None

    def _rebuild(self, code: int, data: bytes) -> Any:
        if code == _BIG_INT:
            return int(data, 16)
        builders: dict[int, Callable[[Any], Any]] = {
            _TUPLE: tuple,
            _SET: set,
            _REFERENCE: self._references.take,
        }
        return builders[code](self._unpack(data))
