"""What a plan finds: on its own pattern, on the others, and what it says about it.

The figures behind the target, as shares of the way from order of arrival to the best known plan;
means of three workloads, the least and the most of twelve such means. (The sorted one is right on
the pattern that it names.) tests/grade/ex3/test_plan.py holds the right solutions to them.

FIGURES
"""

from radixlab.grade.ex3.answers import code
from radixlab.grade.ex3.counters import saved_by, top
from radixlab.grade.ex3.known import best_known, by_arrival
from radixlab.grade.ex3.runs import (
    Run,
    chosen_runs,
    mean_share,
    other_runs,
    pattern,
    require_a_plan,
)
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
    """Compare the hot spot that the plan names with what the requests found."""
    require_a_plan(trial)
    for one in [*chosen_runs(trial), *other_runs(trial)]:
        named, best = saved_by(one, one.answer.hot_spot), top(one)
        if named < NEAR * best.saved_tokens:
            raise _wrong_spot(one)


def _wrong_spot(one: Run) -> Failed:
    best, num = top(one), len(one.answer.hot_spot)
    return Failed(
        f"On {one.scene.pattern} the hot spot has {num:,} tokens and saves "
        f"{saved_by(one, one.answer.hot_spot):,}; one prefix saves {best.saved_tokens:,}.",
        scenario=code(one.scene),
        expected=f"{best.num_tokens:,} tokens, found by {best.num_requests} requests, beginning "
        f"with {list(best.first_tokens)}",
        actual=f"{num:,} tokens, beginning with {list(one.answer.hot_spot[:4])}",
    )
