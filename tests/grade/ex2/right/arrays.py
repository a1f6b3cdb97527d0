"""Arrays: rows in a table, summarised by NumPy; a manager for each combination."""

import numpy as np

from radixlab.exercise.cow import PHASES, Conclusion, CowReport, Sample


def group(manager, clock, key, rows):
    def call(phase, function, sequence):
        manager.sync()
        before = clock()
        answer = function(sequence)
        manager.sync()
        after = clock()
        copies = answer[1] if phase == "fork" else answer
        rows.append((*key, phase, before, after - before, len(copies)))
        return answer

    lone = manager.start()
    call("unshared", manager.append, lone)
    manager.release(lone)
    family = [manager.start()]
    while len(family) <= key[2]:
        family.append(call("fork", manager.fork, family[-1])[0])  # a chain of forks
    for place, sequence in enumerate(family):
        call("first" if place < key[2] else "last", manager.append, sequence)
    for sequence in family[::-1]:
        call("after", manager.append, sequence)
        manager.release(sequence)


def benchmark(make_manager, clock, forks, block_sizes):
    keys = [(kind, size, num) for num in forks for kind in ("cow", "eager") for size in block_sizes]
    managers = {key: make_manager(key[0], key[1]) for key in keys}
    sizes_in_bytes = {size: managers["cow", size, forks[0]].block_bytes for size in block_sizes}
    for key, manager in managers.items():
        for _ in range(10):
            group(manager, clock, key, [])
    rows = []
    for _ in range(18):
        for key, manager in managers.items():
            group(manager, clock, key, rows)
    names = np.array([f"{kind} {size} {num} {phase}" for kind, size, num, phase, *_ in rows])
    seconds = np.array([row[5] for row in rows])
    copies = np.array([row[6] for row in rows])
    n, median, spread, copied = {}, {}, {}, {}
    for key in keys:
        for phase in PHASES:
            here = names == "{} {} {} {}".format(*key, phase)
            n[(*key, phase)] = here.sum()
            median[(*key, phase)] = np.median(seconds[here])
            spread[(*key, phase)] = tuple(np.percentile(seconds[here], [25, 75]))
            copied[(*key, phase)] = copies[here].sum()
    conclusions = []
    for size in block_sizes:
        for num in forks:
            lazy = {phase: median["cow", size, num, phase] for phase in PHASES}
            eager = {phase: median["eager", size, num, phase] for phase in PHASES}
            weights = {"fork": num, "first": num, "last": 1}
            ratio = sum(w * eager[p] for p, w in weights.items()) / sum(
                w * lazy[p] for p, w in weights.items()
            )
            share = sum(copied["cow", size, num, p] for p in PHASES) / sum(
                copied["eager", size, num, p] for p in PHASES
            )
            copy_s = even = None
            if copied["cow", size, num, "first"]:
                copy_s = lazy["first"] - lazy["unshared"]
                even = (eager["fork"] - lazy["fork"]) / copy_s
            conclusions.append(Conclusion(size, num, copy_s, share, even, ratio))
    samples = [Sample(*row, row[6] * sizes_in_bytes[row[1]]) for row in rows]
    return CowReport(samples, n, median, spread, conclusions)
