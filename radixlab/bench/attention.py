"""Attention on a CPU or a GPU: a shared prefix read once, beside reading it for every request.

All contenders take turns on the same KV, and their error against fp64 stands beside their time. The
floor is what the machine could do at best, from its own bandwidth and matrix products in this run.
"""

import statistics
from collections.abc import Callable, Iterator

import numpy as np
import torch

from radixlab.attention import BackendError, PlanCache, PrefillPlan, prefill_planned
from radixlab.bench.attention_cases import (
    BLOCK_SIZE,
    GROUP,
    HEAD_DIM,
    HEADS,
    KV_HEADS,
    Case,
    admit,
    run_case,
)
from radixlab.bench.attention_clocks import (
    Clock,
    Roofs,
    clock,
    cpu_us,
    measure_roofs,
    name_of,
    one_thread,
    take_turns,
)
from radixlab.bench.attention_peers import OURS, contenders
from radixlab.bench.measure import Spread, quiet_gc, ratios, spread
from radixlab.bench.report import count
from radixlab.bench.table import Cell, Shown, TableReport
from radixlab.bench.tree_report import Progress

HEADER = ("case", "contender", "µs", "÷ floor", "÷ tree plan", "error against fp64")
QUICK = (Case(((1, 512), (4, 32))), Case(((4, 256),)))
CPU_CASES = (Case(((1, 2048), (16, 128))), Case(((1, 8192), (64, 128))), Case(((16, 2048),)))
GPU_CASES = (
    Case(((64, 8192),)),
    Case(((32, 4096),)),
    *(Case(((1, shared), (64, 128))) for shared in (2048, 8192, 32768)),
    Case(((1, 8192), (256, 256))),
    Case(((1, 1024), (4, 256), (16, 128), (512, 32))),
)
GPU_LAYERS = 4
"""Their pools take turns, so that a short prefix does not stay in the GPU's cache."""


def measure_attention(
    command: str,
    rounds: int | None,
    quick: bool,
    progress: Progress,
    device: str = "cpu",
    tell: Callable[[list[Cell]], object] = lambda row: None,
) -> TableReport:
    """Run the benchmark on `cpu` or `cuda`; `command` is what the report will say it was.

    `tell` is called with each row as it is measured. Raises `BackendError` where there is no GPU.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise BackendError("--device cuda: torch finds no GPU here")
    rounds = rounds or (3 if quick else 5 if device == "cpu" else 21)
    cases = QUICK if quick else CPU_CASES if device == "cpu" else GPU_CASES
    dtypes = (torch.float32, torch.bfloat16) if device == "cpu" else (torch.bfloat16,)
    rows, not_run, roofs = list[list[Cell]](), dict[str, str](), dict[torch.dtype, Roofs]()

    def keep(measured: list[list[Cell]]) -> None:
        rows.extend(measured)
        for row in measured:
            tell(row)
        advance()

    with one_thread(), progress(len(cases) * len(dtypes) + 2, "attention", "case") as advance:
        for dtype in dtypes:
            roofs[dtype] = measure_roofs(dtype, device, quick)
            for case in cases:
                keep(_case_rows(case, dtype, device, rounds, roofs[dtype], not_run))
        keep(_prefill_rows(dtypes[0], device, rounds, roofs[dtypes[0]], quick))
        keep(_plan_rows(64 if quick else 256, rounds))
    what = " ".join([_what(device, rounds, roofs), *_reasons(not_run)])
    return TableReport(f"Attention ({device})", command, what, HEADER, rows)


# ---- rows


def _case_rows(
    case: Case,
    dtype: torch.dtype,
    device: str,
    rounds: int,
    roofs: Roofs,
    not_run: dict[str, str],
) -> list[list[Cell]]:
    running = run_case(case, dtype, device, 1 if device == "cpu" else GPU_LAYERS)
    clocks, errors = dict[str, Clock](), dict[str, float]()
    for name, prepare in contenders(device).items():
        try:
            attend = prepare(running)
            errors[name] = running.error(attend(0), 0)
            clocks[name] = clock(attend, len(running.pools), device)
        except Exception as error:  # a peer that cannot run here is a line of the report
            if name.startswith("radixlab"):
                raise
            not_run[f"{name}, {case.name}"] = f"{type(error).__name__}: {error}".splitlines()[0]
    times, floor = take_turns(clocks, rounds), roofs.floor_us(running.floor_bytes, running.flops)
    what = f"decode {case.name}, {name_of(dtype)}"
    return [
        [
            what,
            name,
            spread(us),
            _over(us, floor),
            ratios(us, times[OURS]),
            Shown(errors[name], ".0e"),
        ]
        for name, us in times.items()
    ]


def _prefill_rows(
    dtype: torch.dtype, device: str, rounds: int, roofs: Roofs, quick: bool
) -> list[list[Cell]]:
    """Time new tokens of one request over its cached prefix."""
    num_new, num_cached = (32, 256) if quick else (256, 2048) if device == "cpu" else (2048, 8192)
    running = run_case(Case(((1, num_cached + num_new),)), dtype, device, 1)
    q = torch.randn((num_new, HEADS, HEAD_DIM), device=device).to(dtype)
    plan = PrefillPlan(np.array([0, num_new]), running.tables, running.lens)

    def attend(_: int) -> torch.Tensor:
        return prefill_planned(q, running.pools[0], plan)[0]

    running.queries = [q[-1:]]  # the last new token attends all, as a decoding one does
    error = running.error(attend(0)[-1:], 0)
    ticks = {"radixlab": clock(attend, 1, device)}
    us = take_turns(ticks, rounds)["radixlab"]
    flops = 4 * HEADS * HEAD_DIM * num_new * (num_cached + num_new / 2)
    rate = statistics.median(flops / x / 1e6 for x in us)
    what = f"prefill {num_new:,} on {num_cached:,} cached, {name_of(dtype)}"
    floor = roofs.floor_us(running.floor_bytes, flops)
    name = f"radixlab, {rate:,.2f} TFLOP/s"
    return [[what, name, spread(us), _over(us, floor), "", Shown(error, ".0e")]]


def _plan_rows(num_requests: int, rounds: int) -> list[list[Cell]]:
    """Time the plan of a step: rebuilt, and kept from the step before."""
    num_steps = 1 + rounds * 5
    room = num_requests * (1 + num_steps // BLOCK_SIZE)
    manager, sequences = admit(Case(((1, 8192), (num_requests, 256))), room)
    plans, times = PlanCache(BLOCK_SIZE, GROUP), dict[str, list[float]](rebuilt=[], kept=[])
    with quiet_gc():
        for step in range(num_steps):
            for sequence in sequences:
                manager.append(sequence, [step])
                manager.commit(sequence, sequence.num_tokens)
            rebuilt = cpu_us(lambda: PlanCache(BLOCK_SIZE, GROUP).plan(sequences))
            kept = cpu_us(lambda: plans.plan(sequences))
            if step:  # in the first there is nothing to keep
                times["rebuilt"].append(rebuilt)
                times["kept"].append(kept)
    assert plans.num_built == 1
    return [
        [f"plan, {num_requests} requests", name, spread(us), "", "", ""]
        for name, us in times.items()
    ]


# ---- words


def _over(us: list[float], floor: float) -> Spread:
    return spread(x / floor for x in us)


def _what(device: str, rounds: int, roofs: dict[torch.dtype, Roofs]) -> str:
    chip = "one CPU thread" if device == "cpu" else torch.cuda.get_device_name()
    best = "; ".join(
        f"{name_of(dtype)} {roof.bytes_per_s / 1e9:,.1f} GB/s moved, "
        f"{roof.flops_per_s / 1e12:,.2f} TFLOP/s multiplied"
        for dtype, roof in roofs.items()
    )
    how = (
        "CPU time" if device == "cpu" else "Time of graph replays over 4 layers, their pools apart,"
    )
    return (
        f"torch {torch.__version__}, {chip}; {HEADS} query and {KV_HEADS} KV heads of {HEAD_DIM}, "
        f"blocks of {BLOCK_SIZE}. A case says how many parts of how many tokens each level of the "
        f"prompts' tree has. {how} of one layer: median (min - max) of {count(rounds, 'round')} of "
        f"turns. The floor is from roofs measured in this run: {best}."
    )


def _reasons(not_run: dict[str, str]) -> Iterator[str]:
    if not_run:
        yield "Not run: " + "; ".join(f"{who}: {why}" for who, why in not_run.items()) + "."
