"""How the work of planning grows with the number of requests, whatever it is that a plan compares.

What decides is CPU time, read from outside of the learner's process: work in NumPy, on bytes or on
numbers that stand for prefixes counts as well. Only its growth is judged, never the time itself, as
the best of a few tries. Each try has other requests, so that a plan kept from an earlier call is of
no use. The plans are carried out: a plan that gives up on many requests fails. Tokens that count
their comparisons and hashes say where the work comes from.

Time wasted on few requests would make the growth look flat. So the time for the fewer requests
counts at most `MOST_YARDS` times what a plan of the judge's own takes for them on the same machine.
"""

from collections.abc import Sequence
from typing import Any

from radixlab.exercise.workload import PATTERNS
from radixlab.grade.ex3.oracle import by_arrival, serve
from radixlab.grade.ex3.play import Run, broken_rule, code, read
from radixlab.grade.ex3.traffic import Scene, short
from radixlab.grade.ex3.yardstick import yardstick_s
from radixlab.grade.gates import ramp, slope
from radixlab.grade.items import Failed, Trial
from radixlab.grade.reading import whole

SIZES = (500, 4_000)
"""Requests; what is done with each must not depend on how many there are."""
LARGEST = 16_000
"""Requests of one more workload, of a drawn pattern: work that grows faster cannot hide there."""
FEW_TOKENS = PATTERNS[1:]
"""The patterns for it. Short few-shot prompts have the most tokens, so other work shows least."""
COUNTED_SIZES = (150, 1_200)
"""Requests whose tokens count comparisons and hashes: fewer, because counting is slow."""
ALL_AT, NOTHING_AT = 1.3, 1.5
"""Slopes that earn all points, and none."""
HOPELESS = 1.8
"""A busy machine never makes a good slope this steep: it is not measured again."""
MOST_YARDS = 15
"""Right plans take 1 to 8.5 times as long as the simple plan (`yardstick_s`)."""
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
        share = min(share, _growth_on(trial, name, SIZES))
    name = FEW_TOKENS[int(trial.random.integers(len(FEW_TOKENS)))]
    return min(share, _growth_on(trial, name, (SIZES[1], LARGEST)))


def _growth_on(trial: Trial, name: str, sizes: tuple[int, int]) -> float:
    """Return what the CPU time on a pattern earns between two sizes."""
    found, num_yards = _timed(trial, name, sizes)
    what = f"CPU time of plan() on {name}"
    if num_yards > MOST_YARDS:
        what += (
            f" (for {sizes[0]:,} requests {num_yards:.0f} times what a simple plan takes, which "
            f"counts as {MOST_YARDS} times)"
        )
    earned = _earned(what, found, sizes)
    if found > ALL_AT:
        trial.notes.append(f"slope {found:.2f} in {what} is too steep.")
    return earned


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
        where = short(name, _seed(trial, 0, size), size)
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


def _timed(trial: Trial, name: str, sizes: tuple[int, int]) -> tuple[float, float]:
    """Return the slope of the CPU time, and how many yardsticks the fewer requests take.

    Both are 0 where the system does not tell the time.
    """
    few, many = (_try(trial, short(name, _seed(trial, 0, size), size)) for size in sizes)
    _require_the_same_gain(few[1], many[1])
    best, yard = [few[0], many[0]], yardstick_s(few[1].scene)
    for number in range(1, NUM_TRIES):
        again = short(name, _seed(trial, number, sizes[0]), sizes[0])
        best[0], yard = min(best[0], _try(trial, again)[0]), min(yard, yardstick_s(again))
        if not ALL_AT < _slope(sizes, best, yard) < HOPELESS:
            break
        again = short(name, _seed(trial, number, sizes[1]), sizes[1])
        best[1] = min(best[1], _try(trial, again)[0])
    return (_slope(sizes, best, yard), best[0] / yard) if min(best) > 0 else (0.0, 0.0)


def _slope(sizes: tuple[int, int], best: Sequence[float], yard: float) -> float:
    """Return the slope between two times, of which the first counts up to a bound."""
    return slope(sizes, (min(best[0], MOST_YARDS * yard), best[1]))


def _seed(trial: Trial, number: int, size: int) -> int:
    """Return the seed of a try."""
    return int(trial.random.integers(1_000, 1_000_000)) + number + size


def _try(trial: Trial, where: Scene) -> tuple[float, Run]:
    """Return the CPU seconds that a plan takes, as the system counts them, and the plan."""
    facts = where.facts()
    before = trial.usage().cpu_s
    found = trial.call(f"{HOST}:ask", trial.learner.plan, *facts)
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
    sizes = [one.scene.num_requests for one in (few, many)]
    raise Failed(
        f"On {many.scene.pattern}, {sizes[1]:,} short requests, the plan finds {many.hit_rate:.1%} "
        f"of the prompt tokens, and order of arrival {base:.1%}: {100 * gains[1]:.1f} percentage "
        f"points more. On {sizes[0]:,} requests it gains {100 * gains[0]:.1f} percentage points.",
        scenario=code(many.scene),
    )
