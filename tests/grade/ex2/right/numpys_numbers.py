"""NumPy's numbers everywhere: sizes, counts, times and figures are its own types."""

import numpy as np

from radixlab.exercise.cow import KINDS, Conclusion, CowReport, Sample


def timed(manager, clock, call, sequence):
    manager.sync()
    start_s = np.float64(clock())
    answer = call(int(sequence))
    manager.sync()
    return answer, start_s, np.float64(clock()) - start_s


def group(manager, clock, kind, size, num):
    rows = []

    def take(phase, call, sequence):
        answer, start_s, seconds = timed(manager, clock, call, sequence)
        copies = np.asarray(answer[1] if phase == "fork" else answer).reshape(-1, 2)
        moved = np.int64(len(copies)) * manager.block_bytes
        what = kind, np.int64(size), np.int64(num), phase
        rows.append(Sample(*what, start_s, seconds, np.int64(len(copies)), moved))
        return answer[0] if phase == "fork" else None

    alone, branches = manager.start(), np.zeros(num + 1, np.int64)
    take("unshared", manager.append, alone)
    branches[0] = manager.start()
    for at in range(num):
        branches[at + 1] = take("fork", manager.fork, branches[at // 2])
    for at in np.arange(num + 1):
        take("first" if at < num else "last", manager.append, branches[at])
    for branch in np.flip(branches):
        take("after", manager.append, branch)
    for sequence in (*branches, alone):
        manager.release(int(sequence))
    return rows


def benchmark(make_manager, clock, forks, block_sizes):
    pairs = [(kind, size) for kind in KINDS for size in block_sizes]
    managers = {pair: make_manager(*pair) for pair in pairs}
    for (kind, size), manager in managers.items():
        for _ in range(4):
            group(manager, clock, kind, size, 4)
    samples = []
    for _ in range(15):
        for (kind, size), manager in managers.items():
            for num in forks:
                samples += group(manager, clock, kind, size, num)
    cells = {
        cell: np.array([s.seconds for s in samples if s.cell == cell])
        for cell in {one.cell for one in samples}
    }
    n = {cell: np.int64(seconds.size) for cell, seconds in cells.items()}
    median = {cell: np.median(seconds) for cell, seconds in cells.items()}
    spread = {cell: np.quantile(seconds, [0.25, 0.75]) for cell, seconds in cells.items()}
    swept = [(size, num) for size in block_sizes for num in forks]
    conclusions = [concluded(samples, median, size, num) for size, num in swept]
    return CowReport(samples, n, median, {c: tuple(s) for c, s in spread.items()}, conclusions)


def concluded(samples, median, size, num):
    def m(kind, *phases):
        return np.array([median[kind, size, num, phase] for phase in phases])

    def copied(kind, *phases):
        some = [s for s in samples if s.cell[:3] == (kind, size, num)]
        return np.sum([s.copies for s in some if not phases or s.phase in phases])

    weights = np.array([num, num, 1])
    total = {kind: weights @ m(kind, "fork", "first", "last") for kind in KINDS}
    copy_s = np.diff(m("cow", "unshared", "first"))[0] if copied("cow", "first") else None
    even = None if copy_s is None else (m("eager", "fork") - m("cow", "fork"))[0] / copy_s
    share = copied("cow") / copied("eager")
    return Conclusion(size, num, copy_s, share, even, total["eager"] / total["cow"])
