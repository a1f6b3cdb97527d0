"""What a plan finds on the four patterns and on other sizes, its pins, and its hot spot.

The figures behind the target: shares of the way from order of arrival to memory without end, means
of two workloads, the least and the most of three such means. Each pattern is ruined by leaving one
instrument out. The target lies half-way, in logarithm, between the worst right plan (0.81; the
reference 0.87) and the best that does without the pattern's own instrument (0.55).
tests/grade/ex3/test_plan.py holds the reference and its ablations to it.

| plan                               | few-shot     | chat         | agent        | document-qa  |
|------------------------------------|--------------|--------------|--------------|--------------|
| the reference                      | 1.00         | 0.87 to 0.90 | 0.91 to 0.92 | 0.88         |
| without block sizes: 16            | 0.54         | 0.69 to 0.77 | 0.98 to 0.99 | 0.88 to 0.90 |
| without insertion                  | 0.98 to 0.99 | 0.51 to 0.54 | 0.91 to 0.92 | 0.85 to 0.87 |
| without pins                       | 1.00         | 0.86 to 0.90 | 0.49 to 0.55 | 0.88         |
| without an order                   | 1.00         | 0.90 to 0.92 | 0.88 to 0.90 | 0.19 to 0.20 |
| the order and nothing else         | 0.27 to 0.28 | 0.17 to 0.25 | 0.45 to 0.58 | 0.85 to 0.89 |
| windows, each sorted, for an order | 1.00         | 0.92 to 0.93 | 0.91 to 0.92 | 0.55 to 0.57 |
"""

from radixlab.exercise.workload import PATTERNS
from radixlab.grade.ex3.oracle import Answer, by_arrival, saved_by, serve, top, without_end
from radixlab.grade.ex3.play import Run, code, odd_runs, odd_scenes, pattern_runs, run
from radixlab.grade.ex3.traffic import Scene
from radixlab.grade.gates import ramp
from radixlab.grade.items import Failed, Trial

TARGET = 0.7
"""Share of the way on a pattern that earns all of its points."""
LEAST = 0.45
"""Share of the way that earns nothing; the points grow evenly from here to the target."""
FORGIVEN, TOO_MUCH = 0.01, 0.03
"""Losses against order of arrival, as shares of the prompt tokens: no points lost, and all."""
NEAR = 0.9
"""A hot spot earns nothing with this share of what the best saves, and all if it saves as much."""
LEAST_BY_PINS = 0.01
"""What the pins must add for all points on the pattern that needs them: of the prompt tokens."""
PINNED = "agent"
"""The pattern that needs pins."""


def check_hits(trial: Trial) -> float:
    """Return the mean share of the points that the four patterns earn on hidden workloads."""
    shares = {}
    for name in PATTERNS:
        runs = pattern_runs(trial, name)
        shares[name] = sum(one.share for one in runs) / len(runs)
    earned = sum(ramp(share, LEAST, TARGET) for share in shares.values()) / len(shares)
    told = ", ".join(f"{name} {share:.2f}" for name, share in shares.items())
    if not earned:
        one = pattern_runs(trial, max(PATTERNS, key=lambda name: shares[name]))[0]
        raise Failed(
            f"The plan does not go far enough on any pattern: {told} of the way. More than {LEAST} "
            f"earns points.",
            scenario=code(one.scene),
            expected=f"{without_end(one.scene).hit_tokens:,} tokens found if nothing were evicted, "
            f"{by_arrival(one.scene).hit_tokens:,} in order of arrival",
            actual=f"{one.served.hit_tokens:,} tokens found",
        )
    trial.notes.append(f"of the way: {told} ({TARGET} wanted).")
    return earned


def check_rules(trial: Trial) -> None:
    """See that plans for workloads of other sizes keep the rules, and read their own KV."""
    for where in odd_scenes(trial):
        run(trial, where, with_canary=True)


def check_regression(trial: Trial) -> float:
    """See that the plan does no harm on workloads of other sizes; a broken rule is harm."""
    runs = [run(trial, where, with_canary=True) for where in odd_scenes(trial)]
    worst = min(runs, key=lambda one: one.over_arrival)
    earned = ramp(-worst.over_arrival, TOO_MUCH, FORGIVEN)
    told = (
        f"On {worst.scene.pattern}, {worst.scene.num_requests} requests, the plan finds "
        f"{-100 * worst.over_arrival:.1f} percentage points fewer prompt tokens than order of "
        f"arrival; {100 * FORGIVEN:.0f} is the most that may be lost."
    )
    if not earned:
        raise Failed(told, scenario=code(worst.scene))
    if earned < 1:
        trial.notes.append(told)
    return earned


def check_memory(trial: Trial) -> float:
    """See that pins add something where they are needed, and hold nothing in the end."""
    runs = pattern_runs(trial, PINNED)
    for one in [*runs, *odd_runs(trial)]:
        _require_nothing_held(one)
    gained = sum(_gained_by_pins(one) for one in runs) / len(runs)
    earned = ramp(gained, 0, LEAST_BY_PINS)
    told = (
        f"On {PINNED}, the pins add {100 * gained:.1f} percentage points of the prompt tokens to "
        f"what the plan finds without them; {100 * LEAST_BY_PINS:.0f} is wanted."
    )
    if not earned:
        raise Failed(told, scenario=code(runs[0].scene))
    trial.notes.append(told)
    return earned


def _require_nothing_held(one: Run) -> None:
    num_blocks, num = one.served.num_locked_blocks, one.scene.num_requests
    if num_blocks:
        last = max(one.answer.pins, key=lambda pin: pin.until)
        raise Failed(
            f"On {one.scene.pattern}, all {num} requests are served, and pins still hold "
            f"{num_blocks} blocks: one ends at position {last.until:,} of {num}.",
            scenario=code(one.scene),
            expected="0 blocks held",
            actual=f"{num_blocks} blocks held",
        )


def _gained_by_pins(one: Run) -> float:
    """Return what the pins of a plan add, as a share of the prompt tokens."""
    plan, where = one.answer, one.scene
    bare = Answer(plan.order, plan.block_size, (), plan.insertion, plan.hot_spot)
    without = serve(bare, where.requests(), where.workload())
    return (one.served.hit_tokens - without.hit_tokens) / one.prompt_tokens


def check_hot_spot(trial: Trial) -> float:
    """Compare the hot spot that the plan names with the counters."""
    runs = [one for name in PATTERNS for one in pattern_runs(trial, name)]
    share, worst = min(
        ((_heat(one), one) for one in [*runs, *odd_runs(trial)]), key=lambda found: found[0]
    )
    earned = ramp(share, NEAR, 1)
    if earned == 1:
        return 1
    prefix, best = worst.answer.hot_spot, top(worst.scene)
    told = (
        f"On {worst.scene.pattern}, {worst.scene.num_requests} requests, the hot spot has "
        f"{len(prefix):,} tokens and can save {saved_by(worst.scene, prefix):,}; the best prefix "
        f"can save {best.saved_tokens:,}."
    )
    if not earned:
        raise Failed(
            told,
            scenario=_spot(worst.scene),
            expected=f"{best.num_tokens:,} tokens, found by {best.num_requests} requests, "
            f"beginning with {list(best.first_tokens)}",
            actual=f"{len(prefix):,} tokens, beginning with {list(prefix[:4])}",
        )
    trial.notes.append(told)
    return earned


def _heat(one: Run) -> float:
    """Return what the named hot spot saves, as a share of what the best prefix does."""
    best = top(one.scene).saved_tokens
    return saved_by(one.scene, one.answer.hot_spot) / best if best else 1.0


def _spot(where: Scene) -> str:
    facts = f'"{where.pattern}", {where.seed}, {where.num_requests}, {where.stride}'
    return (
        "from radixlab.grade.ex3 import scene\n"
        f"len(plan(scene({facts}, {where.max_wait}, {where.output}).workload()).hot_spot)"
    )
