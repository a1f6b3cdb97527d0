"""Lines of a trace that can be read, but contradict themselves or the line before.

A prompt's length and its hash ids say the same thing twice: n ids stand for more than 512 · (n − 1)
and at most 512 · n tokens. An id stands for a block *and all before it*, so it is in a line once.
Time goes forward. Mooncake's conversation trace keeps all of these; a trace that does not was
probably cut, merged or converted wrongly, and its hit rate means little.

This file knows checked records. It does not know files.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

HASH_BLOCK_TOKENS = 512
"""Prompt tokens that one hash id stands for."""


class TraceError(ValueError):
    """A trace that cannot be read; the message names file, line and what is wrong there."""


class TraceWarning(UserWarning):
    """A trace that can be read, some of whose lines contradict themselves."""


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """One line of the trace, checked, its tokens not expanded yet."""

    arrival_s: float
    num_prompt_tokens: int
    num_output_tokens: int
    hash_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """One kind of contradiction: how many lines have it, and the first of them."""

    kind: str
    first: str
    """File, line, what is wrong there, and what is made of it."""
    num_lines: int = 1

    def __str__(self) -> str:
        lines = "1 line" if self.num_lines == 1 else f"{self.num_lines:,} lines"
        return f"{lines} of the trace: {self.kind}; first in {self.first}"


@dataclass(slots=True)
class Doubts:
    """What was doubtful in the lines of a trace so far; with `strict`, the first raises."""

    strict: bool = False
    num_lines: int = 0
    """Lines with a contradiction, each counted once."""
    by_kind: dict[str, Note] = field(default_factory=dict)
    _latest_s: float = 0.0

    def check(self, record: TraceRecord, where: str) -> None:
        """Look one record over, in file order; raise `TraceError` if it must be sound."""
        found = [*_contradictions(record), *_steps_back(record, self._latest_s)]
        self._latest_s = max(self._latest_s, record.arrival_s)
        if found and self.strict:
            kind, what = found[0]
            raise TraceError(f"{where}: {kind}: {what}")
        self.num_lines += bool(found)
        for kind, what in found:
            note = self.by_kind.get(kind)
            self.by_kind[kind] = (
                replace(note, num_lines=note.num_lines + 1)
                if note
                else Note(kind, f"{where}: {what}")
            )

    @property
    def notes(self) -> tuple[Note, ...]:
        """One note for each kind."""
        return tuple(self.by_kind.values())


def _contradictions(record: TraceRecord) -> Iterator[tuple[str, str]]:
    num_tokens, num_ids = record.num_prompt_tokens, len(record.hash_ids)
    num_needed = -(-num_tokens // HASH_BLOCK_TOKENS)
    if num_needed > num_ids:
        most = num_ids * HASH_BLOCK_TOKENS
        yield (
            "input_length is more than the hash_ids stand for",
            f"{num_tokens:,} tokens, {num_ids} ids; the prompt is cut to {most:,}",
        )
    if num_needed < num_ids:
        yield (
            "more hash_ids than input_length has blocks",
            f"{num_tokens:,} tokens, {num_ids} ids; only the first {num_needed} are used",
        )
    if len(set(record.hash_ids)) < num_ids:
        seen: set[int] = set()
        twice = next(i for i in record.hash_ids if i in seen or seen.add(i))  # type: ignore[func-returns-value]
        yield "a hash id twice in one prompt", f"{twice}; each is taken for the same block"


def _steps_back(record: TraceRecord, latest_s: float) -> Iterator[tuple[str, str]]:
    if record.arrival_s < latest_s:
        times = f"{record.arrival_s * 1000:.0f} ms after {latest_s * 1000:.0f}"
        yield "timestamps go back", f"{times}; the requests stay in file order"
