"""Decoding timed with both plans, for the roofline: a case of `radixlab bench attention`."""

from functools import partial
from statistics import median

from torch import Tensor

from radixlab.attention import DecodePlan, decode
from radixlab.bench.attention_cases import Running
from radixlab.bench.attention_clocks import clock, take_turns
from radixlab.lesson.props.paged.roofline import Attained


def plan_times_us(case: Running, rounds: int = 7) -> dict[str, float]:
    """Return the CPU times of a layer's decode by the flat and the tree plan, as medians."""
    plans = {"flat": case.flat, "tree": case.tree}
    clocks = {name: clock(partial(_run, case, plan), 1, "cpu") for name, plan in plans.items()}
    return {name: median(times) for name, times in take_turns(clocks, rounds).items()}


def as_points(case: Running, times_us: dict[str, float]) -> list[Attained]:
    """Draw the two runs under a roof: they do the same FLOPs, but read different bytes."""
    pool = case.pools[0]
    token_bytes = 2 * pool.kv_heads * pool.head_dim * pool.k.element_size()  # a key and a value
    return [
        Attained(name, token_bytes * plan.kv_tokens_read, case.flops, times_us[name])
        for name, plan in (("flat", case.flat), ("tree", case.tree))
    ]


def _run(case: Running, plan: DecodePlan, layer: int) -> Tensor:
    return decode(case.queries[layer], case.pools[layer], plan)[0]
