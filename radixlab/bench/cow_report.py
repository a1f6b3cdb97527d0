"""The report of `radixlab bench cow`: copy-on-write and eager copies in one table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from radixlab.bench.cow import (
    BLOCK_SIZES,
    CONTEXT_TOKENS,
    NUM_FORKS,
    TOKEN_BYTES,
    CowRow,
    measure_branches,
)
from radixlab.bench.measure import machine
from radixlab.bench.report import count, machine_line, markdown_table, text_table, triple
from radixlab.bench.tree_report import Progress

Table = Callable[[Sequence[str], Sequence[Sequence[str]]], str]


@dataclass(frozen=True, slots=True)
class CowReport:
    """Everything one run of the benchmark found."""

    command: str
    rounds: int
    num_samples: int
    rows: list[CowRow]

    def text(self) -> str:
        """Format for a terminal."""
        return f"{self._what()}\n\n{text_table(*_table(self.rows))}"

    def markdown(self) -> str:
        """Format as a section for benchmarks/RESULTS.md."""
        head = f"## Copy-on-write\n\n`{self.command}` on {machine_line()}."
        return f"{head}\n\n{self._what()}\n\n{markdown_table(*_table(self.rows))}"

    def as_json(self) -> dict[str, object]:
        """Return what `--json` prints; spreads are `[median, low, high]`."""
        return {
            "machine": machine(),
            "command": self.command,
            "rounds": self.rounds,
            "context_tokens": CONTEXT_TOKENS,
            "token_bytes": TOKEN_BYTES,
            "rows": [_row_json(row) for row in self.rows],
        }

    def _what(self) -> str:
        return (
            f"A sequence of {CONTEXT_TOKENS:,} tokens and half a block is forked, then every "
            f"branch writes a token, and one more. Wall µs of one write (`append` of a token and "
            f"the copy that it takes, {TOKEN_BYTES:,} bytes of KV a token) and of all forks with "
            f"all first writes; eager is `NaiveManager.fork`, which copies every block at once. "
            f"A first write costs an ordinary write and the copy of one block; the larger the "
            f"block, the more times an ordinary write that is. "
            f"Median of {self.num_samples} in each of {count(self.rounds, 'round')}, "
            f"median (min - max) of these"
        )


def measure_cow(command: str, rounds: int | None, quick: bool, progress: Progress) -> CowReport:
    """Run the benchmark; `command` is what the report will say it was."""
    rounds = rounds or (1 if quick else 5)
    num_samples = 10 if quick else 50
    with progress(rounds * len(BLOCK_SIZES) * len(NUM_FORKS), "cow", "turn") as advance:
        rows = measure_branches(rounds, num_samples, progress=advance)
    return CowReport(command, rounds, num_samples, rows)


def _table(rows: list[CowRow]) -> tuple[list[str], list[list[str]]]:
    header = [
        "block size",
        "forks",
        "write, never shared",
        "first after a fork",
        "after that",
        "a copy adds",
        "first ÷ never shared",
        "blocks copied (MB)",
        "all, µs",
        "eager: blocks copied (MB)",
        "eager: all, µs",
        "eager ÷ copy-on-write",
    ]
    return header, [
        [
            str(row.block_size),
            str(row.num_forks),
            str(row.unshared_us),
            str(row.first_us),
            str(row.later_us),
            str(row.copy_us),
            str(row.first_over_unshared),
            _copied(row.lazy_blocks, row),
            str(row.lazy_us),
            _copied(row.eager_blocks, row),
            str(row.eager_us),
            str(row.eager_over_lazy),
        ]
        for row in rows
    ]


def _copied(num_blocks: int, row: CowRow) -> str:
    return f"{num_blocks:,} ({num_blocks * row.block_bytes / 1e6:,.2f})"


def _row_json(row: CowRow) -> dict[str, object]:
    return {
        "block_size": row.block_size,
        "num_forks": row.num_forks,
        "write_never_shared_us": triple(row.unshared_us),
        "first_write_us": triple(row.first_us),
        "later_write_us": triple(row.later_us),
        "copy_adds_us": triple(row.copy_us),
        "first_over_never_shared": triple(row.first_over_unshared),
        "copied_blocks": row.lazy_blocks,
        "copied_bytes": row.lazy_blocks * row.block_bytes,
        "all_us": triple(row.lazy_us),
        "eager_copied_blocks": row.eager_blocks,
        "eager_copied_bytes": row.eager_blocks * row.block_bytes,
        "eager_all_us": triple(row.eager_us),
        "eager_over_lazy": triple(row.eager_over_lazy),
    }
