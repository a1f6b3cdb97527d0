"""Generators: a group is a script of calls; whoever runs it times each call and sends it back."""

from statistics import median, quantiles

from radixlab.exercise.cow import KINDS, Conclusion, CowReport, Sample


def script(manager, forks):
    alone, branches = manager.start(), [manager.start()]
    yield "unshared", manager.append, alone
    for _ in range(forks):
        child, _ = yield "fork", manager.fork, branches[0]
        branches.append(child)
    for branch in branches[:-1]:
        yield "first", manager.append, branch
    yield "last", manager.append, branches[-1]
    for branch in branches:
        yield "after", manager.append, branch
    for sequence in (alone, *branches):
        manager.release(sequence)


def run(manager, clock, what):
    steps, answer = script(manager, what[2]), None
    while True:
        try:
            phase, call, sequence = steps.send(answer)
        except StopIteration:
            return
        manager.sync()
        start_s = clock()
        answer = call(sequence)
        manager.sync()
        seconds = clock() - start_s
        num = len(answer[1] if phase == "fork" else answer)
        yield Sample(*what, phase, start_s, seconds, num, num * manager.block_bytes)


def rounds(managers, clock, forks):
    while True:
        for (kind, size), manager in managers.items():
            for num in forks:
                yield from run(manager, clock, (kind, size, num))


def benchmark(make_manager, clock, forks, block_sizes):
    managers = {(kind, size): make_manager(kind, size) for size in block_sizes for kind in KINDS}
    for manager in managers.values():
        for _ in range(30):
            manager.release(manager.start())
    endless, samples = rounds(managers, clock, forks), []
    per_round = sum(len(managers) * (3 * num + 3) for num in forks)
    while len(samples) < 16 * per_round:
        samples.append(next(endless))
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
