"""The lines of a log file, plain or gz, one at a time and never more than a limit in memory.

A line that is too long is skipped without being kept in memory. If such lines have too many bytes
in all, or too many blank lines follow one another, the rest of the file is not read: a few
kilobytes of gz can hold gigabytes of them.

This file knows bytes. It does not know JSON.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from radixlab.why.errors import WhyError
from radixlab.why.packed import CHUNK_BYTES, GZ_MAGIC, Kept, PackedError, Unpacked

MAX_LINE_BYTES = 2**23
"""The longest line: 8 MiB, twice the text of a prompt of a million tokens."""
MAX_PASSED_BYTES = 2**30
"""Most bytes of too long lines before the rest of a file is given up."""
MAX_BLANK_LINES = 100_000
"""Most blank lines one after another before the rest of a file is given up."""
BUFFER_BYTES = 2**20
SMALL_BUFFER_BYTES = 2**16
"""For reading one line here and one there."""
OTHER_FORMATS = {
    b"\x28\xb5\x2f\xfd": "packed by zstd",
    b"\xfd7zXZ\0": "packed by xz",
    b"BZh": "packed by bzip2",
    b"PK\x03\x04": "a zip file",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"PAR1": "a Parquet file",
}
"""How files begin that people mistake for logs, and what they are."""

OnSkip = Callable[[str], object]
"""Is told, in one line of text, of each line that cannot be used."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not blank."""

    number: int
    """From 1."""
    offset: int
    """Of its first byte, in the unpacked file."""
    text: bytes


def open_log(
    path: str | Path, kept: Kept | None = None, buffer_bytes: int = BUFFER_BYTES
) -> BinaryIO:
    """Open a log for reading and seeking, by offsets of the unpacked file; `WhyError` if not.

    Readers of one gz file that share what they `kept` find their way faster.
    """
    try:
        with open(path, "rb") as file:
            begin = file.read(6)
        for magic, what in OTHER_FORMATS.items():
            if begin.startswith(magic):
                raise WhyError(f"{path}: this is {what}; a log is UTF-8 text, plain or gz")
        if begin.startswith(GZ_MAGIC):
            return io.BufferedReader(Unpacked(path, kept), buffer_bytes)
        return open(path, "rb", buffering=buffer_bytes)
    except OSError as error:
        raise WhyError(f"{path}: {error.strerror or error}") from None


def read_lines(file: BinaryIO, on_skip: OnSkip) -> Iterator[Line]:
    """Yield the lines from the file's position on, which must be its beginning."""
    number = offset = passed = blank = 0
    try:
        while text := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            start, offset = offset, offset + len(text)
            if len(text) > MAX_LINE_BYTES and not text.endswith(b"\n"):
                rest = _pass_over(file, MAX_PASSED_BYTES - passed)
                offset, passed = offset + rest, passed + len(text) + rest
                on_skip(f"line {number}: longer than {MAX_LINE_BYTES:,} bytes")
                if passed >= MAX_PASSED_BYTES:
                    on_skip(f"line {number}: the rest of the file is not read: too long lines")
                    return
            elif not text.strip():
                blank += 1
                if blank > MAX_BLANK_LINES:
                    on_skip(f"line {number}: the rest of the file is not read: blank lines")
                    return
            else:
                blank = 0
                yield Line(number, start, text)
    except PackedError as error:
        on_skip(f"line {number + 1}: {error}; what comes before it is read")


def line_at(file: BinaryIO, offset: int) -> bytes:
    """Return the line that begins at an offset; raise `WhyError` if there is none."""
    text = _at(file, offset, lambda: file.readline(MAX_LINE_BYTES + 1))
    if not text.strip():
        raise WhyError(f"no line begins at byte {offset:,} of the log")
    return text


def bytes_at(file: BinaryIO, offset: int, num_bytes: int) -> bytes:
    """Return these bytes, or fewer at the end; raise `WhyError` if they cannot be read."""
    return _at(file, offset, lambda: file.read(num_bytes))


def _at(file: BinaryIO, offset: int, read: Callable[[], bytes]) -> bytes:
    try:
        file.seek(offset)
        return read()
    except (OSError, ValueError) as error:  # an offset may be too large for any file
        raise WhyError(f"byte {offset:,} of the log cannot be read: {error}") from None


def _pass_over(file: BinaryIO, most: int) -> int:
    """Read to the end of the line, or at most so many bytes; return how many were read."""
    num_bytes = 0
    while num_bytes < most and (chunk := file.readline(CHUNK_BYTES)):
        num_bytes += len(chunk)
        if chunk.endswith(b"\n"):
            break
    return num_bytes
