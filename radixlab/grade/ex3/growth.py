"""How the work of planning grows with the number of requests, whatever it is that a plan compares.

What decides is CPU time, read from outside of the learner's process: work in NumPy, on bytes or on
numbers that stand for prefixes counts as well. Each try has other requests, so that a plan kept
from an earlier call is of no use. The plans are carried out: a plan that gives up on many requests
fails. Tokens that count their comparisons and hashes say where the work comes from.

Seconds are the wrong unit for that, because a busy machine takes more CPU time for the same work,
and the more memory the work needs, the more so. The unit is what a plan of the judge's own takes
for the same requests (`yardstick_s`), which is asked for right after each of the learner's plans.
Its work is in proportion to the requests. So the slope is 1 plus the slope of these multiples, and
what slows both plans drops out. Both times are the best of a few tries.

Time wasted on few requests would make the growth look flat. So the time for the fewer requests
counts as at most `MOST_YARDS` of these units.
"""

from collections.abc import Sequence
from math import inf
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
"""A good slope never comes out this steep by chance: it is not measured again."""
MOST_YARDS = 15
"""Right plans take 1 to 8.5 times as long as the simple plan (`yardstick_s`)."""
NUM_TRIES = 8
"""How often the CPU time is measured, at most. Once is enough if it is good."""
FEWEST_COUNTED = 1_000
"""Comparisons; with fewer, their number says nothing about growth."""
LEAST_KEPT = 0.6
"""Share of its gain on few requests that a plan must keep on many."""
HOST = "radixlab.exercise.plan_host"


def check_growth(trial: Trial) -> float:
    """Compare the work for few requests with the work for many, in CPU time on every pattern."""
    name = PATTERNS[int(trial.random.integers(len(PATTERNS)))]
    counted = _counted(trial, name)
    share = _earned(f"tokens compared and hashed by plan() on {name}", counted, COUNTED_SIZES)
    trial.notes.append(f"slope {counted:.2f} in tokens compared and hashed ({ALL_AT} is the most).")
    on_largest = FEW_TOKENS[int(trial.random.integers(len(FEW_TOKENS)))]
    for name in PATTERNS:
        sizes = (*SIZES, LARGEST) if name == on_largest else SIZES
        share = min(share, _growth_on(trial, name, sizes))
    return share


def _growth_on(trial: Trial, name: str, sizes: Sequence[int]) -> float:
    """Return what the CPU time on a pattern earns, from each size to the next."""
    share, few = 1.0, Cost(trial, name, sizes[0])
    fewest = few.run
    for size in sizes[1:]:
        many = Cost(trial, name, size)
        _require_the_same_gain(fewest, many.run)
        found, what = _timed(few, many), f"CPU time of plan() on {name}"
        if few.num_yards > MOST_YARDS:
            what += (
                f" (for {few.size:,} requests {few.num_yards:.0f} times what a simple plan takes, "
                f"which counts as {MOST_YARDS} times)"
            )
        share = min(share, _earned(what, found, (few.size, many.size)))
        if found > ALL_AT:
            trial.notes.append(f"slope {found:.2f} in {what} is too steep.")
        few = many
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


class Cost:
    """What planning for so many requests of a pattern costs, the best of some tries.

    CPU seconds of the learner's plan, and of the judge's own for the same requests.
    """

    def __init__(self, trial: Trial, name: str, size: int) -> None:
        self.trial, self.name, self.size = trial, name, size
        self.cpu_s = self.yard_s = inf
        self._num_tries = 0
        self.measure()

    def measure(self) -> None:
        """Ask for one more plan, and then the judge's own; carry the first one out."""
        where = short(self.name, _seed(self.trial, self._num_tries, self.size), self.size)
        facts = where.facts()
        before = self.trial.usage().cpu_s
        found = self.trial.call(f"{HOST}:ask", self.trial.learner.plan, *facts)
        after = self.trial.usage().cpu_s
        if not self._num_tries:
            self.run = _carried_out(where, found)
        self._num_tries += 1
        self.cpu_s = min(self.cpu_s, 0.0 if before is None or after is None else after - before)
        self.yard_s = min(self.yard_s, yardstick_s(where))

    @property
    def num_yards(self) -> float:
        """How many times the judge's plan the learner's takes."""
        return self.cpu_s / self.yard_s


def _timed(few: Cost, many: Cost) -> float:
    """Return the slope of the CPU time; 0 where the system does not tell the time."""
    for _ in range(1, NUM_TRIES):
        few.measure()
        if not ALL_AT < _slope(few, many) < HOPELESS:
            break
        many.measure()
    return _slope(few, many) if few.cpu_s > 0 and many.cpu_s > 0 else 0.0


def _slope(few: Cost, many: Cost) -> float:
    """Return the slope that the plan has if the judge's own has 1; the first counts to a bound."""
    num_yards = (min(few.num_yards, MOST_YARDS), many.num_yards)
    return 1 + slope((few.size, many.size), num_yards)


def _seed(trial: Trial, number: int, size: int) -> int:
    """Return the seed of a try."""
    return int(trial.random.integers(1_000, 1_000_000)) + number + size


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
    sizes = [one.scene.num_requests for one in (few, many)]
    base = by_arrival(many.scene).hit_tokens / many.prompt_tokens
    raise Failed(
        f"On {many.scene.pattern}, {sizes[1]:,} short requests, the plan finds {many.hit_rate:.1%} "
        f"of the prompt tokens, and order of arrival {base:.1%}: {100 * gains[1]:.1f} percentage "
        f"points more. On {sizes[0]:,} requests it gains {100 * gains[0]:.1f} percentage points.",
        scenario=code(many.scene),
    )
