"""The ledger: one line for each request that was sent, written when it is over.

A line is written whole and at once, so that nothing is lost when the program is stopped.

This file knows lines. It does not know how requests are sent.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Literal

Status = Literal["finished", "failed", "aborted"]


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one request; times are in seconds since the start of the run."""

    index: int
    status: Status
    sent_s: float
    over_s: float
    due_s: float | None = None
    first_token_s: float | None = None
    gaps_s: tuple[float, ...] = ()
    """Between the parts of the answer, one for each part after the first."""
    sent_tokens: int | None = None
    """Token ids in the prompt; None for a prompt sent as text."""
    max_tokens: int = 0
    prompt_tokens: int | None = None
    """As the server counts them, as all that follow."""
    cached_tokens: int | None = None
    output_tokens: int | None = None
    finish_reason: str | None = None
    error: str | None = None
    """The kind: a status with its code, `timeout`, `connection`, `cut off`."""
    message: str | None = None
    label: str | None = None
    session: str | None = None
    turn: int | None = None
    salt: str | None = None

    @property
    def ttft_s(self) -> float | None:
        """Seconds to the first token."""
        return None if self.first_token_s is None else self.first_token_s - self.sent_s

    @property
    def total_s(self) -> float:
        """Seconds to the end."""
        return self.over_s - self.sent_s

    @property
    def mean_gap_s(self) -> float | None:
        """Seconds for each token after the first; None for an answer of one token."""
        if self.first_token_s is None or not self.gaps_s:
            return None
        num_tokens = max(self.output_tokens or 0, len(self.gaps_s) + 1)
        return sum(self.gaps_s) / (num_tokens - 1)


class Ledger:
    """All lines of a run, in the order in which the requests ended; also in a file, if given."""

    def __init__(self, path: Path | None = None) -> None:
        self.lines: list[Line] = []
        self._file: IO[str] | None = None
        if path is not None:
            self._file = path.open("w", encoding="utf-8", newline="\n")

    def write(self, line: Line) -> None:
        """Add a line."""
        self.lines.append(line)
        if self._file is not None:
            self._file.write(json.dumps(_rounded(asdict(line))) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def __iter__(self) -> Iterator[Line]:
        return iter(self.lines)

    def of(self, status: Status) -> list[Line]:
        """Return the lines of one status."""
        return [line for line in self.lines if line.status == status]


def _rounded(fields: dict[str, object]) -> dict[str, object]:
    """Round times to microseconds."""
    return {
        name: round(value, 6)
        if isinstance(value, float)
        else [round(gap, 6) for gap in value]
        if isinstance(value, tuple | list)
        else value
        for name, value in fields.items()
    }
