"""Closures: a stopwatch, a group and a round are each a function made by a function."""

from statistics import median, quantiles

from radixlab.exercise.cow import KINDS, Conclusion, CowReport, Sample


def stopwatch(manager, clock, keep):
    def watch(cell, call, sequence):
        manager.sync()
        start_s = clock()
        answer = call(sequence)
        manager.sync()
        keep(cell, start_s, clock() - start_s, answer if type(answer) is list else answer[1])
        return answer

    return watch


def group_of(manager, clock, kind, size, num, samples):
    def keep(phase, start_s, seconds, copies):
        moved = sum(manager.block_bytes for _ in copies)
        samples.append(Sample(kind, size, num, phase, start_s, seconds, len(copies), moved))

    def group():
        watch = stopwatch(manager, clock, keep)
        parent = manager.start()
        branches = [watch("fork", manager.fork, parent)[0] for _ in range(num)]
        branches.insert(len(branches) // 2, parent)
        *most, last = branches
        for branch in most:
            watch("first", manager.append, branch)
        watch("last", manager.append, last)
        for branch in branches:
            watch("after", manager.append, branch)
        alone = manager.start()
        watch("unshared", manager.append, alone)
        for sequence in (*branches, alone):
            manager.release(sequence)

    return group


def benchmark(make_manager, clock, forks, block_sizes):
    samples, groups = [], []
    for num in forks:
        for size in block_sizes:
            for kind in KINDS:
                manager = make_manager(kind, size)
                sequence = manager.start()
                for _ in range(35):
                    manager.append(sequence)
                manager.release(sequence)
                groups.append(group_of(manager, clock, kind, size, num, samples))
    for _ in range(20):
        for group in groups:
            group()
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
