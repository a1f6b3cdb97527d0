"""The report of `radixlab bench tree`: what was measured, beside the goals it is held to."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from radixlab.bench.growth import SIZES, GrowthRow, measure_growth
from radixlab.bench.measure import Spread, machine
from radixlab.bench.report import markdown_table, text_table
from radixlab.bench.tree import CONTENDERS, POOLS, TraceRow, bench_workload, measure_trace
from radixlab.workloads import Workload

FLOOR_GOAL = "≤ 4 (beyond: 2.5)"
"""Ours ÷ floor at the smaller pool."""
FLATNESS_GOAL = "≤ 2 (beyond: 1.7)"
"""Cost at the largest tree ÷ at the smallest, each operation."""

Table = Callable[[Sequence[str], Sequence[Sequence[str]]], str]
Progress = Callable[[int, str, str], AbstractContextManager[Callable[[], object]]]
"""`(total, what, unit)` opens a progress bar; the value is called once per unit."""


@dataclass(frozen=True, slots=True)
class TreeReport:
    """Everything one run of the benchmark found, and what it ran on."""

    command: str
    workload: Workload
    rounds: int
    num_samples: int
    """Operations behind one round's figure of the growth table."""
    trace_rows: list[TraceRow]
    growth_rows: list[GrowthRow]

    def text(self) -> str:
        """Format for a terminal."""
        return "\n\n".join(self._parts(text_table))

    def markdown(self) -> str:
        """Format as a section for benchmarks/RESULTS.md."""
        head = f"## Tree\n\n`{self.command}` on {_machine_line()}."
        return "\n\n".join([head, *self._parts(markdown_table)])

    def as_json(self) -> dict[str, object]:
        """Return what `--json` prints; spreads are `[median, low, high]`."""
        return {
            "machine": machine(),
            "command": self.command,
            "trace": self.workload.name,
            "requests": self.workload.num_requests,
            "rounds": self.rounds,
            "managers": [_trace_json(row) for row in self.trace_rows],
            "growth": [_growth_json(row) for row in self.growth_rows],
        }

    def _parts(self, table: Table) -> list[str]:
        return [
            f"Thread CPU µs per request, match to release: {self.workload.num_requests:,} requests "
            f"of {self.workload.name}, {_count(self.rounds, 'round')}, median (min - max)",
            table(*_trace_table(self.trace_rows)),
            f"µs of one operation on a tree of so many blocks: median of {self.num_samples} "
            f"in each of {_count(self.rounds, 'round')}, median (min - max) of these",
            table(*_growth_table(self.growth_rows)),
        ]


def measure_tree(
    command: str, rounds: int | None, limit: int | None, quick: bool, progress: Progress
) -> TreeReport:
    """Run the whole benchmark; `command` is what the report will say it was."""
    rounds = rounds or (1 if quick else 5)
    num_samples = 100 if quick else 500
    sizes = SIZES[:-1] if quick else SIZES
    workload = bench_workload(limit or (200 if quick else 2000))
    with progress(rounds * len(POOLS) * len(CONTENDERS), "trace", "replay") as advance:
        trace_rows = measure_trace(workload, rounds, progress=advance)
    with progress(rounds * len(sizes), "growth", "tree") as advance:
        growth_rows = measure_growth(rounds, num_samples, sizes, advance)
    return TreeReport(command, workload, rounds, num_samples, trace_rows, growth_rows)


def _trace_table(rows: list[TraceRow]) -> tuple[list[str], list[list[str]]]:
    header = ["manager", "blocks", "CPU µs/request", "÷ floor", "goal", "token hit rate"]
    return header, [
        [
            row.contender,
            f"{row.num_blocks:,}",
            str(row.cpu_us),
            str(row.over_floor),
            FLOOR_GOAL if (row.contender, row.num_blocks) == ("radixlab", POOLS[0]) else "",
            "" if row.token_hit_rate is None else f"{row.token_hit_rate:.6f}",
        ]
        for row in rows
    ]


def _growth_table(rows: list[GrowthRow]) -> tuple[list[str], list[list[str]]]:
    sizes = list(rows[0].us)
    ratio = f"{max(sizes):,} ÷ {min(sizes):,}"
    header = ["operation", *(f"{size:,}" for size in sizes), ratio, "goal"]
    names = {"match": "match 64 blocks", "insert": "insert 48 blocks", "evict": "evict 48 blocks"}
    return header, [
        [names[row.operation], *map(str, row.us.values()), str(row.ratio), FLATNESS_GOAL]
        for row in rows
    ]


def _trace_json(row: TraceRow) -> dict[str, object]:
    return {
        "manager": row.contender,
        "num_blocks": row.num_blocks,
        "cpu_us_per_request": _triple(row.cpu_us),
        "over_floor": _triple(row.over_floor),
        "token_hit_rate": row.token_hit_rate,
    }


def _growth_json(row: GrowthRow) -> dict[str, object]:
    us = {str(size): _triple(figure) for size, figure in row.us.items()}
    return {"operation": row.operation, "us": us, "ratio": _triple(row.ratio)}


def _triple(figure: Spread) -> list[float]:
    return [round(value, 4) for value in (figure.median, figure.low, figure.high)]


def _machine_line() -> str:
    facts = machine()
    return (
        f"{facts['cpu']}, {facts['cores']} cores, {facts['system']}, Python {facts['python']}, "
        f"NumPy {facts['numpy']}, {facts['date']}"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("s" if number != 1 else "")
