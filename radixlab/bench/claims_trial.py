"""The claims on trial: each on every workload, and under each condition that can break it.

Everything here is counted, so a trial gives the same figures on every machine. It prints as a
table, and its verdicts follow from its cases.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from radixlab.bench.claims import CLAIMS, Case, Claim, Sweep, Verdict, judge
from radixlab.bench.claims_counts import count, overhead, overhead_by_length
from radixlab.bench.claims_traffic import CONDITIONS, LENGTHS, unshared
from radixlab.bench.report import text_table
from radixlab.config import CacheConfig, positive
from radixlab.workloads import GENERATORS, Workload, conversation_trace, open_workload

ENDLESS = 2_000_000
"""Blocks of a pool that none of these workloads fills."""
TWIN_BLOCKS = 10_000
"""Blocks of the pool in which the overhead is counted: unshared traffic fills it and is evicted."""
LENGTH = "prompt tokens of requests that share nothing"
"""The condition of the claim on overhead."""
Advance = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Row:
    """All claims on the traffic of one workload."""

    traffic: str
    num_requests: int
    found: float
    """The share of prompt tokens that the cache finds."""
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class WorkloadTrial:
    """Every claim on every workload."""

    rows: tuple[Row, ...]

    def cases(self, claim: Claim) -> list[Case]:
        """Return the cases of one claim, one for each workload."""
        return [case for row in self.rows for case in row.cases if case.claim is claim]

    def verdicts(self, *conditions: "ConditionTrial") -> tuple[Verdict, ...]:
        """Judge each claim by its workloads, and by what was made to break it."""
        more = [case for trial in conditions for case in trial.cases]
        return tuple(
            judge(self.cases(claim), [case for case in more if case.claim is claim])
            for claim in CLAIMS
        )

    def __str__(self) -> str:
        header = ["workload", "found", *(f"{claim.name}\n{claim.limit}" for claim in CLAIMS)]
        rows = [[row.traffic, f"{row.found:.0%}", *map(str, row.cases)] for row in self.rows]
        return text_table(header, rows)

    __repr__ = __str__


@dataclass(frozen=True, slots=True)
class ConditionTrial:
    """Claims while one thing about the traffic changes step by step."""

    what: str
    """What changes, with its unit."""
    sweeps: tuple[Sweep, ...]

    @property
    def cases(self) -> list[Case]:
        """The cases of all its claims."""
        return [case for sweep in self.sweeps for _, case in sweep.steps]

    def __str__(self) -> str:
        steps = [step for step, _ in self.sweeps[0].steps]
        header = [self.what, *(f"{s.claim.name}\n{s.claim.limit}" for s in self.sweeps)]
        columns = [[str(case) for _, case in sweep.steps] for sweep in self.sweeps]
        rows = [[f"{step:,}", *row] for step, *row in zip(steps, *columns, strict=True)]
        return text_table(header, [*rows, ["holds", *(sweep.limit for sweep in self.sweeps)]])

    __repr__ = __str__


def workloads(num_requests: int, num_of_trace: int = 0) -> list[Workload]:
    """Open every generator, and `num_of_trace` requests of the conversation trace if it is here."""
    positive("num_requests", num_requests)  # a generator takes 0 for a number of its own
    opened = [open_workload(name, num_requests) for name in GENERATORS]
    trace = conversation_trace() if num_of_trace else None
    if trace is not None:
        found = open_workload(str(trace), num_of_trace)
        opened.append(Workload(Path(trace).name, found.num_requests, found.requests))
    return opened


def on_workloads(traffic: Sequence[Workload], advance: Advance | None = None) -> WorkloadTrial:
    """Try every claim on these workloads; `advance` is called after each.

    The claims about sharing are tried in a pool that never has to evict; the claim on overhead is
    tried on the workload's unshared twin. Raises `ValueError` for a workload of which no request
    can be served: no claim is true or false of nothing.
    """
    if not traffic:
        raise ValueError("no workload to try a claim on")
    rows = []
    for workload in traffic:
        counted = count(workload.name, workload.requests(), CacheConfig(ENDLESS))
        if not counted.num_requests:
            told = f"{counted.rejected_requests} requests are too long for the pool"
            raise ValueError(f"{workload.name} has no request to try a claim on ({told})")
        twin = overhead(workload.name, unshared(workload.requests()), CacheConfig(TWIN_BLOCKS))
        if not twin.num_requests:
            raise ValueError(f"no request of {workload.name} fits into {TWIN_BLOCKS:,} blocks")
        if twin.hit_tokens:
            raise AssertionError(f"the unshared twin of {workload.name} shares tokens")
        cases = (*counted.cases(), twin.case())
        rows.append(Row(workload.name, counted.num_requests, counted.found_of_prompts, cases))
        if advance:
            advance()
    return WorkloadTrial(tuple(rows))


def under(what: str, advance: Advance | None = None) -> ConditionTrial:
    """Try the claims under one of `CONDITIONS`, or `LENGTH`; `advance` is called after each step.

    Raises `KeyError` for another condition.
    """
    steps: dict[int, tuple[Case, ...]] = {}
    if what == LENGTH:
        for length, counted in overhead_by_length(LENGTHS, 100):
            steps[length] = (counted.case(),)
            if advance:
                advance()
    else:
        for step, setting in CONDITIONS[what].items():
            requests = setting.shape.requests()
            found = count(f"{step:,} {what}", requests, setting.cache, setting.in_flight)
            steps[step] = found.cases()
            if advance:
                advance()
    claims = [case.claim for case in next(iter(steps.values()))]
    return ConditionTrial(
        what,
        tuple(
            Sweep(claim, what, tuple((step, cases[index]) for step, cases in steps.items()))
            for index, claim in enumerate(claims)
        ),
    )


def num_steps() -> int:
    """Return how often `under` advances for all conditions together."""
    return sum(map(len, CONDITIONS.values())) + len(LENGTHS)


def under_all(advance: Advance | None = None) -> tuple[ConditionTrial, ...]:
    """Try the claims under every condition."""
    return tuple(under(what, advance) for what in (*CONDITIONS, LENGTH))
