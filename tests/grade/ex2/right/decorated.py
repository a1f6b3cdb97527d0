"""Decorators and a context manager; the first three rounds are the warm-up and not kept."""

import contextlib
import functools
from statistics import median, quantiles

from radixlab.exercise.cow import KINDS, Conclusion, CowReport, Sample


class Recorder:
    def __init__(self, clock):
        self.clock, self.samples = clock, []

    @contextlib.contextmanager
    def around(self, manager, *cell):
        copies = []
        manager.sync()
        start_s = self.clock()
        yield copies
        manager.sync()
        seconds = self.clock() - start_s
        moved = len(copies) * manager.block_bytes
        self.samples.append(Sample(*cell, start_s, seconds, len(copies), moved))


def releasing(function):
    @functools.wraps(function)
    def wrapped(recorder, manager, *what):
        running = []
        try:
            function(recorder, manager, running, *what)
        finally:
            for sequence in running:
                manager.release(sequence)

    return wrapped


@releasing
def group(recorder, manager, running, *what):
    *branches, alone = running[:] or [manager.start(), manager.start()]
    running += [*branches, alone]
    for _ in range(what[2]):
        with recorder.around(manager, *what, "fork") as copies:
            child, made = manager.fork(branches[-1])
            copies += made
        branches.append(child)
        running.append(child)
    for number, branch in enumerate(branches):
        with recorder.around(manager, *what, "last" if number == what[2] else "first") as copies:
            copies += manager.append(branch)
    with recorder.around(manager, *what, "unshared") as copies:
        copies += manager.append(alone)
    for branch in branches:
        with recorder.around(manager, *what, "after") as copies:
            copies += manager.append(branch)


def benchmark(make_manager, clock, forks, block_sizes):
    recorder = Recorder(clock)
    managers = {(kind, size): make_manager(kind, size) for kind in KINDS for size in block_sizes}
    for nth in range(-4, 16):
        if nth == 0:
            recorder.samples.clear()
        for (kind, size), manager in managers.items():
            for num in forks:
                group(recorder, manager, kind, size, num)
    return report(recorder.samples, block_sizes, forks)


def report(samples, block_sizes, forks):
    cells = {}
    for sample in samples:
        cells.setdefault(sample.cell, []).append(sample)
    n = {cell: len(some) for cell, some in cells.items()}
    middle = {cell: median([one.seconds for one in some]) for cell, some in cells.items()}
    spread = {}
    for cell, some in cells.items():
        low, _, high = quantiles([one.seconds for one in some], n=4)
        spread[cell] = low, high
    conclusions = []
    for size in block_sizes:
        for num in forks:
            copied = {
                kind: sum(s.copies for s in samples if s.cell[:3] == (kind, size, num))
                for kind in KINDS
            }
            group_s = {
                kind: num * (middle[kind, size, num, "fork"] + middle[kind, size, num, "first"])
                + middle[kind, size, num, "last"]
                for kind in KINDS
            }
            copy_s = even = None
            if any(one.copies for one in cells["cow", size, num, "first"]):
                copy_s = middle["cow", size, num, "first"] - middle["cow", size, num, "unshared"]
            if copy_s:
                even = (
                    middle["eager", size, num, "fork"] - middle["cow", size, num, "fork"]
                ) / copy_s
            share, ratio = copied["cow"] / copied["eager"], group_s["eager"] / group_s["cow"]
            conclusions.append(Conclusion(size, num, copy_s, share, even, ratio))
    return CowReport(samples, n, middle, spread, conclusions)
