"""Recursion instead of loops: over rounds, branches and forks; tuples instead of lists."""

from statistics import median, quantiles

from radixlab.exercise.cow import PHASES, Conclusion, CowReport, Sample


def timed(manager, clock, what, call, sequence):
    manager.sync()
    start_s = clock()
    answer = call(sequence)
    manager.sync()
    end_s = clock()
    copies = answer[1] if what[3] == "fork" else answer
    num = len(copies)
    return answer, Sample(*what, start_s, end_s - start_s, num, num * manager.block_bytes)


def forked(manager, clock, what, branches, left):
    if not left:
        return branches, ()
    (child, _), sample = timed(manager, clock, (*what, "fork"), manager.fork, branches[-1])
    all_branches, samples = forked(manager, clock, what, (*branches, child), left - 1)
    return all_branches, (sample, *samples)


def written(manager, clock, what, branches, phase):
    if not branches:
        return ()
    one, *rest = branches
    name = phase or ("first" if rest else "last")
    _, sample = timed(manager, clock, (*what, name), manager.append, one)
    return (sample, *written(manager, clock, what, rest, phase))


def released(manager, sequences):
    if sequences:
        manager.release(sequences[0])
        released(manager, sequences[1:])


def group(manager, clock, what):
    branches, forks = forked(manager, clock, what, (manager.start(),), what[2])
    writes = written(manager, clock, what, branches, None)
    again = written(manager, clock, what, branches[::-1], "after")
    released(manager, branches)
    alone = manager.start()
    _, one = timed(manager, clock, (*what, "unshared"), manager.append, alone)
    manager.release(alone)
    return (*forks, *writes, *again, one)


def rounds(clock, turns, left):
    if not left:
        return ()
    here = tuple(one for what, manager in turns for one in group(manager, clock, what))
    return here + rounds(clock, turns, left - 1)


def warm(manager, left):
    if left:
        manager.release(manager.start())
        return warm(manager, left - 1)
    return manager


def benchmark(make_manager, clock, forks, block_sizes):
    turns = [
        ((kind, size, num), warm(make_manager(kind, size), 31))
        for kind in ("eager", "cow")
        for size in block_sizes
        for num in forks
    ]
    samples = rounds(clock, turns, 15)
    cells = {
        cell: [s.seconds for s in samples if s.cell == cell]
        for cell in {one.cell for one in samples}
    }
    middle = {cell: median(seconds) for cell, seconds in cells.items()}
    return CowReport(
        list(samples),
        {cell: len(seconds) for cell, seconds in cells.items()},
        middle,
        {cell: tuple(quantiles(seconds, n=4))[::2] for cell, seconds in cells.items()},
        [conclude(samples, middle, size, num) for size in block_sizes for num in forks],
    )


def conclude(samples, middle, *where):
    cow, eager = ({p: middle[kind, *where, p] for p in PHASES} for kind in ("cow", "eager"))
    copied = {
        kind: sum(s.copies for s in samples if s.cell[:3] == (kind, *where))
        for kind in ("cow", "eager")
    }
    total = [where[1] * (one["fork"] + one["first"]) + one["last"] for one in (eager, cow)]
    did_copy = any(s.copies for s in samples if s.cell == ("cow", *where, "first"))
    copy_s = cow["first"] - cow["unshared"] if did_copy else None
    even = (eager["fork"] - cow["fork"]) / copy_s if copy_s else None
    share = copied["cow"] / copied["eager"]
    return Conclusion(*where, copy_s, share, even, total[0] / total[1])
