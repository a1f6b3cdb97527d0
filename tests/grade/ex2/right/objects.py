"""Objects: a stopwatch, a bench, a cell; combinations in a new order in every round."""

import random
import statistics
from dataclasses import dataclass, field
from itertools import product

from radixlab.exercise.cow import Conclusion, CowReport, Sample


@dataclass
class Stopwatch:
    clock: object
    manager: object

    def __enter__(self):
        self.manager.sync()
        self.start_s = self.clock()
        return self

    def __exit__(self, *_):
        self.manager.sync()
        self.seconds = self.clock() - self.start_s


@dataclass
class Bench:
    kind: str
    block_size: int
    manager: object
    clock: object
    samples: list = field(default_factory=list)

    def warm(self, calls=40):
        sequence = self.manager.start()
        for _ in range(calls // 2):
            child, _ = self.manager.fork(sequence)
            self.manager.append(child)
            self.manager.release(child)
        self.manager.release(sequence)

    def note(self, forks, phase, watch, copies):
        moved = self.manager.block_bytes * len(copies)
        where = self.kind, self.block_size, forks, phase
        self.samples.append(
            Sample(*where, watch.start_s, watch.seconds, copies=len(copies), bytes=moved)
        )

    def write(self, forks, phase, sequence):
        with Stopwatch(self.clock, self.manager) as watch:
            copies = self.manager.append(sequence)
        self.note(forks, phase, watch, copies)

    def fork(self, forks, parent):
        with Stopwatch(self.clock, self.manager) as watch:
            child, copies = self.manager.fork(parent)
        self.note(forks, "fork", watch, copies)
        return child

    def group(self, forks):
        parent = self.manager.start()
        children = [self.fork(forks, parent) for _ in range(forks)]
        for child in children:  # the parent is the last one here
            self.write(forks, "first", child)
        self.write(forks, "last", parent)
        for sequence in (parent, *children):
            self.write(forks, "after", sequence)
            self.manager.release(sequence)
        alone = self.manager.start()
        self.write(forks, "unshared", alone)
        self.manager.release(alone)


class Figures:
    def __init__(self, samples):
        self.samples, self.cells = samples, {}
        for sample in samples:
            self.cells.setdefault(sample.cell, []).append(sample.seconds)

    def median(self, *cell):
        return statistics.median(self.cells[cell])

    def spread(self, cell):
        low, _, high = statistics.quantiles(self.cells[cell], n=4, method="inclusive")
        return low, high

    def copies(self, kind, size, forks, phases=("unshared", "fork", "first", "last", "after")):
        cells = [(kind, size, forks, phase) for phase in phases]
        return sum(sample.copies for sample in self.samples if sample.cell in cells)

    def conclude(self, size, forks):
        price = {
            (kind, phase): self.median(kind, size, forks, phase)
            for kind, phase in product(("cow", "eager"), ("unshared", "fork", "first", "last"))
        }
        total = {
            kind: forks * (price[kind, "fork"] + price[kind, "first"]) + price[kind, "last"]
            for kind in ("cow", "eager")
        }
        share = self.copies("cow", size, forks) / self.copies("eager", size, forks)
        ratio = total["eager"] / total["cow"]
        if not self.copies("cow", size, forks, ["first"]):
            return Conclusion(size, forks, None, share, None, ratio)
        copy_s = price["cow", "first"] - price["cow", "unshared"]
        extra_s = price["eager", "fork"] - price["cow", "fork"]
        return Conclusion(size, forks, copy_s, share, extra_s / copy_s if copy_s else None, ratio)


def benchmark(make_manager, clock, forks, block_sizes):
    samples, rng = [], random.Random(5)
    benches = [
        Bench(kind, size, make_manager(kind, size), clock, samples)
        for kind, size in product(("eager", "cow"), block_sizes)
    ]
    for bench in benches:
        bench.warm()
    turns = [(bench, num) for bench in benches for num in forks]
    for _ in range(15):
        for bench, num in rng.sample(turns, len(turns)):
            bench.group(num)
    figures = Figures(samples)
    return CowReport(
        samples,
        {cell: len(seconds) for cell, seconds in figures.cells.items()},
        {cell: figures.median(*cell) for cell in figures.cells},
        {cell: figures.spread(cell) for cell in figures.cells},
        [figures.conclude(size, num) for size, num in product(block_sizes, forks)],
    )
