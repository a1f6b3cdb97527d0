"""What a plan costs: its own work, and the memory that it leaves occupied.

Work is counted in comparisons and hashes of tokens, at two sizes of a workload. NumPy and bytes do
it unseen, so the CPU time is looked at as well, with more patience.

The slopes of work and, where nothing is counted, of CPU time, on the four patterns; the limits lie
half-way, in logarithm, between right and wrong.

| plan                                        | work          | CPU           |
|---------------------------------------------|---------------|---------------|
| numbered prefixes, a window that moves      |  0.94 to 1.03 |               |
| a trie of blocks                            |  0.95 to 1.02 |               |
| all requests sorted by their tokens         |  0.98 to 1.22 |               |
| NumPy, a window that moves                  |               |  1.04 to 1.08 |
| first tokens compared, all pairs            |  1.45 to 1.62 |               |
| NumPy, everyone with all who follow         |               |  1.74 to 1.91 |
"""

from math import log
from typing import Any

from radixlab.grade.ex3.answers import code
from radixlab.grade.ex3.known import by_arrival
from radixlab.grade.ex3.runs import hidden_seed, pattern, require_a_plan, run
from radixlab.grade.ex3.scenes import Scene, short
from radixlab.grade.items import Failed, Trial

SIZES = (150, 1_200)
"""Requests; what is done with each must not depend on how many there are."""
MOST_SLOPE = 1.3
MOST_CPU_SLOPE = 1.5
NUM_TIMES = 2
"""CPU times, of which the better counts; one is enough if it is good."""
FEWEST_COUNTED = 1_000
MOST_WORK = 1e9
"""No limit: the time limit comes first."""
NUM_CHURNED = 120
"""Requests in the workload after which the memory has to be free again."""


def check_growth(trial: Trial) -> None:
    """Compare the work of a small and a large workload."""
    require_a_plan(trial)
    small, large = (short(pattern(trial), hidden_seed(trial), size) for size in SIZES)
    few = _measured(trial, small, MOST_WORK)
    most = max(FEWEST_COUNTED, few["work"]) * (SIZES[1] / SIZES[0]) ** MOST_SLOPE
    many = _measured(trial, large, most)
    if many["work"] > most:
        raise Failed(
            f"For {SIZES[0]:,} requests plan() compares and hashes {few['work']:,} tokens; for "
            f"{SIZES[1]:,} it was stopped at {many['work']:,}, a slope of more than {MOST_SLOPE}. "
            f"Twice the requests should take about twice the work.",
            scenario=_sweep(small, large),
        )
    _require_little_time(trial, (small, large), (few["cpu_s"], many["cpu_s"]))
    _require_the_same_plan(trial, large)
    if few["work"] < FEWEST_COUNTED:
        trial.notes.append("The tokens saw nothing of it; the CPU time grows as it may.")
    else:
        slope = _slope(few["work"], many["work"])
        trial.notes.append(f"slope {slope:.2f} ({MOST_SLOPE} is the most).")


def _require_little_time(trial: Trial, scenes: tuple[Scene, Scene], cpu_s: Any) -> None:
    """Look at the CPU time, again if need be: a busy machine must not fail anybody."""
    slope = _slope(*cpu_s)
    for _ in range(NUM_TIMES - 1):
        if slope <= MOST_CPU_SLOPE:
            return
        times = (_measured(trial, one, MOST_WORK)["cpu_s"] for one in scenes)
        slope = min(slope, _slope(*times))
    if slope > MOST_CPU_SLOPE:
        raise Failed(
            f"plan() compares few tokens one by one, yet from {SIZES[0]:,} to {SIZES[1]:,} "
            f"requests its CPU time grows with a slope of {slope:.2f}: {MOST_CPU_SLOPE} is the "
            f"most.",
            scenario=_sweep(*scenes),
        )


def _require_the_same_plan(trial: Trial, large: Scene) -> None:
    """See that the large workload was not spared its work by giving up on it."""
    one = run(trial, large)
    base = by_arrival(large, one.answer.block_size).hit_tokens
    if one.served.hit_tokens <= base:
        raise Failed(
            f"For {large.num_requests:,} requests the plan finds {one.served.hit_tokens:,} tokens, "
            f"and order of arrival {base:,} in blocks of the same size: no work, but no plan.",
            scenario=code(large),
        )


def check_memory(trial: Trial) -> None:
    """Carry a plan out, evict all that can be, and count what stays."""
    require_a_plan(trial)
    where = short(pattern(trial), hidden_seed(trial), NUM_CHURNED)
    one = run(trial, where, with_canary=True)
    num_blocks = one.served.num_locked_blocks
    if num_blocks:
        last = max(one.answer.pins, key=lambda pin: pin.until)
        raise Failed(
            f"All {NUM_CHURNED} requests are served, and pins still hold {num_blocks} blocks: one "
            f"is lifted at place {last.until:,} of {NUM_CHURNED}.",
            scenario=code(where),
            expected="0 blocks held",
            actual=f"{num_blocks} blocks held",
        )


def _measured(trial: Trial, where: Scene, most: float) -> dict[str, Any]:
    host = "radixlab.exercise.plan_host:ask_counted"
    found = trial.call(host, trial.learner.plan, most, *where.facts())
    match found:
        case {"work": int() as work, "cpu_s": float() as cpu_s} if cpu_s >= 0:
            return {"work": work, "cpu_s": cpu_s}
    raise Failed("The work of plan() could not be measured.", scenario=code(where))


def _slope(few: float, many: float) -> float:
    """Return the slope from the small to the large workload, where both axes are logarithmic."""
    return log(max(many, 1e-9) / max(few, 1e-9)) / log(SIZES[1] / SIZES[0])


def _sweep(*scenes: Scene) -> str:
    name = scenes[0].pattern
    sizes = tuple(one.num_requests for one in scenes)
    return f'from radixlab.grade.ex3 import work_of\nwork_of(plan, "{name}", {sizes})'
