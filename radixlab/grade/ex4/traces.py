"""Hidden traces: how much of the way from LRU to the optimum a policy goes, and what it ruins.

What policies reach on eight seeds (LRFU: four), from worst to best: shares of the gap closed on
scan-polluted and tenants, then percentage points of token hit rate over LRU at the gates. The marks
stand between the right ones and the wrong ones, about half-way on a logarithmic scale.

| policy           | scan         | tenants      | chat           | agent        | phase          |
|------------------|--------------|--------------|----------------|--------------|----------------|
| master           | 0.58 to 0.71 | 0.26 to 0.45 | 0              | 0            | -1.4 to -0.1   |
| ARC              | 0.60 to 0.73 | 0.28 to 0.47 | -0.6 to -0.3   | 0            | -1.3 to +0.2   |
| CAR              | 0.66 to 0.75 | 0.39 to 0.55 | -1.7 to -0.2   | -0.3 to +0.2 | -1.8 to -0.2   |
| 2Q               | 0.43 to 0.51 | 0.19 to 0.34 | -0.5 to -0.3   | 0            | -0.2 to +0.6   |
| LIRS             | 0.59 to 0.66 | 0.30 to 0.48 | -1.4 to -1.0   | -0.7 to +0.2 | -1.1 to +0.7   |
| LHD              | 0.55 to 0.65 | 0.27 to 0.41 | -1.7 to -0.9   | -0.3 to -0.1 | -2.1 to -0.8   |
| W-TinyLFU        | 0.56 to 0.62 | 0.19 to 0.32 | -0.3 to -0.1   | 0            | -0.5 to -0.1   |
| DIP              | 0.67 to 0.76 | 0.29 to 0.46 | 0              | -0.1 to 0    | -1.6 to -0.2   |
| hyperbolic + LRU | 0.49 to 0.59 | 0.32 to 0.47 | 0              | 0            | -1.4 to 0      |
| LRFU + LRU       | 0.52 to 0.57 | 0.29 to 0.38 | 0              | 0            | -0.4 to +0.2   |
| hyperbolic       | 0.76 to 0.79 | 0.48 to 0.58 | -13.2 to -12.0 | -2.1 to -1.2 | -8.5 to -5.8   |
| ageing LFU       | 0.54 to 0.64 | 0.34 to 0.49 | -2.4 to -0.9   | -0.3 to +0.2 | -5.4 to -4.0   |
| S3-FIFO          | 0.57 to 0.63 | 0.41 to 0.50 | -4.3 to -2.8   | -0.4 to 0    | -1.0 to +0.7   |
| SIEVE            | 0.20 to 0.30 | 0.24 to 0.37 | 0              | 0            | +0.7 to +1.8   |
| once used first  | 0.64 to 0.74 | 0.31 to 0.49 | -2.7 to -2.3   | -0.1 to 0    | -1.2 to 0      |
| LFU              | 0.63 to 0.77 | 0.41 to 0.55 | -32.6 to -31.3 | -5.5 to -4.6 | -28.9 to -23.9 |
| any leaf         | -0.1 to 0    | 0.11 to 0.27 | -9.9 to -7.9   | -1.2 to -0.4 | -1.4 to -0.3   |
| FIFO             | 0            | -0.1 to 0    | -2.7 to -1.5   | -0.4 to +0.3 | -1.0 to 0      |
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import zip_longest
from statistics import fmean

from radixlab.grade.ex4.oracle import optimum
from radixlab.grade.ex4.play import Run, play
from radixlab.grade.ex4.traffic import Trace
from radixlab.grade.gates import ramp
from radixlab.grade.items import Failed, Trial
from radixlab.grade.reading import shown
from radixlab.workloads.replay import ReplayResult


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of hidden trace, and what a policy must reach on it."""

    workload: str
    num_blocks: int
    all_at: float
    """What earns all points: a share of the gap closed, or a loss of token hit rate against LRU."""
    nothing_at: float
    num_seeds: int


SCORED = (Kind("scan-polluted", 1_500, 0.35, 0.0, 3), Kind("tenants", 2_000, 0.12, 0.0, 3))
GATES = (
    Kind("multi-turn-chat", 1_500, 0.02, 0.15, 12),
    Kind("agent", 1_500, 0.01, 0.05, 6),
    Kind("phase-shift", 1_500, 0.03, 0.15, 6),
)
"""Kinds on which a policy must not fall far below LRU."""
TRACES = (*SCORED, *GATES)
KINDS = tuple(one.workload for one in TRACES)
LEAST_GAIN = 0.005
"""Over LRU on tenants, for all points."""
MOST_LOST_BY_A_TENANT, ALL_LOST_BY_A_TENANT = 0.02, 0.10
"""How far the worst-off tenant may fall below the worst-off under LRU: all points, and none."""
LEAST_REQUESTS = 20
"""Of a tenant, to be judged: below that its hit rate is chance."""
NEARLY = 0.8
"""Of the greatest gain: a prediction of that kind of trace is right too."""


def drawn(trial: Trial) -> dict[str, list[Trace]]:
    """Draw the hidden traces from the trial's seed; return them by workload."""
    rng = trial.random
    return {
        one.workload: [
            Trace(one.workload, one.num_blocks, int(seed))
            for seed in rng.integers(1_000, 2**31, one.num_seeds)
        ]
        for one in TRACES
    }


def runs(trial: Trial) -> dict[str, list[Run]]:
    """Replay every hidden trace under MyPolicy, once in a grading; return the runs by workload."""
    if "runs" not in trial.memory:
        trial.memory["runs"] = {
            name: [play(trial, trace) for trace in found] for name, found in drawn(trial).items()
        }
    known: dict[str, list[Run]] = trial.memory["runs"]
    return known


def over_lru(found: list[Run]) -> float:
    """Return the mean gain of token hit rate over LRU."""
    return fmean(one.over_lru for one in found)


def gap_closed(found: list[Run]) -> float:
    """Return the share of the way from LRU to the optimum, of all traces together."""
    gaps = [optimum(one.trace) - one.lru.token_hit_rate for one in found]
    return over_lru(found) / fmean(gaps)


def check_traces(trial: Trial) -> float:
    """Return the mean share of the targets reached, times what the worst gate leaves of it."""
    found, left, complaints = runs(trial), 1.0, list[str]()
    for gate in GATES:
        lost = -over_lru(found[gate.workload])
        share = ramp(lost, gate.nothing_at, gate.all_at)
        left = min(left, share)
        if share < 1:
            complaints.append(
                f"On {gate.workload} MyPolicy finds {100 * lost:.1f} percentage points fewer "
                f"prompt tokens than LRU; up to {100 * gate.all_at:g} cost nothing, "
                f"{100 * gate.nothing_at:g} cost all points."
            )
        if not share:
            worst = min(found[gate.workload], key=lambda one: one.over_lru)
            raise Failed(complaints[-1], scenario=_code(worst.trace))
    shares = []
    for kind in SCORED:
        closed = gap_closed(found[kind.workload])
        shares.append(ramp(closed, kind.nothing_at, kind.all_at))
        trial.notes.append(f"{kind.workload}: {closed:.2f} of the gap ({kind.all_at} wanted).")
    trial.notes += complaints
    if not any(shares):
        raise Failed(
            "MyPolicy is no better than LRU: " + " ".join(trial.notes),
            scenario=_code(found[SCORED[0].workload][0].trace),
        )
    return left * fmean(shares)


def check_tenant(trial: Trial) -> float:
    """Return a share for what all tenants gain, and for what the worst-off does not lose."""
    found = runs(trial)["tenants"]
    gain = over_lru(found)
    if gain <= 0:
        raise Failed("MyPolicy finds no more than LRU on tenants, so no tenant gains anything.")
    rates = [
        (tenant_rates(one.trace, one.result), tenant_rates(one.trace, one.lru)) for one in found
    ]
    lost = fmean(min(under.values()) - min(theirs.values()) for theirs, under in rates)
    message = (
        f"The worst-off tenant finds {100 * lost:.1f} percentage points fewer of its prompt tokens "
        f"than the worst-off under LRU; up to {100 * MOST_LOST_BY_A_TENANT:g} cost nothing, "
        f"{100 * ALL_LOST_BY_A_TENANT:g} cost all points."
    )
    share = ramp(lost, ALL_LOST_BY_A_TENANT, MOST_LOST_BY_A_TENANT)
    if not share:
        theirs, under = rates[0]
        raise Failed(
            f"{message} A gain for the large tenants must not starve a small one.",
            scenario=_code(found[0].trace),
            expected=_table(under),
            actual=_table(theirs),
        )
    if share < 1:
        trial.notes.append(message)
    return share * ramp(gain, 0.0, LEAST_GAIN)


def check_prediction(trial: Trial) -> None:
    """Compare PREDICTION with the trace on which MyPolicy gains most over LRU."""
    guess = trial.learner.PREDICTION
    if type(guess) is not str or guess not in KINDS:
        raise Failed(f"PREDICTION must be one of {', '.join(KINDS)}; it is {shown(guess)}.")
    gains = {name: over_lru(found) for name, found in runs(trial).items()}
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
    first = [found[0] for found in runs(trial).values()]
    fresh: Callable[[], AbstractContextManager[Trial]] | None = trial.fresh
    with fresh() if fresh else nullcontext(trial) as again:
        for one in reversed(first):
            victims = play(again, one.trace).victims
            pairs = enumerate(zip_longest(one.victims, victims), start=1)
            number, pair = next(((n, pair) for n, pair in pairs if len({*pair}) > 1), (0, (0, 0)))
            if number:
                raise Failed(
                    f"The same requests of {one.trace.workload} were replayed twice, in two "
                    f"processes: victim {number:,} was node {pair[0]} the first time and node "
                    f"{pair[1]} the second time. A policy must not depend on chance, clocks, id(), "
                    f"hash() of text, or on what an earlier policy left in a class or a global."
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
