"""A manager is made and warmed up when it is first asked for; the turns of a round are drawn."""

import random
from functools import cache, partial
from statistics import median, quantiles

from radixlab.exercise.cow import KINDS, Conclusion, CowReport, Sample


def benchmark(make_manager, clock, forks, block_sizes):
    @cache
    def manager_of(kind, size):
        manager = make_manager(kind, size)
        sequence = manager.start()
        for _ in range(17):
            child = manager.fork(sequence)[0]
            manager.append(child)
            manager.release(child)
        manager.release(sequence)
        return manager

    def take(kind, size, num, phase, call, sequence):
        manager = manager_of(kind, size)
        manager.sync()
        start_s = clock()
        answer = call(sequence)
        manager.sync()
        end_s = clock()
        copies = answer[1] if phase == "fork" else answer
        moved = len(copies) * manager.block_bytes
        samples.append(Sample(kind, size, num, phase, start_s, end_s - start_s, len(copies), moved))
        return answer

    def group(kind, size, num):
        manager, at = manager_of(kind, size), partial(take, kind, size, num)
        branches = [manager.start()]
        for _ in range(num):
            branches.append(at("fork", manager.fork, rng.choice(branches))[0])
        for phase in ("first", "after"):
            rng.shuffle(branches)
            for left, branch in enumerate(reversed(branches)):
                is_last = phase == "first" and left == num
                at("last" if is_last else phase, manager.append, branch)
        alone = manager.start()
        at("unshared", manager.append, alone)
        while branches:
            manager.release(branches.pop())
        manager.release(alone)

    samples, rng = [], random.Random(1)
    turns = [(kind, size, num) for kind in KINDS for size in block_sizes for num in forks]
    for _ in range(16):
        rng.shuffle(turns)
        for turn in turns:
            group(*turn)
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
