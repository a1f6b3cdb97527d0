"""The log, read from its beginning as often as needed, and single requests read again.

A log file is not kept in memory. Only the offset of each request (8 bytes) and the last few
prompts are kept. Requests that a caller hands over stay the caller's and are
not copied.
"""

from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from radixlab.why.prompt import Prompt
from radixlab.why.reading import RequestLog
from radixlab.why.request import Request
from radixlab.why.tokenizers import TextTokenizer

MOST_CHARACTERS = 32_000_000
"""Most characters of the prompts that are kept."""
CHARACTERS_OF_ID = 6
"""Of a token id with what follows it, about."""


class Source:
    """Requests by their number in the log, from 0."""

    def __init__(
        self,
        log: str | Path | Iterable[Request],
        tokenizer: TextTokenizer,
        on_skip: Callable[[str], object],
        limit: int | None = None,
    ) -> None:
        self._tokenizer, self._limit = tokenizer, limit
        self._on_skip: Callable[[str], object] | None = on_skip
        is_file = isinstance(log, str | Path)
        self._file = (
            RequestLog(log, self._tell, tokenizer.template) if isinstance(log, str | Path) else None
        )
        self._requests = [] if is_file else _first(log, limit)  # type: ignore[arg-type]
        self._offsets, self._lines = array("q"), array("q")
        self._kept: OrderedDict[int, Prompt] = OrderedDict()
        self._num_kept = 0

    def __iter__(self) -> Iterator[Request]:
        """Yield all requests; the first time, note where they begin and what is skipped."""
        if self._file is None:
            yield from self._requests
            return
        is_first = not self._offsets
        for number, request in enumerate(self._file):
            if number == self._limit:
                break
            if is_first:
                self._offsets.append(request.offset)
                self._lines.append(request.line)
            yield request
        self._on_skip = None  # a bad line is told of once

    def __len__(self) -> int:
        """Return how many requests the caller handed over, or how many of a file were read."""
        return len(self._offsets) if self._file is not None else len(self._requests)

    def prompt(self, number: int) -> Prompt:
        """Read one request again."""
        if (prompt := self._kept.get(number)) is not None:
            self._kept.move_to_end(number)
            return prompt
        if self._file is None:
            request = self._requests[number]
        else:
            request = self._file.at(self._offsets[number], self._lines[number])
        return self.keep(number, Prompt(request, self._tokenizer))

    def keep(self, number: int, prompt: Prompt) -> Prompt:
        """Keep a prompt for a while: it may soon be asked for again."""
        if (before := self._kept.pop(number, None)) is not None:
            self._num_kept -= _size(before)
        self._kept[number] = prompt
        self._num_kept += _size(prompt)
        while self._num_kept > MOST_CHARACTERS and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._num_kept -= _size(oldest)
        return prompt

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _tell(self, text: str) -> None:
        if self._on_skip is not None:
            self._on_skip(text)


def _size(prompt: Prompt) -> int:
    """Return the length of a prompt in characters, about."""
    ids = prompt.request.token_ids
    if ids is not None:
        return CHARACTERS_OF_ID * len(ids)
    return sum(len(text) for _, text in prompt.request.parts)


def _first(requests: Iterable[Request], limit: int | None) -> list[Request]:
    return [request for number, request in enumerate(requests) if limit is None or number < limit]
