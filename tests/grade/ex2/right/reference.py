"""The master's own."""

from collections import defaultdict
from statistics import median, quantiles

from radixlab.exercise.cow import KINDS, WARM_UP_CALLS, Conclusion, CowReport, Sample

ROUNDS = 16


def timed(manager, clock, call, sequence):
    manager.sync()
    start_s = clock()
    result = call(sequence)
    manager.sync()
    return result, start_s, clock() - start_s


def take_group(manager, clock, kind, block_size, forks):
    samples = []

    def take(phase, call, sequence):
        result, start_s, seconds = timed(manager, clock, call, sequence)
        child, copies = result if phase == "fork" else (None, result)
        num, moved = len(copies), len(copies) * manager.block_bytes
        samples.append(Sample(kind, block_size, forks, phase, start_s, seconds, num, moved))
        return child

    alone = manager.start()
    take("unshared", manager.append, alone)
    branches = [manager.start()]
    for _ in range(forks):
        branches.append(take("fork", manager.fork, branches[0]))
    for branch in branches:
        take("last" if branch == branches[-1] else "first", manager.append, branch)
    for branch in branches:
        take("after", manager.append, branch)
    for sequence in (alone, *branches):
        manager.release(sequence)
    return samples


def warm_up(manager):
    for _ in range(WARM_UP_CALLS):
        sequence = manager.start()
        child, _ = manager.fork(sequence)
        manager.append(child)
        manager.release(child)
        manager.release(sequence)


def take_samples(make_manager, clock, forks, block_sizes):
    managers = {(kind, size): make_manager(kind, size) for kind in KINDS for size in block_sizes}
    for manager in managers.values():
        warm_up(manager)
    samples = []
    for _ in range(ROUNDS):
        for (kind, size), manager in managers.items():
            for num in forks:
                samples += take_group(manager, clock, kind, size, num)
    return samples


def summarise(samples):
    seconds = defaultdict(list)
    for sample in samples:
        seconds[sample.cell].append(sample.seconds)
    n = {cell: len(values) for cell, values in seconds.items()}
    middle = {cell: median(values) for cell, values in seconds.items()}
    quartiles = {cell: quantiles(values, n=4) for cell, values in seconds.items()}
    return n, middle, {cell: (low, high) for cell, (low, _, high) in quartiles.items()}


def conclude(samples, middle, block_size, forks):
    def m(kind, phase):
        return middle[kind, block_size, forks, phase]

    def copied(kind):
        wanted = (kind, block_size, forks)
        return sum(s.copies for s in samples if s.cell[:3] == wanted)

    def group_s(kind):
        return forks * (m(kind, "fork") + m(kind, "first")) + m(kind, "last")

    copy_s = break_even = None
    first = ("cow", block_size, forks, "first")
    if any(s.copies for s in samples if s.cell == first):
        copy_s = m("cow", "first") - m("cow", "unshared")
    if copy_s:
        break_even = (m("eager", "fork") - m("cow", "fork")) / copy_s
    share = copied("cow") / copied("eager")
    ratio = group_s("eager") / group_s("cow")
    return Conclusion(block_size, forks, copy_s, share, break_even, ratio)


def benchmark(make_manager, clock, forks, block_sizes):
    samples = take_samples(make_manager, clock, forks, block_sizes)
    n, middle, spread = summarise(samples)
    conclusions = [conclude(samples, middle, size, num) for size in block_sizes for num in forks]
    return CowReport(samples, n, middle, spread, conclusions)
