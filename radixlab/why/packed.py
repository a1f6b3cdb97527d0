"""Reading a gz file from any position: the unpacker's state is kept every few megabytes.

A gz file can only be unpacked from its beginning, or from where a copy of the unpacker was kept.
Such a copy takes about 45 kB, most of it the last 32 kB of text. At most `MOST_KEPT` copies are
kept: when there are more, every second one is dropped and the distance between them doubles. Going
to a position therefore unpacks at most that distance. For a log of 3 GB that is 16 MB, about 50 ms.

This file knows gz. It does not know lines.
"""

import io
import zlib
from bisect import bisect_right
from pathlib import Path
from typing import Any, BinaryIO

GZ_MAGIC = b"\x1f\x8b"
GZ_FORMAT = 31
"""zlib's number for a gz header and trailer; the trailer's checksum and length are verified."""
CHUNK_BYTES = 2**18
FIRST_DISTANCE_BYTES = 2**20
MOST_KEPT = 256


class PackedError(ValueError):
    """A gz file that is damaged, truncated, or followed by something else."""


class Kept:
    """Copies of the unpacker at some positions, in order."""

    def __init__(self) -> None:
        self.copies: list[tuple[int, int, Any]] = []
        """Unpacked position, packed position, the unpacker there."""
        self.distance = FIRST_DISTANCE_BYTES

    def is_due(self, position: int) -> bool:
        """Whether a position is far enough behind the last copy."""
        return not self.copies or position - self.copies[-1][0] >= self.distance

    def keep(self, position: int, packed: int, unpacker: Any) -> None:
        """Keep a copy, and thin out the copies if they are too many."""
        self.copies.append((position, packed, unpacker.copy()))
        if len(self.copies) > MOST_KEPT:
            del self.copies[1::2]
            self.distance *= 2

    def before(self, position: int) -> tuple[int, int, Any]:
        """Return the last copy that is not behind a position."""
        return self.copies[bisect_right(self.copies, position, key=lambda kept: kept[0]) - 1]


class Unpacked(io.RawIOBase):
    """The unpacked bytes of a gz file, of one member or several; can be read and sought.

    Two readers of one file may share what they `kept`.
    """

    def __init__(self, path: str | Path, kept: Kept | None = None) -> None:
        self._file: BinaryIO = open(path, "rb")  # noqa: SIM115  # closed by close()
        self._unpacker: Any = zlib.decompressobj(GZ_FORMAT)
        self._pending = b""
        """Packed bytes that were read and not unpacked yet."""
        self._position = 0
        self.kept = Kept() if kept is None else kept
        self._keep_if_due()

    def readable(self) -> bool:
        """Whether it can be read: yes."""
        return True

    def seekable(self) -> bool:
        """Whether it can be sought: yes, at the price that the module's docstring names."""
        return True

    def tell(self) -> int:
        """Return the position in the unpacked bytes."""
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill a part of `buffer`; 0 at the end. Raises `PackedError`."""
        data = self._unpack(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position counted from the beginning or from here."""
        if whence == io.SEEK_CUR:
            offset += self._position
        elif whence != io.SEEK_SET:
            raise OSError("a packed file has no known end")
        start, packed, unpacker = self.kept.before(offset)
        if not start <= self._position <= offset:
            self._position, self._pending, self._unpacker = start, b"", unpacker.copy()
            self._file.seek(packed)
        while self._position < offset and self._unpack(min(CHUNK_BYTES, offset - self._position)):
            pass
        return self._position

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def _unpack(self, most: int) -> bytes:
        """Return at least one and at most `most` bytes, or nothing at the end."""
        while True:
            if self._unpacker.eof and not self._next_member():
                return b""
            if not self._pending:
                self._pending = self._file.read(CHUNK_BYTES)
            is_end = not self._pending
            data = self._unpack_pending(most)
            if data:
                self._position += len(data)
                self._keep_if_due()
                return data
            if is_end and not self._unpacker.eof:
                raise PackedError("the gz file ends in the middle")

    def _unpack_pending(self, most: int) -> bytes:
        """Unpack what was read; may return nothing, if it was only a part of a header."""
        before = self._unpacker.copy() if not self._unpacker.eof else self._unpacker
        try:
            data: bytes = self._unpacker.decompress(self._pending, most)
        except zlib.error as error:
            data = self._unpack_up_to_damage(before, most)
            if not data:
                why = str(error).rpartition(": ")[2]
                raise PackedError(f"the gz file is damaged: {why}") from None
            return data
        self._pending = self._unpacker.unconsumed_tail
        if self._unpacker.eof:
            self._pending = self._unpacker.unused_data
        return data

    def _unpack_up_to_damage(self, unpacker: Any, most: int) -> bytes:
        """Unpack byte by byte, so that nothing before the damage is lost."""
        data, packed, self._unpacker = bytearray(), self._pending, unpacker
        for index in range(len(packed)):
            self._pending = packed[index:]  # after the damage, the next call fails at once
            try:
                data += unpacker.decompress(packed[index : index + 1], most - len(data))
            except zlib.error:
                break
            if len(data) == most:
                self._pending = unpacker.unconsumed_tail + packed[index + 1 :]
                break
        return bytes(data)

    def _next_member(self) -> bool:
        """Begin the next member, if one follows; zeros may fill up the file's end."""
        while True:
            self._pending = self._pending.lstrip(b"\0")
            more = b"" if len(self._pending) >= len(GZ_MAGIC) else self._file.read(CHUNK_BYTES)
            self._pending += more
            if not more:
                break
        if not self._pending:
            return False
        if not self._pending.startswith(GZ_MAGIC):
            raise PackedError("something that is not gz follows the gz data")
        self._unpacker = zlib.decompressobj(GZ_FORMAT)
        return True

    def _keep_if_due(self) -> None:
        if self.kept.is_due(self._position) and not self._unpacker.eof:
            packed = self._file.tell() - len(self._pending)
            self.kept.keep(self._position, packed, self._unpacker)
