"""How the work of planning grows with the number of requests, whatever it is that a plan compares.

What decides is CPU time, read from outside of the learner's process: work in NumPy, on bytes or on
numbers that stand for prefixes counts as well. Only its growth is judged, never the time itself, as
the best of a few tries. Each try has other requests, so that a plan kept from an earlier call is of
no use. The plans are carried out: a plan that gives up on many requests fails. Tokens that count
their comparisons and hashes say where the work comes from.
"""

from typing import Any

from radixlab.exercise.workload import PATTERNS
from radixlab.grade.ex3.oracle import by_arrival, serve
from radixlab.grade.ex3.play import Run, broken_rule, code, read
from radixlab.grade.ex3.traffic import Scene, short
from radixlab.grade.gates import ramp, slope
from radixlab.grade.items import Failed, Trial
from radixlab.grade.reading import whole

SIZES = (500, 4_000)
"""Requests; what is done with each must not depend on how many there are."""
COUNTED_SIZES = (150, 1_200)
"""Requests whose tokens count comparisons and hashes: fewer, because counting is slow."""
ALL_AT, NOTHING_AT = 1.3, 1.5
"""Slopes that earn all points, and none."""
HOPELESS = 1.8
"""A busy machine never makes a good slope this steep: it is not measured again."""
NUM_TRIES = 3
"""How often the CPU time is measured, at most; once is enough if it is good."""
FEWEST_COUNTED = 1_000
"""Comparisons; with fewer, their number says nothing about growth."""
LEAST_KEPT = 0.6
"""Share of its gain on few requests that a plan must keep on many."""
HOST = "radixlab.exercise.plan_host"


def check_growth(trial: Trial) -> float:
    """Compare the work of small and large workloads, in CPU time on every pattern."""
    name = PATTERNS[int(trial.random.integers(len(PATTERNS)))]
    counted = _counted(trial, name)
    share = _earned(f"tokens compared and hashed by plan() on {name}", counted, COUNTED_SIZES)
    trial.notes.append(f"slope {counted:.2f} in tokens compared and hashed ({ALL_AT} is the most).")
    for name in PATTERNS:
        found = _timed(trial, name)
        share = min(share, _earned(f"CPU time of plan() on {name}", found, SIZES))
        if found > ALL_AT:
            trial.notes.append(f"slope {found:.2f} in CPU time on {name} is too steep.")
    return share


def _earned(what: str, found: float, sizes: tuple[int, int]) -> float:
    """Return what a slope earns; raise `Failed` if that is nothing."""
    earned = ramp(found, NOTHING_AT, ALL_AT)
    if not earned:
        raise Failed(
            f"From {sizes[0]:,} to {sizes[1]:,} requests, the {what} grows with a slope of "
            f"{found:.2f}; {ALL_AT} is the most. Twice the requests should take about twice the "
            f"work."
        )
    return earned


def _counted(trial: Trial, name: str) -> float:
    """Return the slope of what tokens count; compare the plan with the one for plain tokens."""
    counts = []
    for size in COUNTED_SIZES:
        where = short(name, _seed(trial, 0), size)
        found = trial.call(f"{HOST}:ask_counted", trial.learner.plan, *where.facts())
        work = found.get("work") if type(found) is dict else None
        counts.append(max(FEWEST_COUNTED, whole("the work of plan()", work, least=0)))
        if size == COUNTED_SIZES[0]:
            plain = trial.call(f"{HOST}:ask", trial.learner.plan, *where.facts())
            if read(found, where.workload()) != read(plain, where.workload()):
                raise Failed(
                    f"On {name}, {size} short requests: asked twice for the same workload, once "
                    f"with tokens that count how often they are compared, plan() returned two "
                    f"different plans.",
                    scenario=code(where),
                )
    return slope(COUNTED_SIZES, (counts[0], counts[1]))


def _timed(trial: Trial, name: str) -> float:
    """Return the slope of the CPU time; 0 where the system does not tell it."""
    few, many = (_try(trial, short(name, _seed(trial, 0), size)) for size in SIZES)
    _require_the_same_gain(few[1], many[1])
    best = [few[0], many[0]]
    for number in range(1, NUM_TRIES):
        best[0] = min(best[0], _try(trial, short(name, _seed(trial, number), SIZES[0]))[0])
        if not ALL_AT < slope(SIZES, (best[0], best[1])) < HOPELESS:
            break
        best[1] = min(best[1], _try(trial, short(name, _seed(trial, number), SIZES[1]))[0])
    return slope(SIZES, (best[0], best[1])) if min(best) > 0 else 0.0


def _seed(trial: Trial, number: int) -> int:
    """Return the seed of a try."""
    return int(trial.random.integers(1_000, 1_000_000)) + number


def _try(trial: Trial, where: Scene) -> tuple[float, Run]:
    """Return the CPU seconds that a plan takes, as the system counts them, and the plan."""
    before = trial.usage().cpu_s
    found = trial.call(f"{HOST}:ask", trial.learner.plan, *where.facts())
    after = trial.usage().cpu_s
    one = _carried_out(where, found)
    return (0.0 if before is None or after is None else after - before), one


def _carried_out(where: Scene, found: Any) -> Run:
    workload = where.workload()
    answer = read(found, workload)
    broken = broken_rule(answer, workload)
    if broken:
        told = f"On {where.pattern}, {where.num_requests:,} short requests: {broken}"
        raise Failed(told, scenario=code(where))
    return Run(where, answer, serve(answer, where.requests(), workload))


def _require_the_same_gain(few: Run, many: Run) -> None:
    """See that a plan for many requests is as good as one for few."""
    gains = [few.over_arrival, many.over_arrival]
    if gains[1] > 0 and gains[1] >= LEAST_KEPT * gains[0]:
        return
    base = by_arrival(many.scene).hit_tokens / many.prompt_tokens
    raise Failed(
        f"On {many.scene.pattern}, {SIZES[1]:,} short requests, the plan finds {many.hit_rate:.1%} "
        f"of the prompt tokens, and order of arrival {base:.1%}: {100 * gains[1]:.1f} percentage "
        f"points more. On {SIZES[0]:,} requests it gains {100 * gains[0]:.1f} percentage points.",
        scenario=code(many.scene),
    )
