"""A log file as requests: one after another, or the one at a byte offset.

    bytes ─► lines ─► one JSON object each ─► envelope and body ─► requests

A log is not trusted. A line that cannot be used is skipped and reported in one line of text, which
says what is wrong and quotes nothing of a prompt. Memory is bounded by the longest line.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from radixlab.why.bodies import MAX_PROMPTS, read_body
from radixlab.why.bodies.template import ChatTemplate
from radixlab.why.errors import BadLineError, WhyError, kind, name
from radixlab.why.lines import (
    SMALL_BUFFER_BYTES,
    Line,
    OnSkip,
    bytes_at,
    line_at,
    open_log,
    read_lines,
)
from radixlab.why.packed import Kept
from radixlab.why.request import Request

BOM = b"\xef\xbb\xbf"
MAX_BAD_LINES = 100_000
"""Most bad lines one after another before the rest of a file is given up."""


class RequestLog:
    """A log file, plain or gz; a context manager.

    Lines that cannot be used are told to `on_skip`. With a `template`, conversations are rendered
    as that model's server renders them.
    """

    def __init__(
        self,
        path: str | Path,
        on_skip: OnSkip | None = None,
        template: ChatTemplate | None = None,
    ) -> None:
        self.path = Path(path)
        self._on_skip = on_skip or _ignore
        self._template = template
        self._kept = Kept()
        self._file = open_log(self.path, self._kept, SMALL_BUFFER_BYTES)
        """For `at`; each pass over the log has a file of its own."""

    def __iter__(self) -> Iterator[Request]:
        """Yield every request from the beginning of the log."""
        num_bad = 0
        with open_log(self.path, self._kept) as file:
            for line in read_lines(file, self._on_skip):
                try:
                    requests = read_line(line, self._template)
                except BadLineError as error:
                    num_bad += 1
                    self._on_skip(f"line {line.number}: {error}")
                    if num_bad == MAX_BAD_LINES:
                        self._on_skip(f"line {line.number}: the rest of the file is not read")
                        return
                else:
                    num_bad = 0
                    yield from requests

    def at(self, offset: int, line: int = 0) -> Request:
        """Return the request that has this `offset`; raise `WhyError` if there is none.

        `line` is the number that the request gets: a file does not know it at an offset.
        """
        if offset < 0:
            raise WhyError(f"a byte offset is 0 or more, not {offset}")
        start = self._line_start(offset)
        try:
            requests = read_line(Line(line, start, line_at(self._file, start)), self._template)
            return requests[offset - start]
        except (BadLineError, IndexError) as error:
            raise WhyError(f"no request is at byte {offset:,} of the log: {error}") from None

    def _line_start(self, offset: int) -> int:
        """Return where the line begins whose n-th request has the offset of its line plus n."""
        back = min(offset, MAX_PROMPTS)
        if not back:
            return 0
        before = bytes_at(self._file, offset - back, back)
        return offset - back + before.rfind(b"\n") + 1

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> "RequestLog":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_log(
    path: str | Path, on_skip: OnSkip | None = None, template: ChatTemplate | None = None
) -> Iterator[Request]:
    """Yield the requests of a log; see `RequestLog`."""
    with RequestLog(path, on_skip, template) as log:
        yield from log


def read_at(path: str | Path, offset: int, template: ChatTemplate | None = None) -> Request:
    """Return the request that has this `offset`. For many of them, keep a `RequestLog` open."""
    with RequestLog(path, template=template) as log:
        return log.at(offset)


def read_line(line: Line, template: ChatTemplate | None = None) -> list[Request]:
    """Return the requests of a line, mostly one; raise `BadLineError`."""
    text = line.text
    if line.offset == 0:
        text = text.removeprefix(BOM)
    try:
        fields = _load(text)
        if type(fields) is not dict:
            raise BadLineError(f"{kind(fields)}, where an object with one request should be")
        requests = read_body(fields, line.number, line.offset, template)
        _refuse_half_characters(requests)
        return requests
    except RecursionError:
        raise BadLineError("nested too deep") from None


def _load(text: bytes) -> Any:
    try:
        return _DECODER.decode(text.decode())
    except BadLineError:
        raise
    except UnicodeDecodeError as error:
        raise BadLineError(f"not UTF-8: byte {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise BadLineError(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except ValueError:  # Python refuses to make an int of thousands of digits
        raise BadLineError("not JSON: a number has too many digits") from None


def _refuse_constant(word: str) -> NoReturn:
    raise BadLineError(f"not JSON: {word} is not a number")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _refuse_half_characters(requests: list[Request]) -> None:
    """Refuse a text with half of a character, which JSON can hold but no encoding can write."""
    for request in requests:
        for path, text in request.parts:
            try:
                text.isascii() or text.encode()
            except UnicodeEncodeError:
                raise BadLineError(f"{name(path)}: half of a character (\\ud…)") from None


def _ignore(_: str) -> None:
    """Do not report a skipped line."""
