"""What a learner tries a plan with, in the notebook: the same gate and the same engine."""

from collections.abc import Callable, Sequence
from typing import Any

from radixlab.exercise.plan_host import answer, ask_counted
from radixlab.exercise.workload import Workload
from radixlab.grade.ex3.growth import COUNTED_SIZES
from radixlab.grade.ex3.oracle import by_arrival, serve, without_end
from radixlab.grade.ex3.play import Run, broken_rule, read
from radixlab.grade.ex3.traffic import Scene, scene, short
from radixlab.grade.gates import slope
from radixlab.grade.items import Failed

Planner = Callable[[Workload], Any]


def open_workload(pattern: str, seed: int, num_requests: int | None = None) -> Workload:
    """Return a workload like the hidden ones.

    >>> workload = open_workload("few-shot", seed=7)
    >>> workload
    Workload(pattern='few-shot', max_wait=8, pool_tokens=1200)
    >>> len(workload.requests), workload.requests[0]
    (160, Request(index=0, after=None))
    """
    return scene(pattern, seed, num_requests).workload()


def run_plan(plan: Planner, where: Scene) -> Run:
    """Carry a plan out as the grader does.

    Raises
    ------
    ValueError
        The plan breaks a rule, and the message says which.

    >>> from radixlab.exercise.workload import Plan
    >>> arrival = lambda w: Plan(list(range(160)), 16, [], lambda r: len(r.tokens), ())
    >>> run_plan(arrival, scene("few-shot", seed=7)).share
    0.0
    """
    workload = where.workload()
    try:
        found = read(answer(plan, workload), workload)
    except Failed as error:
        raise ValueError(str(error)) from None
    broken = broken_rule(found, workload)
    if broken:
        raise ValueError(broken)
    return Run(where, found, serve(found, where.requests(), workload))


def try_plan(
    plan: Planner,
    pattern: str,
    seed: int,
    num_requests: int | None = None,
    stride: int = 1,
    max_wait: int | None = None,
    output: int | None = None,
) -> None:
    """Carry a plan out as the grader does, and print what it finds.

    With a stride, all lengths and the memory are divided by it.
    """
    where = scene(pattern, seed, num_requests, stride, max_wait, output)
    try:
        one = run_plan(plan, where)
    except ValueError as error:
        print(f"{pattern}: {error}")
        return
    total = one.prompt_tokens
    rates = [found.hit_tokens / total for found in (by_arrival(where), one.served)]
    print(
        f"{pattern}: order of arrival finds {rates[0]:.1%}, the plan {rates[1]:.1%}, memory "
        f"without end {without_end(where).hit_tokens / total:.1%}: {one.share:.2f} of the way"
    )
    if one.served.void_pins:
        print(f"  {len(one.served.void_pins)} of {len(one.answer.pins)} pins are void")
    if one.served.num_locked_blocks:
        print(f"  in the end pins still hold {one.served.num_locked_blocks} blocks")


def work_of(plan: Planner, pattern: str, sizes: Sequence[int] = COUNTED_SIZES) -> None:
    """Print how many tokens `plan` compares and hashes for workloads of two sizes."""
    counts = [ask_counted(plan, *short(pattern, 7, size).facts())["work"] for size in sizes]
    for size, count in zip(sizes, counts, strict=True):
        print(f"{size:6,} requests: {count:10,} tokens compared and hashed")
    print(f"slope {slope((sizes[0], sizes[-1]), (max(1, counts[0]), max(1, counts[-1]))):.2f}")
