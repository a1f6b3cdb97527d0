"""Hidden traces: how much of the way from LRU to the optimum a policy goes, and what it ruins.

TABLE
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from statistics import fmean

from radixlab.grade.ex4.oracle import optimum, under_lru
from radixlab.grade.ex4.play import Run, play
from radixlab.grade.ex4.traffic import Trace
from radixlab.grade.gates import ramp
from radixlab.grade.items import Failed, Trial
from radixlab.grade.reading import shown
from radixlab.workloads.replay import ReplayResult


@dataclass(frozen=True, slots=True)
class Scored:
    """A trace that earns points, all of them at `target`."""

    workload: str
    num_blocks: int
    target: float
    """Share of the gap closed."""
    num_seeds: int = 3


@dataclass(frozen=True, slots=True)
class Gate:
    """A trace on which a policy must not fall far below LRU.

    Losses are of the token hit rate: up to `most_lost` costs nothing, `all_lost` all points.
    """

    workload: str
    num_blocks: int
    most_lost: float
    all_lost: float
    num_seeds: int = 6


SCORED = (Scored("scan-polluted", 1_500, 0.35), Scored("tenants", 2_000, 0.12))
GATES = (
    Gate("multi-turn-chat", 2_000, 0.02, 0.15),
    Gate("agent", 1_500, 0.01, 0.05),
    Gate("phase-shift", 1_500, 0.03, 0.15),
)
TRACES: tuple[Scored | Gate, ...] = (*SCORED, *GATES)
KINDS = tuple(one.workload for one in TRACES)
LEAST_GAIN = 0.005
"""Over LRU on tenants, for all points."""
MOST_LOST_BY_A_TENANT, ALL_LOST_BY_A_TENANT = 0.02, 0.10
"""How far the worst-off tenant may fall below the worst-off under LRU: all points, and none."""
LEAST_REQUESTS = 20
"""Of a tenant, to be judged: below that its hit rate is chance."""
NEARLY = 0.8
"""Of the greatest gain: a prediction of that kind of trace is right too."""


@dataclass(frozen=True, slots=True)
class Runs:
    """MyPolicy on some traces of one kind."""

    runs: list[Run]

    @property
    def over_lru(self) -> float:
        """Return the mean gain of token hit rate over LRU."""
        return fmean(one.over_lru for one in self.runs)

    @property
    def gap_closed(self) -> float:
        """Return the share of the way from LRU to the optimum, of all traces together."""
        gaps = [optimum(one.trace) - under_lru(one.trace).token_hit_rate for one in self.runs]
        return self.over_lru / fmean(gaps)

    @property
    def worst(self) -> Run:
        """Return the run with the least gain."""
        return min(self.runs, key=lambda one: one.over_lru)


def runs(trial: Trial) -> dict[str, Runs]:
    """Replay every hidden trace under MyPolicy, once a grading; by workload."""
    if "runs" not in trial.memory:
        rng = trial.random
        trial.memory["runs"] = {
            one.workload: Runs(
                [
                    play(trial, Trace(one.workload, one.num_blocks, int(seed)))
                    for seed in rng.integers(1_000, 2**31, one.num_seeds)
                ]
            )
            for one in TRACES
        }
    known: dict[str, Runs] = trial.memory["runs"]
    return known


def check_traces(trial: Trial) -> float:
    """Return the mean share of the targets reached, times what the worst gate leaves of it."""
    found, left, complaints = runs(trial), 1.0, list[str]()
    for gate in GATES:
        lost = -found[gate.workload].over_lru
        share = ramp(lost, gate.all_lost, gate.most_lost)
        if share < 1:
            complaints.append(
                f"On {gate.workload} MyPolicy finds {100 * lost:.1f} percentage points fewer "
                f"prompt tokens than LRU; up to {100 * gate.most_lost:g} cost nothing, "
                f"{100 * gate.all_lost:g} all points."
            )
        if not share:
            raise Failed(complaints[-1], scenario=_code(found[gate.workload].worst.trace))
        left = min(left, share)
    shares = []
    for scored in SCORED:
        closed = found[scored.workload].gap_closed
        shares.append(ramp(closed, 0.0, scored.target))
        trial.notes.append(f"{scored.workload}: {closed:.2f} of the gap ({scored.target} wanted).")
    trial.notes += complaints
    if not any(shares):
        raise Failed(
            "MyPolicy is no better than LRU: " + " ".join(trial.notes),
            scenario=_code(found[SCORED[0].workload].worst.trace),
        )
    return left * fmean(shares)


def check_tenant(trial: Trial) -> float:
    """Return a share for what all tenants gain, and for what the worst-off does not lose."""
    found = runs(trial)["tenants"]
    if found.over_lru <= 0:
        raise Failed("MyPolicy finds no more on tenants than LRU: there is nothing to share out.")
    rates = [
        (tenant_rates(one.trace, one.result), tenant_rates(one.trace, under_lru(one.trace)))
        for one in found.runs
    ]
    lost = fmean(min(under.values()) - min(theirs.values()) for theirs, under in rates)
    message = (
        f"The worst-off tenant finds {100 * lost:.1f} percentage points fewer of its prompt tokens "
        f"than the worst-off under LRU; up to {100 * MOST_LOST_BY_A_TENANT:g} cost nothing, "
        f"{100 * ALL_LOST_BY_A_TENANT:g} all points."
    )
    share = ramp(lost, ALL_LOST_BY_A_TENANT, MOST_LOST_BY_A_TENANT)
    if not share:
        theirs, under = rates[0]
        raise Failed(
            f"{message} A gain for the large tenants must not starve a small one.",
            scenario=_code(found.runs[0].trace),
            expected=_table(under),
            actual=_table(theirs),
        )
    if share < 1:
        trial.notes.append(message)
    return share * ramp(found.over_lru, 0.0, LEAST_GAIN)


def check_prediction(trial: Trial) -> None:
    """Compare PREDICTION with the trace on which MyPolicy gains most over LRU."""
    guess = trial.learner.PREDICTION
    if type(guess) is not str or guess not in KINDS:
        raise Failed(f"PREDICTION must be one of {', '.join(KINDS)}; it is {shown(guess)}.")
    gains = {name: found.over_lru for name, found in runs(trial).items()}
    best = max(gains, key=lambda name: gains[name])
    if gains[best] <= 0:
        raise Failed("MyPolicy gains on none of the traces, so no prediction can be right.")
    if gains[guess] < NEARLY * gains[best]:
        raise Failed(
            f"You predicted that MyPolicy gains most on {guess}: it gains {_points(gains[guess])} "
            f"there, and {_points(gains[best])} on another kind. Race it, and look.",
            expected="\n".join(f"{name:16} {_points(gain)}" for name, gain in gains.items()),
            actual=guess,
        )


def check_deterministic(trial: Trial) -> None:
    """Replay a trace of each kind again, in another order and another process if there is one."""
    first = [found.runs[0] for found in runs(trial).values()]
    fresh: Callable[[], AbstractContextManager[Trial]] | None = trial.fresh
    with fresh() if fresh else nullcontext(trial) as again:
        for one in reversed(first):
            victims = play(again, one.trace).victims
            pairs = enumerate(zip(one.victims, victims, strict=False), start=1)
            number, pair = next(((n, pair) for n, pair in pairs if len({*pair}) > 1), (0, (0, 0)))
            if number or len(victims) != len(one.victims):
                raise Failed(
                    f"The same requests of {one.trace.workload} were replayed twice, in two "
                    f"processes: victim {number:,} was node {pair[0]} first and node {pair[1]} "
                    f"then. A policy may not depend on chance, clocks, id(), hash() of text, or on "
                    f"what an earlier policy left in a class or a global."
                )


def tenant_rates(trace: Trace, result: ReplayResult) -> dict[str, float]:
    """Return the token hit rate of every namespace that sent at least `LEAST_REQUESTS`."""
    totals: dict[str, list[int]] = {}
    for request, (prompt, hits) in zip(trace.requests(), result.by_request, strict=True):
        name = request.namespace[-1] if request.namespace else ""
        counts = totals.setdefault(str(name), [0, 0, 0])
        for index, count in enumerate((prompt, hits, 1)):
            counts[index] += count
    return {
        name: hits / prompt
        for name, (prompt, hits, requests) in sorted(totals.items())
        if requests >= LEAST_REQUESTS
    }


def _points(rate: float) -> str:
    return f"{100 * rate:+.1f} percentage points"


def _table(rates: dict[str, float]) -> str:
    return "\n".join(f"{name}: {rate:.1%}" for name, rate in rates.items())


def _code(trace: Trace) -> str:
    pool = f"{trace.num_blocks}, seed={trace.seed}"
    return f'from radixlab.grade.ex4 import try_on\ntry_on(MyPolicy, "{trace.workload}", {pool})'
