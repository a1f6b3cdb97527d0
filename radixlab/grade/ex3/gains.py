"""What a plan finds: on its own pattern, on the others, and what it says about it.

The figures behind the target: shares of the way from order of arrival to the best known plan, means
of three workloads, the least and the most of twelve such means (of five for the wrong ones). The
target lies half-way, in logarithm, between 0.66 and 0.87; the last right one reaches it on its own
pattern. tests/grade/ex3/test_plan.py holds the right plans to it.

| plan                              | few-shot     | chat         | agent        | document-qa  |
|-----------------------------------|--------------|--------------|--------------|--------------|
| right: numbered prefixes          | 0.97 to 0.99 | 0.95 to 0.99 | 0.87 to 0.99 | 0.95 to 1.01 |
| right: a trie of blocks           | 0.94 to 0.98 | 0.94 to 1.02 | 0.87 to 1.07 | 0.89 to 0.99 |
| right: NumPy                      | 0.96 to 0.99 | 0.94 to 0.98 | 0.90 to 1.00 | 0.97 to 1.00 |
| right: all sorted once            | 0.88 to 0.97 | 0.67 to 0.88 | 0.72 to 1.04 | 0.92 to 1.05 |
| wrong: windows, each sorted       | 0.60 to 0.63 | 0.35 to 0.66 | 0.08 to 0.41 | 0.52 to 0.58 |
| wrong: grouped by the first token | 0.43 to 0.52 | 0.31 to 0.46 | 0.06 to 0.16 | 0.03 to 0.10 |
"""

from radixlab.grade.ex3.answers import code
from radixlab.grade.ex3.counters import saved_by, top
from radixlab.grade.ex3.known import best_known, by_arrival
from radixlab.grade.ex3.runs import (
    chosen_runs,
    mean_share,
    other_runs,
    pattern,
    require_a_plan,
)
from radixlab.grade.ex3.scenes import Scene
from radixlab.grade.items import Failed, Trial

TARGET = 0.75
"""Share of the way that earns all points."""
MOST_LOST = 0.01
"""Of the prompt tokens, against order of arrival, on a pattern that was not chosen."""
NEAR = 0.9
"""A hot spot is right if it saves at least so much of what the hottest does."""


def check_hits(trial: Trial) -> float:
    """Return the share of the target reached on hidden workloads of the chosen pattern."""
    runs = chosen_runs(trial)
    share = mean_share(runs)
    told = f"{share:.2f} of the way on {pattern(trial)} ({TARGET} wanted)."
    if share <= 0:
        worst = min(runs, key=lambda one: one.share)
        raise Failed(
            f"The plan finds no more than order of arrival: {told}",
            scenario=code(worst.scene),
            expected=f"{best_known(worst.scene).hit_tokens:,} tokens found by the best known plan, "
            f"{by_arrival(worst.scene).hit_tokens:,} in order of arrival",
            actual=f"{worst.served.hit_tokens:,} tokens found",
        )
    trial.notes.append(told)
    return min(1.0, share / TARGET)


def check_regression(trial: Trial) -> None:
    """See that the plan does no harm where it was not made for."""
    require_a_plan(trial)
    for one in other_runs(trial):
        if one.over_arrival < -MOST_LOST:
            raise Failed(
                f"On {one.scene.pattern} the plan finds {-one.over_arrival:.1%} of the prompt "
                f"tokens less than order of arrival; {MOST_LOST:.0%} is the most that may be lost.",
                scenario=code(one.scene),
            )


def check_hot_spot(trial: Trial) -> None:
    """Compare the hot spot that the plan names with the counters."""
    require_a_plan(trial)
    for one in [*chosen_runs(trial), *other_runs(trial)]:
        size, prefix = one.answer.block_size, one.answer.hot_spot
        named, best = saved_by(one.scene, size, prefix), top(one.scene, size)
        if named < NEAR * best.saved_tokens:
            raise Failed(
                f"On {one.scene.pattern} the hot spot has {len(prefix):,} tokens and can save "
                f"{named:,}; one prefix can save {best.saved_tokens:,}.",
                scenario="from radixlab.grade.ex3 import open_workload\n" + _spot(one.scene),
                expected=f"{best.num_tokens:,} tokens, found by {best.num_requests} requests, "
                f"beginning with {list(best.first_tokens)}",
                actual=f"{len(prefix):,} tokens, beginning with {list(prefix[:4])}",
            )


def _spot(where: Scene) -> str:
    return f'len(plan(open_workload("{where.pattern}", {where.seed})).hot_spot)'
