"""Attention on a CPU or a GPU: a shared prefix read once, beside reading it for every request.

All contenders take turns on the same KV, and their error against fp64 stands beside their time. The
floor is what the machine could do at best, from its own bandwidth and matrix products in this run.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from radixlab.attention import BackendError, PlanCache, prefill
from radixlab.bench.attention_cases import (
    BLOCK_SIZE,
    GROUP,
    HEAD_DIM,
    HEADS,
    KV_HEADS,
    Case,
    Running,
    admit,
    run_case,
)
from radixlab.bench.attention_peers import OURS, Attend, contenders
from radixlab.bench.measure import quiet_gc, ratios, spread
from radixlab.bench.report import count
from radixlab.bench.table import Cell, TableReport
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


@dataclass(frozen=True, slots=True)
class Roofs:
    """What the machine does at best, measured here."""

    bytes_per_s: float
    """Read and written, by a copy."""
    flops_per_s: float
    """Of a large matrix product."""

    def floor_us(self, running: Running) -> float:
        """Return the least time that a layer can take: to read the KV once, or to multiply."""
        by_bytes = running.floor_bytes / self.bytes_per_s
        return 1e6 * max(by_bytes, running.flops / self.flops_per_s)


def measure_attention(
    command: str,
    rounds: int | None,
    quick: bool,
    progress: Progress,
    device: str = "cpu",
) -> TableReport:
    """Run the benchmark on `cpu` or `cuda`; `command` is what the report will say it was.

    Raises `BackendError` where there is no GPU.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise BackendError("--device cuda: torch finds no GPU here")
    rounds = rounds or (3 if quick else 5 if device == "cpu" else 21)
    cases = QUICK if quick else CPU_CASES if device == "cpu" else GPU_CASES
    dtypes = (torch.float32, torch.bfloat16) if device == "cpu" else (torch.bfloat16,)
    rows, not_run, roofs = list[list[Cell]](), dict[str, str](), dict[torch.dtype, Roofs]()
    with one_thread(), progress(len(cases) * len(dtypes) + 2, "attention", "case") as advance:
        for dtype in dtypes:
            roofs[dtype] = measure_roofs(dtype, device, quick)
            for case in cases:
                rows += _case_rows(case, dtype, device, rounds, roofs[dtype], not_run)
                advance()
        rows += _prefill_rows(dtypes[0], device, rounds, quick)
        advance()
        rows += _plan_rows(64 if quick else 256, rounds)
        advance()
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
    attend, errors = dict[str, Attend](), dict[str, float]()
    for name, prepare in contenders(device).items():
        try:
            attend[name] = prepare(running)
            errors[name] = running.error(attend[name](0), 0)
        except Exception as error:  # a peer that cannot run here is a line of the report
            if name.startswith("radixlab"):
                raise
            attend.pop(name, None)
            not_run[f"{name}, {case.name}"] = f"{type(error).__name__}: {error}".splitlines()[0]
    times = take_turns(attend, len(running.pools), device, rounds)
    floor, what = roofs.floor_us(running), f"decode {case.name}, {str(dtype)[6:]}"
    return [
        [
            what,
            name,
            spread(us),
            spread(x / floor for x in us),
            ratios(us, times[OURS]),
            f"{errors[name]:.0e}",
        ]
        for name, us in times.items()
    ]


def _prefill_rows(dtype: torch.dtype, device: str, rounds: int, quick: bool) -> list[list[Cell]]:
    """Time new tokens of one request over its cached prefix."""
    num_new, num_cached = (32, 256) if quick else (256, 2048) if device == "cpu" else (2048, 8192)
    running = run_case(Case(((1, num_cached + num_new),)), dtype, device, 1)
    q = torch.randn((num_new, HEADS, HEAD_DIM), device=device).to(dtype)
    cu_q, pool = np.array([0, num_new]), running.pools[0]
    arrays = (cu_q, running.tables, running.lens)
    got = prefill(q, pool, *arrays)[0]
    running.queries = [q[-1:]]  # the last new token attends all, as a decoding one does
    error = running.error(got[-1:], 0)
    times = take_turns({OURS: lambda _: prefill(q, pool, *arrays)[0]}, 1, device, rounds)[OURS]
    flops = 4 * HEADS * HEAD_DIM * num_new * (num_cached + num_new / 2)
    rate = statistics.median(flops / us / 1e6 for us in times)
    what = f"prefill {num_new:,} on {num_cached:,} cached, {str(dtype)[6:]}"
    return [[what, f"radixlab, {rate:,.1f} TFLOP/s", spread(times), "", "", f"{error:.0e}"]]


def _plan_rows(num_requests: int, rounds: int) -> list[list[Cell]]:
    """Time the plan of a step: made anew, and kept from the step before."""
    num_steps = 1 + rounds * 5
    room = num_requests * (1 + num_steps // BLOCK_SIZE)
    manager, sequences = admit(Case(((1, 8192), (num_requests, 256))), room)
    plans, times = PlanCache(BLOCK_SIZE, GROUP), dict[str, list[float]](anew=[], kept=[])
    for step in range(num_steps):
        for sequence in sequences:
            manager.append(sequence, [step])
            manager.commit(sequence, sequence.num_tokens)
        with quiet_gc():
            anew = _cpu_us(lambda: PlanCache(BLOCK_SIZE, GROUP).plan(sequences))
            kept = _cpu_us(lambda: plans.plan(sequences))
        if step:  # in the first there is nothing to keep
            times["anew"].append(anew)
            times["kept"].append(kept)
    assert plans.num_built == 1
    return [
        [f"plan, {num_requests} requests", name, spread(us), "", "", ""]
        for name, us in times.items()
    ]


# ---- clocks


def take_turns(
    attend: dict[str, Attend], num_layers: int, device: str, rounds: int
) -> dict[str, list[float]]:
    """Return µs of one layer, by contender: a figure per round, in turns."""
    clock = cpu_clock if device == "cpu" else cuda_clock
    clocks = {name: clock(run, num_layers) for name, run in attend.items()}
    with quiet_gc():
        turns = [{name: tick() for name, tick in clocks.items()} for _ in range(rounds)]
    return {name: [turn[name] for turn in turns] for name in clocks}


def cpu_clock(attend: Attend, num_layers: int) -> Callable[[], float]:
    """Return what runs the layers once and tells the CPU time of one, in µs."""
    attend(0)
    return lambda: _cpu_us(lambda: [attend(layer) for layer in range(num_layers)]) / num_layers


def cuda_clock(attend: Attend, num_layers: int) -> Callable[[], float]:
    """Return what replays a graph of the layers and tells the time of one, in µs."""
    for layer in range(num_layers):
        attend(layer)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for layer in range(num_layers):
            attend(layer)

    def tick() -> float:
        start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        graph.replay()
        stop.record()
        torch.cuda.synchronize()
        return float(start.elapsed_time(stop)) * 1e3 / num_layers

    tick()
    return tick


def measure_roofs(dtype: torch.dtype, device: str, quick: bool) -> Roofs:
    """Measure a copy of 64 MiB (a GPU: 1 GiB) and a matrix product."""
    cpu = device == "cpu"
    a = torch.ones((64 if cpu else 1024) << 20, dtype=torch.uint8, device=device)
    copied, size = torch.empty_like(a), 512 if quick else 2048 if cpu else 8192
    runs: dict[str, Attend] = {"copy": lambda _: copied.copy_(a)}
    for kind in {dtype, torch.float32} if cpu else {dtype}:  # old CPUs only emulate bf16
        runs[str(kind)] = _product(size, kind, device)
    best = {name: min(us) for name, us in take_turns(runs, 1, device, 5).items()}
    num_bytes, product_us = 2 * len(a), min(us for name, us in best.items() if name != "copy")
    return Roofs(num_bytes / best["copy"] * 1e6, 2 * size**3 / product_us * 1e6)


def _product(size: int, dtype: torch.dtype, device: str) -> Attend:
    a, b = (torch.ones((size, size), dtype=dtype, device=device) for _ in range(2))
    out = torch.empty_like(a)
    return lambda _: torch.mm(a, b, out=out)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute in one thread on the CPU, so that CPU time is time."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _cpu_us(action: Callable[[], object]) -> float:
    start = time.thread_time_ns()
    action()
    return max(1, time.thread_time_ns() - start) / 1e3


# ---- words


def _what(device: str, rounds: int, roofs: dict[torch.dtype, Roofs]) -> str:
    chip = "one CPU thread" if device == "cpu" else torch.cuda.get_device_name()
    best = "; ".join(
        f"{str(dtype)[6:]} {roof.bytes_per_s / 1e9:,.1f} GB/s copied, "
        f"{roof.flops_per_s / 1e12:,.2f} TFLOP/s multiplied"
        for dtype, roof in roofs.items()
    )
    how = (
        "CPU time" if device == "cpu" else "time of graph replays over 4 layers, their pools apart,"
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
