"""How attention is timed, on a CPU or a GPU, and what the machine could do at best.

It knows functions that compute one layer. It does not know what they compute.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from radixlab.bench.measure import quiet_gc

Attend = Callable[[int], Tensor]
"""Takes a layer, computes it."""
Clock = Callable[[], float]
"""Runs all layers, returns µs of one."""


def take_turns(clocks: dict[str, Clock], rounds: int) -> dict[str, list[float]]:
    """Return µs of one layer, by contender: a figure per round.

    Every round another one begins, for whoever comes after a costly one finds the caches cold.
    """
    names = list(clocks)
    times: dict[str, list[float]] = {name: [] for name in names}
    with quiet_gc():
        for turn in range(rounds):
            first = turn % len(names)
            for name in names[first:] + names[:first]:
                times[name].append(clocks[name]())
    return times


def clock(attend: Attend, num_layers: int, device: str) -> Clock:
    """Return what runs all layers and tells the time of one; they ran once before.

    CPU time, or the time between two events on the GPU: of a graph, which hides what Python costs.
    """

    def layers() -> None:
        for layer in range(num_layers):
            attend(layer)

    layers()
    if device == "cpu":
        return lambda: cpu_us(layers) / num_layers
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        layers()
    replay = _Replay(graph, attend)
    replay()
    return lambda: _gpu_us(replay) / num_layers


@dataclass(frozen=True, slots=True)
class _Replay:
    """A graph, and the owner of the memory that it reads, which torch does not keep for it."""

    graph: torch.cuda.CUDAGraph
    owner: Attend

    def __call__(self) -> None:
        self.graph.replay()


@dataclass(frozen=True, slots=True)
class Roofs:
    """What the machine does at best, measured here."""

    bytes_per_s: float
    """Read and written by a copy, or read by a sum: whichever is faster."""
    flops_per_s: float
    """Of a large matrix product."""

    def floor_us(self, num_bytes: float, num_flops: float) -> float:
        """Return the least time for this: to move the bytes, or to multiply."""
        return 1e6 * max(num_bytes / self.bytes_per_s, num_flops / self.flops_per_s)


def measure_roofs(dtype: torch.dtype, device: str, quick: bool) -> Roofs:
    """Measure how fast 64 MiB (a GPU: 1 GiB) are copied, or read, and a matrix product."""
    cpu = device == "cpu"
    a = torch.randn((16 if cpu else 256) << 20, device=device)  # fp32
    copied, size = torch.empty_like(a), 512 if quick else 1024 if cpu else 8192
    moved = {"copy": 2 * a.nbytes, "read": a.nbytes}
    # A graph gives a plain copy to the copy engine, which is slower than a kernel.
    copy = copied.copy_ if cpu else lambda x: torch.neg(x, out=copied)
    runs: dict[str, Attend] = {"copy": lambda _: copy(a), "read": lambda _: a.sum()}
    for kind in {dtype, torch.float32} if cpu else {dtype}:  # old CPUs only emulate bf16
        runs[name_of(kind)] = _product(size, kind, device)
    times = take_turns({name: clock(run, 1, device) for name, run in runs.items()}, 5)
    best = {name: min(us) for name, us in times.items()}
    product_us = min(us for name, us in best.items() if name not in moved)
    rate = max(num_bytes / best[name] for name, num_bytes in moved.items())
    return Roofs(rate * 1e6, 2 * size**3 / product_us * 1e6)


def _product(size: int, dtype: torch.dtype, device: str) -> Attend:
    a, b = (torch.randn((size, size), device=device).to(dtype) for _ in range(2))
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


def _gpu_us(action: Callable[[], object]) -> float:
    start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    action()
    stop.record()
    torch.cuda.synchronize()
    return float(start.elapsed_time(stop)) * 1e3


def cpu_us(action: Callable[[], object]) -> float:
    """Return the CPU time of this thread for one call, in µs."""
    start = time.thread_time_ns()
    action()
    return max(1, time.thread_time_ns() - start) / 1e3


def name_of(dtype: torch.dtype) -> str:
    """Return `float32`, not `torch.float32`."""
    return str(dtype).removeprefix("torch.")
