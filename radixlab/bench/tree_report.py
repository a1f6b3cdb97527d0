"""The report of `radixlab bench tree`: what was measured, beside the goals it is held to."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from radixlab.bench.builds import (
    MAKE_SILENT,
    BuildError,
    as_entry,
    compiled_worker,
    fast_python,
    silent_folder,
)
from radixlab.bench.builds import NAME as COMPILED_NAME
from radixlab.bench.contenders import FLOOR, NAIVE, OURS, Entry
from radixlab.bench.goals import Goal
from radixlab.bench.growth import SIZES, GrowthRow, measure_growth
from radixlab.bench.measure import Spread, machine
from radixlab.bench.memory import BLOCKS as MEMORY_BLOCKS
from radixlab.bench.memory import MemoryRow, measure_memory
from radixlab.bench.memory_report import WHAT, memory_json, memory_table
from radixlab.bench.peers import Peers, find_peers
from radixlab.bench.report import count, machine_line, markdown_table, text_table, triple
from radixlab.bench.tree import (
    COLD_EVERY,
    POOLS,
    EventsRow,
    TraceRow,
    bench_workload,
    contenders,
    measure_events,
    measure_trace,
    workload_source,
)
from radixlab.workloads import Workload

FLOOR_GOALS = {
    OURS.name: Goal("≤", 4, beyond=2.5, of="÷ floor"),
    COMPILED_NAME: Goal("≤", 2.5, beyond=1.7, of="÷ floor"),
}
"""Ours ÷ floor at the smaller pool, caches warm."""
NO_GOALS: tuple[Goal | None, Goal | None] = (None, None)
PEER_GOALS = {
    "SGLang 0.5.23 RadixCache": (
        Goal("≥", 12, beyond=20, of="÷ radixlab"),
        Goal("≥", 5, beyond=7, of="÷ radixlab"),
    ),
    "SGLang 0.5.23 default (Rust core)": (
        Goal("≥", 15, beyond=25, of="÷ radixlab"),
        Goal("≥", 6, beyond=10, of="÷ radixlab"),
    ),
    "vLLM 0.33.0 (sha256)": (Goal("≥", 200, beyond=400, of="÷ radixlab"), None),
}
"""Peer ÷ ours: with caches warm, and cold."""
COMPILED_PEER_GOALS = {
    "SGLang 0.5.23 RadixCache": (
        Goal("≥", 20, beyond=30, of="÷ compiled"),
        Goal("≥", 5, beyond=7, of="÷ compiled"),
    ),
    "SGLang 0.5.23 default (Rust core)": (
        Goal("≥", 25, beyond=35, of="÷ compiled"),
        Goal("≥", 6, beyond=10, of="÷ compiled"),
    ),
}
"""The same for the compiled build; these hold where it takes part."""
FLATNESS_GOAL = Goal("≤", 2, beyond=1.7)
"""Cost at the largest tree ÷ at the smallest, each operation."""
EVENTS_GOAL = Goal("≤", 1.05, beyond=1.02)
EVENT_ROUNDS = 21

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
    cold_rows: list[TraceRow] = field(default_factory=list)
    events: EventsRow | None = None
    not_run: dict[str, str] = field(default_factory=dict)
    memory_rows: list[MemoryRow] = field(default_factory=list)
    compiled_events: EventsRow | None = None

    def text(self) -> str:
        """Format for a terminal."""
        return "\n\n".join(self._parts(text_table))

    def markdown(self) -> str:
        """Format as a section for benchmarks/RESULTS.md."""
        head = f"## Tree\n\n`{self.command}` on {machine_line()}."
        return "\n\n".join([head, *self._parts(markdown_table)])

    def as_json(self) -> dict[str, object]:
        """Return what `--json` prints; spreads are `[median, low, high]`."""
        return {
            "machine": machine(),
            "command": self.command,
            "trace": self.workload.name,
            "requests": self.workload.num_requests,
            "rounds": self.rounds,
            "managers": [_trace_json(row, self.rounds, False) for row in self.trace_rows],
            "cold": [_trace_json(row, self.rounds, True) for row in self.cold_rows],
            "events": _events_json(self.events) if self.events else None,
            "events_compiled": _events_json(self.compiled_events) if self.compiled_events else None,
            "growth": [_growth_json(row, self.rounds) for row in self.growth_rows],
            "memory": memory_json(self.memory_rows),
            "not_run": self.not_run,
        }

    def _parts(self, table: Table) -> list[str]:
        runs = (
            f"{self.workload.num_requests:,} requests of {self.workload.name}, "
            f"{count(self.rounds, 'round')}, median (min - max)"
        )
        parts = [
            f"Thread CPU µs per request, match to release; tokens are in each manager's own type "
            f"before the clock starts: {runs}",
            table(*_trace_table(self.trace_rows, self.rounds, is_cold=False)),
        ]
        if self.cold_rows:
            parts += [
                f"The same with cold caches: 64 MB are swept before every {COLD_EVERY}th request, "
                f"and only these are timed: {runs}",
                table(*_trace_table(self.cold_rows, self.rounds, is_cold=True)),
            ]
        if self.not_run:
            why = "; ".join(f"{name}: {reason}" for name, reason in self.not_run.items())
            parts.append(f"Not run: {why}.")
        if self.events:
            parts += [
                f"Events with no listener, thread CPU µs per request at {self.events.num_blocks:,} "
                f"blocks: the engine and a copy without its emit statements take turns, "
                f"{count(self.events.rounds, 'round')}, median (min - max)",
                table(*_events_table([self.events, self.compiled_events])),
            ]
        if self.memory_rows:
            parts += [WHAT, table(*memory_table(self.memory_rows))]
        return [
            *parts,
            f"µs of one operation on a tree of so many blocks: median of {self.num_samples} "
            f"in each of {count(self.rounds, 'round')}, median (min - max) of these",
            table(*_growth_table(self.growth_rows, self.rounds)),
        ]


def measure_tree(
    command: str,
    rounds: int | None,
    limit: int | None,
    quick: bool,
    progress: Progress,
    peers_folder: Path | None = None,
    fast: Path | None = None,
) -> TreeReport:
    """Run the whole benchmark; `command` is what the report will say it was.

    `fast` is the Python of the compiled build, by default that of `.venv-fast`.
    """
    rounds = rounds or (1 if quick else 5)
    num_samples = 100 if quick else 500
    sizes = SIZES[:-1] if quick else SIZES
    limit = limit or (200 if quick else 2000)
    workload = bench_workload(limit)
    peers = find_peers(peers_folder)
    with with_compiled(fast, limit, peers.not_run) as compiled:
        trace_rows = _measure_trace(workload, rounds, peers, False, progress, compiled)
        cold_rows = _measure_trace(workload, rounds, peers, True, progress, compiled)
    event_rounds = rounds if quick else max(rounds, EVENT_ROUNDS)
    with progress(event_rounds, "events", "round") as advance:
        events = measure_events(workload, event_rounds, progress=advance)
    with progress(event_rounds, "events, compiled", "round") as advance:
        compiled_events = _measure_compiled_events(
            workload, event_rounds, fast or fast_python(), limit, peers.not_run, advance
        )
    with progress(rounds * len(sizes), "growth", "tree") as advance:
        growth_rows = measure_growth(rounds, num_samples, sizes, advance)
    names = [row.contender for row in trace_rows if row.num_blocks == POOLS[0]]
    names = [name for name in names if name not in (NAIVE.name, FLOOR.name)]
    with progress(len(names), "memory", "cache") as advance:
        memory_rows, failed = measure_memory(
            names,
            MEMORY_BLOCKS // (10 if quick else 1),
            peers_folder,
            fast or fast_python(),
            advance,
        )
    not_run = peers.not_run | {f"memory of {name}": why for name, why in failed.items()}
    return TreeReport(
        command, workload, rounds, num_samples, trace_rows, growth_rows, cold_rows, events, not_run,
        memory_rows, compiled_events,
    )  # fmt: skip


def _measure_compiled_events(
    workload: Workload,
    rounds: int,
    fast: Path | None,
    limit: int,
    not_run: dict[str, str],
    advance: Callable[[], object],
) -> EventsRow | None:
    """Measure the same on the compiled build; where that fails, note the reason and go on."""
    folder, source = silent_folder(fast), workload_source()
    try:
        if folder is None:
            raise BuildError(f"there is no build without events; {MAKE_SILENT}")
        with (
            compiled_worker(fast, source, limit) as ours,
            compiled_worker(fast, source, limit, folder) as silent,
        ):
            pair = [as_entry(ours), as_entry(silent, "silent")]
            return measure_events(workload, rounds, progress=advance, pair=pair)
    except (BuildError, OSError) as error:
        not_run[f"events of {COMPILED_NAME}"] = str(error)
        return None


@contextmanager
def with_compiled(fast: Path | None, limit: int, not_run: dict[str, str]) -> Iterator[Entry | None]:
    """Start the compiled build as a contender; where that fails, note the reason and go on."""
    with ExitStack() as stack:
        try:
            worker = stack.enter_context(
                compiled_worker(fast or fast_python(), workload_source(), limit)
            )
        except (BuildError, OSError) as error:
            not_run[COMPILED_NAME] = str(error)
            yield None
        else:
            yield as_entry(worker)


def _measure_trace(
    workload: Workload,
    rounds: int,
    peers: Peers,
    is_cold: bool,
    progress: Progress,
    compiled: Entry | None,
) -> list[TraceRow]:
    total = rounds * len(POOLS) * len(contenders(peers.entries, is_cold, compiled))
    with progress(total, "cold" if is_cold else "trace", "replay") as advance:
        return measure_trace(
            workload, rounds, peers=peers.entries, is_cold=is_cold, progress=advance,
            compiled=compiled,
        )  # fmt: skip


def _trace_table(
    rows: list[TraceRow], rounds: int, is_cold: bool
) -> tuple[list[str], list[list[str]]]:
    header = [
        "manager", "blocks", "CPU µs/request", "÷ radixlab", "÷ compiled", "÷ floor", "goal",
        "token hit rate",
    ]  # fmt: skip
    return header, [
        [
            row.contender,
            f"{row.num_blocks:,}",
            str(row.cpu_us),
            str(row.over_ours),
            str(row.over_compiled or ""),
            str(row.over_floor),
            _trace_goal(row, rounds, is_cold),
            "" if row.token_hit_rate is None else f"{row.token_hit_rate:.6f}",
        ]
        for row in rows
    ]


def _trace_goal(row: TraceRow, rounds: int, is_cold: bool) -> str:
    if row.contender in FLOOR_GOALS:
        is_judged = row.num_blocks == POOLS[0] and not is_cold
        return FLOOR_GOALS[row.contender].judge(row.over_floor, rounds) if is_judged else ""
    if row.over_compiled and (goal := COMPILED_PEER_GOALS.get(row.contender, NO_GOALS)[is_cold]):
        return goal.judge(row.over_compiled, rounds)
    goal = PEER_GOALS.get(row.contender, NO_GOALS)[is_cold]
    return goal.judge(row.over_ours, rounds) if goal else ""


def _events_table(rows: Sequence[EventsRow | None]) -> tuple[list[str], list[list[str]]]:
    header = ["engine", "CPU µs/request", "stripped copy", "engine ÷ copy", "goal"]
    return header, [
        [
            row.engine,
            str(row.cpu_us),
            str(row.stripped_us),
            precise(row.ratio),
            EVENTS_GOAL.judge(row.ratio, row.rounds),
        ]
        for row in rows
        if row
    ]


def precise(ratio: Spread) -> str:
    """Show a ratio near 1 with its third digit."""
    return f"{ratio.median:.3f} ({ratio.low:.3f} - {ratio.high:.3f})"


def _growth_table(rows: list[GrowthRow], rounds: int) -> tuple[list[str], list[list[str]]]:
    sizes = list(rows[0].us)
    ratio = f"{max(sizes):,} ÷ {min(sizes):,}"
    header = ["operation", *(f"{size:,}" for size in sizes), ratio, "goal"]
    names = {"match": "match 64 blocks", "insert": "insert 48 blocks", "evict": "evict 48 blocks"}
    return header, [
        [
            names[row.operation],
            *map(str, row.us.values()),
            str(row.ratio),
            FLATNESS_GOAL.judge(row.ratio, rounds),
        ]
        for row in rows
    ]


def _trace_json(row: TraceRow, rounds: int, is_cold: bool) -> dict[str, object]:
    return {
        "manager": row.contender,
        "num_blocks": row.num_blocks,
        "cpu_us_per_request": triple(row.cpu_us),
        "over_floor": triple(row.over_floor),
        "over_radixlab": triple(row.over_ours),
        "over_compiled": triple(row.over_compiled) if row.over_compiled else None,
        "goal": _trace_goal(row, rounds, is_cold) or None,
        "token_hit_rate": row.token_hit_rate,
    }


def _events_json(row: EventsRow) -> dict[str, object]:
    return {
        "rounds": row.rounds,
        "num_blocks": row.num_blocks,
        "cpu_us_per_request": triple(row.cpu_us),
        "stripped_cpu_us_per_request": triple(row.stripped_us),
        "ratio": triple(row.ratio),
        "goal": EVENTS_GOAL.judge(row.ratio, row.rounds),
    }


def _growth_json(row: GrowthRow, rounds: int) -> dict[str, object]:
    us = {str(size): triple(figure) for size, figure in row.us.items()}
    goal = FLATNESS_GOAL.judge(row.ratio, rounds)
    return {"operation": row.operation, "us": us, "ratio": triple(row.ratio), "goal": goal}
