"""The report of `radixlab bench claims`: every claim with its control, and its computed verdict.

Counts come first, because every machine counts the same. Times of a real model follow; without
torch they are left out, and the report says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from radixlab.bench.claims import CLAIMS, UNBURDENED, Case, Claim
from radixlab.bench.claims_overhead import ADDED, HEADER, overhead_rows
from radixlab.bench.claims_pictures import dots, lines
from radixlab.bench.claims_traffic import BASE, IN_FLIGHT, Shape
from radixlab.bench.claims_trial import (
    ConditionTrial,
    WorkloadTrial,
    num_steps,
    on_workloads,
    under_all,
    workloads,
)
from radixlab.bench.pictures import claims_writer
from radixlab.bench.report import count
from radixlab.bench.table import Cell, TableReport
from radixlab.bench.tree_report import Progress
from radixlab.extras import what_to_install
from radixlab.workloads import Workload, conversation_trace

if TYPE_CHECKING:
    from radixlab.bench.claims_times import TimeTrial  # with torch, which may be missing


ALT = "A dot for each workload and claim, and how far each claim is above its bound"


@dataclass(frozen=True, slots=True)
class ClaimsReport:
    """Everything one run of the benchmark found."""

    table: TableReport
    trial: WorkloadTrial
    conditions: tuple[ConditionTrial, ...]
    picture: str = ""
    """Where a section of Markdown finds the picture, if there is one."""

    def text(self) -> str:
        """Format for a terminal."""
        return self.table.text()

    def markdown(self) -> str:
        """Format as a section for benchmarks/RESULTS.md."""
        shown = f'\n\n<img src="{self.picture}" width="900" alt="{ALT}">' if self.picture else ""
        return self.table.markdown() + shown

    def as_json(self) -> dict[str, object]:
        """Return what `--json` prints: each case with both of its counts."""
        tables = self.table.as_json()
        of_workloads = [_json(row.traffic, case) for row in self.trial.rows for case in row.cases]
        of_conditions = [
            {"condition": trial.what, "step": step} | _json(case.traffic, case)
            for trial in self.conditions
            for sweep in trial.sweeps
            for step, case in sweep.steps
        ]
        return {
            "machine": tables["machine"],
            "command": tables["command"],
            "verdicts": tables["rows"],
            "workloads": of_workloads,
            "conditions": of_conditions,
            **{name: tables[name] for name in ("times", "overhead") if name in tables},
        }


def _json(traffic: str, case: Case) -> dict[str, object]:
    return {
        "traffic": traffic,
        "claim": case.claim.name,
        "with_cache": case.cache,
        "without": case.control,
        "figure": round(case.figure, 4),
        "holds": case.holds,
    }


def measure_claims(
    command: str, rounds: int | None, quick: bool, progress: Progress, plot: Path | None = None
) -> ClaimsReport:
    """Run the benchmark; `command` is what the report will say it was."""
    write = claims_writer(plot)
    rounds = rounds or (1 if quick else 5)
    traffic = workloads(*((20, 20) if quick else (300, 2000)))
    with progress(len(traffic) + num_steps(), "claims: counts", "step") as advance:
        trial, conditions = on_workloads(traffic, advance), under_all(advance)
    about_sharing = [one for one in conditions if one.sweeps[0].claim is not UNBURDENED]
    write(dots(trial), lines(about_sharing))
    tables = [
        _workload_table(command, trial),
        _limits_table(command, conditions),
        *(_condition_table(command, condition) for condition in conditions),
    ]
    what = _what()
    try:
        tables += _time_tables(command, traffic, rounds, quick, progress)
    except ImportError as error:
        what += f". Times were not measured: {what_to_install(error) or error}"
    header = ("claim", "bound", "workloads", "verdict")
    rows = _verdict_rows(trial, conditions)
    table = TableReport("Claims on trial", command, what, header, rows, tables)
    return ClaimsReport(table, trial, conditions)


# ---- counts


def _what() -> str:
    judged = "; ".join(f"{claim.name} = {claim.figure}" for claim in CLAIMS)
    return (
        "What people claim of prefix caching, tried against a control without it: the naive twin, "
        "which serves the same requests in step and shares nothing. What is judged is counted: "
        f"{judged}. A verdict follows from the figures below it: `holds` if the claim holds on "
        "every workload, and `fails` if it holds on none. Otherwise a verdict names a condition: "
        "the least amount, in any case that holds, of what the claim depends on"
    )


def _verdict_rows(trial: WorkloadTrial, conditions: Sequence[ConditionTrial]) -> list[list[Cell]]:
    return [
        [
            f"{verdict.claim.name}: {verdict.claim.says}",
            verdict.claim.limit,
            f"{verdict.num_holding} of {verdict.num_cases}",
            str(verdict),
        ]
        for verdict in trial.verdicts(*conditions)
    ]


def _workload_table(command: str, trial: WorkloadTrial) -> TableReport:
    trace = "" if conversation_trace() else ". The conversation trace was not there"
    what = (
        f"Generators with seed 0, blocks of {BASE.block_size}, a pool that never evicts, "
        f"{IN_FLIGHT} requests running at a time. Found is the share of prompt tokens. The counts "
        "are without → with the cache. The overhead is counted on the workload's unshared twin: "
        f"requests of the same lengths whose tokens are all drawn afresh{trace}"
    )
    header = (
        "workload",
        "requests",
        "found",
        "tokens computed",
        CLAIMS[0].limit,
        "blocks at the peak",
        CLAIMS[1].limit,
        "tokens before the first",
        CLAIMS[2].limit,
        f"overhead {CLAIMS[3].limit}",
    )
    rows: list[list[Cell]] = []
    for row in trial.rows:
        tokens, blocks, first, added = row.cases
        shared = [cell for case in (tokens, blocks, first) for cell in (_counts(case), str(case))]
        rows.append([row.traffic, row.num_requests, f"{row.found:.0%}", *shared, str(added)])
    return TableReport("workloads", command, what, header, rows)


def _counts(case: Case) -> str:
    return f"{case.control:,.0f} → {case.cache:,.0f}"


def _limits_table(command: str, conditions: Sequence[ConditionTrial]) -> TableReport:
    shape = BASE.shape
    what = (
        "For which steps of a condition a claim holds. All else stays as it is: "
        f"{count(shape.num_requests, 'request')} about {shape.num_prefixes} prefixes in turn, "
        f"{shape.shared:,} tokens shared, {shape.own} own, {shape.answer} of answer, blocks of "
        f"{BASE.block_size}, a pool that never evicts, {BASE.in_flight} requests running at a time"
    )
    rows: list[list[Cell]] = [
        [condition.what, *(_limit(condition, claim) for claim in CLAIMS)]
        for condition in conditions
    ]
    header = ("what changes", *(f"{claim.name} {claim.limit}" for claim in CLAIMS))
    return TableReport("limits", command, what, header, rows)


def _limit(condition: ConditionTrial, claim: Claim) -> str:
    return next((sweep.limit for sweep in condition.sweeps if sweep.claim is claim), "")


def _condition_table(command: str, condition: ConditionTrial) -> TableReport:
    what = "What changes: " + condition.what
    if condition.sweeps[0].claim is UNBURDENED:
        what += ". 100 requests of one length, without answers, in a pool that holds ten of them"
    header = (condition.what, *(f"{s.claim.name} {s.claim.limit}" for s in condition.sweeps))
    columns = [[str(case) for _, case in sweep.steps] for sweep in condition.sweeps]
    steps = [f"{step:,}" for step, _ in condition.sweeps[0].steps]
    rows: list[list[Cell]] = [list(row) for row in zip(steps, *columns, strict=True)]
    return TableReport(condition.what, command, what, header, rows)


# ---- times


def _time_tables(
    command: str, traffic: Sequence[Workload], rounds: int, quick: bool, progress: Progress
) -> list[TableReport]:
    from radixlab.bench.attention_clocks import one_thread
    from radixlab.bench.claims_times import QUICK, SHAPE, TimeTrial, load, settings, time_settings

    shape = QUICK if quick else SHAPE
    wanted = settings(shape)
    total = 2 * rounds * len(wanted) + rounds * len(traffic)
    with one_thread(), progress(total, "claims: times", "turn") as advance:
        timed = TimeTrial(tuple(time_settings(load("tiny"), wanted, rounds, advance)))
        us_per_token = timed.rows[0].control_us_per_token
        rows = overhead_rows(traffic, us_per_token, rounds, advance)
    return [_model_table(command, timed, shape, rounds), _overhead_table(command, rows, rounds)]


def _model_table(command: str, timed: "TimeTrial", shape: Shape, rounds: int) -> TableReport:
    from radixlab.bench.claims_times import HEADER as TIME_HEADER

    what = (
        f"The claims on the clock: the tiny model answers {count(shape.num_requests, 'request')} "
        f"about {shape.num_prefixes} prefixes with the cache and, in namespaces of their own, "
        f"without it; {shape.shared:,} tokens shared, {shape.own} own, {shape.answer} of answer "
        "where the row does not say otherwise. CPU time of one thread, without ÷ with the cache, "
        f"median (min - max) of the ratios inside {count(rounds, 'round')}. All: prompts and "
        f"answers, {IN_FLIGHT} running at a time, in the scheduler's order. First: the first token "
        "of the median request, running alone. Tokens: what counting gives, in order of arrival"
    )
    header = [" ".join(name.split()) for name in TIME_HEADER]
    return TableReport("times", command, what, header, timed.cells())


def _overhead_table(command: str, rows: list[list[Cell]], rounds: int) -> TableReport:
    what = (
        "The overhead on the clock: unshared twins of the workloads, replayed on the manager, on "
        "the manager with a listener that does nothing, and on the same manager registering "
        f"nothing; thread CPU time, median (min - max) of {count(rounds, 'round')} of turns. "
        f"Judged: {ADDED.figure}. A ratio below 1 means that blocks left in the tree, and evicted "
        "later, cost less than blocks freed at the end of each request"
    )
    return TableReport("overhead", command, what, HEADER, rows)
