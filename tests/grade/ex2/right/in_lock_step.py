"""Pairs: copy-on-write and its rival take every step in turn, so that both see the same weather."""

from statistics import median, quantiles

from radixlab.exercise.cow import KINDS, Conclusion, CowReport, Sample


class Side:
    def __init__(self, kind, size, manager, clock):
        self.kind, self.size, self.manager, self.clock = kind, size, manager, clock
        self.branches, self.alone = [], None

    def take(self, samples, num, phase, call, sequence):
        self.manager.sync()
        start_s = self.clock()
        answer = call(sequence)
        self.manager.sync()
        seconds = self.clock() - start_s
        copies = len(answer[1]) if phase == "fork" else len(answer)
        moved = copies * self.manager.block_bytes
        samples.append(Sample(self.kind, self.size, num, phase, start_s, seconds, copies, moved))
        return answer


def pair(sides, num, samples):
    for side in sides:
        side.alone, side.branches = side.manager.start(), [side.manager.start()]
    for side in sides:
        side.take(samples, num, "unshared", side.manager.append, side.alone)
    for _ in range(num):
        for side in sides:
            child, _ = side.take(samples, num, "fork", side.manager.fork, side.branches[0])
            side.branches.append(child)
    for at in range(2 * num + 2):
        phase = "first" if at < num else "last" if at == num else "after"
        for side in sides:
            side.take(samples, num, phase, side.manager.append, side.branches[at % (num + 1)])
    for side in sides:
        for sequence in (side.alone, *side.branches):
            side.manager.release(sequence)


def benchmark(make_manager, clock, forks, block_sizes):
    samples, pairs = [], []
    for size in block_sizes:
        sides = [Side(kind, size, make_manager(kind, size), clock) for kind in KINDS]
        for _ in range(6):
            pair(sides, max(forks), [])
        pairs.append(sides)
    for _ in range(17):
        for sides in pairs:
            for num in forks:
                pair(sides, num, samples)
                sides.reverse()
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
