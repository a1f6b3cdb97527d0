"""A linked list of samples, each holding the one before it; read backwards at the end."""

from statistics import median, quantiles

from radixlab.exercise.cow import KINDS, Conclusion, CowReport, Sample


class Link:
    __slots__ = ("before", "sample")

    def __init__(self, before, sample):
        self.before, self.sample = before, sample


def take(last, manager, clock, what, call, sequence):
    manager.sync()
    start_s = clock()
    answer = call(sequence)
    manager.sync()
    seconds = clock() - start_s
    num = len(answer[-1]) if what[-1] == "fork" else len(answer)
    return answer, Link(last, Sample(*what, start_s, seconds, num, manager.block_bytes * num))


def group(last, manager, clock, *what):
    alone = manager.start()
    _, last = take(last, manager, clock, (*what, "unshared"), manager.append, alone)
    manager.release(alone)
    branches = {manager.start(): None}
    newest = next(iter(branches))
    while len(branches) <= what[-1]:
        (newest, _), last = take(last, manager, clock, (*what, "fork"), manager.fork, newest)
        branches[newest] = None
    for phase in ("first", "after"):
        for branch in branches:
            name = "last" if phase == "first" and branch == newest else phase
            _, last = take(last, manager, clock, (*what, name), manager.append, branch)
    for branch in branches:
        manager.release(branch)
    return last


def benchmark(make_manager, clock, forks, block_sizes):
    turns = [
        (make_manager(kind, size), kind, size, num)
        for num in forks
        for size in block_sizes
        for kind in reversed(KINDS)
    ]
    for manager, *_ in turns:
        sequence = manager.start()
        for _ in range(40):
            manager.release(manager.fork(sequence)[0])
        manager.release(sequence)
    last = None
    for _ in range(15):
        for manager, *what in turns:
            last = group(last, manager, clock, *what)
    samples = []
    while last:
        samples.append(last.sample)
        last = last.before
    samples.reverse()
    return report(samples, block_sizes, forks)


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
