"""Hidden traces: how much of the way from LRU to the optimum a policy goes, and what it ruins.

The figures behind the thresholds, at 400 requests and seeds 0 to 3: share of the gap closed, and at
the gates the points of token hit rate over LRU. tests/grade/ex4/test_policy.py holds the right
solutions to them.

| trace         | blocks | right solutions | wrong ones                                      |
|---------------|--------|-----------------|-------------------------------------------------|
| scan-polluted |  1,500 |    0.46 to 0.76 | LRU 0, FIFO -0.04 to 0; LFU 0.57 to 0.70        |
| tenants       |  2,000 |    0.20 to 0.55 | LRU 0, FIFO -0.14 to 0.02; LFU 0.35 to 0.60     |
| chat, gate    |  1,000 |    -1.1 to +2.6 | FIFO -3.3, S3-FIFO -6.9, SLRU -7, LFU -16       |
| agent, gate   |  1,500 |    -0.1 to +0.8 | S3-FIFO -1.4, GDSF -2.2, LFU -3.4, MRU -7.6     |
| phase, gate   |  1,500 |    -1.5 to +0.7 | SLRU -2.0, S3-FIFO -4.7, LFU -17, MRU -42       |

LFU and its like win where old fame lasts and ruin everything else: that is what the gates are for.
On agents and phases nobody's policy closes a gap worth scoring, so these traces only guard.
"""

from dataclasses import dataclass
from statistics import fmean

from radixlab.grade.ex4.runs import Run, Trace, run, tenant_rates, under_lru
from radixlab.grade.items import Failed, Trial


@dataclass(frozen=True, slots=True)
class Scored:
    """A trace that earns points, all of them at `target`."""

    workload: str
    num_blocks: int
    target: float
    """Share of the gap closed."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A trace on which a policy must not fall far below LRU."""

    workload: str
    num_blocks: int
    most_lost: float
    """Of the token hit rate."""


SCORED = (Scored("scan-polluted", 1_500, 0.35), Scored("tenants", 2_000, 0.12))
GATES = (
    Gate("multi-turn-chat", 1_000, 0.01),
    Gate("agent", 1_500, 0.01),
    Gate("phase-shift", 1_500, 0.03),
)
TRACES: tuple[Scored | Gate, ...] = (*SCORED, *GATES)
NUM_SEEDS = {Scored: 2, Gate: 6}
"""Traces of each kind: one alone is luck, and the optimum takes its time."""
KINDS = tuple(one.workload for one in TRACES)
MOST_LOST_BY_A_TENANT = 0.02
"""How far the worst-off tenant may fall below the worst-off under LRU."""


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
        """Return the mean share of the way from LRU to the optimum."""
        return fmean(one.gap_closed for one in self.runs)

    @property
    def worst(self) -> Run:
        """Return the run with the least gain."""
        return min(self.runs, key=lambda one: one.over_lru)


def runs(trial: Trial) -> dict[str, Runs]:
    """Replay every hidden trace under MyPolicy; by workload."""
    rng = trial.random
    seeds = [rng.integers(1_000, 1_000_000, NUM_SEEDS[type(one)]) for one in TRACES]
    return {
        one.workload: Runs(
            [run(trial, "MyPolicy", Trace(one.workload, one.num_blocks, int(seed))) for seed in row]
        )
        for one, row in zip(TRACES, seeds, strict=True)
    }


def check_traces(trial: Trial) -> float:
    """Return the mean share of the targets reached; a gate that is missed costs all."""
    found = runs(trial)
    for gate in GATES:
        lost = -found[gate.workload].over_lru
        if lost > gate.most_lost:
            raise Failed(
                f"On {gate.workload} MyPolicy finds {lost:.1%} of the prompt tokens less than LRU; "
                f"{gate.most_lost:.1%} is the most that may be lost there.",
                scenario=_code(found[gate.workload].worst.trace),
            )
    shares = []
    for scored in SCORED:
        closed = found[scored.workload].gap_closed
        shares.append(min(1.0, max(0.0, closed / scored.target)))
        trial.notes.append(f"{scored.workload}: {closed:.2f} of the gap ({scored.target} wanted).")
    if not any(shares):
        raise Failed(
            "MyPolicy is no better than LRU: " + " ".join(trial.notes),
            scenario=_code(found[SCORED[0].workload].worst.trace),
        )
    return sum(shares) / len(shares)


def check_tenant(trial: Trial) -> None:
    """Compare the worst-off tenant with LRU's."""
    found = runs(trial)["tenants"]
    if found.over_lru <= 0:
        raise Failed("MyPolicy finds no more on tenants than LRU: there is nothing to share out.")
    rates = [
        (tenant_rates(one.trace, one.result), tenant_rates(one.trace, under_lru(one.trace)))
        for one in found.runs
    ]
    lost = fmean(min(under.values()) - min(theirs.values()) for theirs, under in rates)
    if lost > MOST_LOST_BY_A_TENANT:
        theirs, under = rates[0]
        raise Failed(
            f"The worst-off tenant finds {lost:.1%} of its tokens less than the worst-off under "
            f"LRU; {MOST_LOST_BY_A_TENANT:.0%} is the most. A gain for the large ones must not "
            f"starve a small one.",
            scenario=_code(found.runs[0].trace),
            expected=_table(under),
            actual=_table(theirs),
        )


def check_prediction(trial: Trial) -> None:
    """Compare PREDICTION with the trace on which MyPolicy gains most over LRU."""
    guess = trial.learner.PREDICTION
    if guess not in KINDS:
        raise Failed(f"PREDICTION must be one of {', '.join(KINDS)}, and is {guess!r:.80}.")
    gains = {name: found.over_lru for name, found in runs(trial).items()}
    best = max(gains, key=lambda name: gains[name])
    if gains[best] <= 0:
        raise Failed("MyPolicy gains on none of the traces, so no prediction can be right.")
    if guess != best:
        raise Failed(
            f"You predicted that MyPolicy gains most on {guess}: {gains[guess]:+.1%} there, and "
            f"{gains[best]:+.1%} elsewhere. Race it, and look.",
            expected="\n".join(f"{name:16} {gain:+.1%}" for name, gain in gains.items()),
            actual=guess,
        )


def _table(rates: dict[str, float]) -> str:
    return "\n".join(f"{name}: {rate:.1%}" for name, rate in rates.items())


def _code(trace: Trace) -> str:
    pool = f"{trace.num_blocks}, seed={trace.seed}"
    return f'from radixlab.grade.ex4 import try_on\ntry_on(MyPolicy, "{trace.workload}", {pool})'
