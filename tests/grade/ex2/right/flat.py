"""One long function, no helper: the first rounds are the warm-up, one reading ends and begins."""

from radixlab.exercise.cow import KINDS, WARM_UP_CALLS, Conclusion, CowReport, Sample


def benchmark(make_manager, clock, forks, block_sizes):
    managers = [(k, s, make_manager(k, s), [0]) for s in block_sizes for k in KINDS]
    samples = []
    kept = 0
    while kept < 17:
        if all(calls[0] >= WARM_UP_CALLS for *_, calls in managers):
            kept += 1
        for number in forks:
            for kind, size, manager, calls in managers:
                steps = [("unshared", 0)] + [("fork", 1)] * number
                steps += [("first", 1 + i) for i in range(number)] + [("last", 1 + number)]
                steps += [("after", 1 + i) for i in range(number + 1)]
                sequences = [manager.start(), manager.start()]
                manager.sync()
                now = clock()
                for phase, place in steps:
                    if phase == "fork":
                        child, copies = manager.fork(sequences[1])
                        sequences.append(child)
                    else:
                        copies = manager.append(sequences[place])
                    manager.sync()
                    later = clock()
                    if kept:
                        moved = len(copies) * manager.block_bytes
                        samples.append(
                            Sample(kind, size, number, phase, now, later - now, len(copies), moved)
                        )
                    now = later
                calls[0] += len(steps) + 2
                for sequence in sequences:
                    manager.release(sequence)
    n, median, spread = {}, {}, {}
    for cell in {sample.cell for sample in samples}:
        seconds = sorted(sample.seconds for sample in samples if sample.cell == cell)
        count = len(seconds)
        n[cell] = count
        median[cell] = (seconds[(count - 1) // 2] + seconds[count // 2]) / 2
        spread[cell] = (seconds[count // 4], seconds[3 * count // 4])
    conclusions = []
    for size in block_sizes:
        for number in forks:
            at = {cell[::3]: s for cell, s in median.items() if cell[1:3] == (size, number)}
            here = [s for s in samples if (s.block_size, s.forks) == (size, number)]
            cow = sum(s.copies for s in here if s.kind == "cow")
            eager = sum(s.copies for s in here if s.kind == "eager")
            lazy_s, eager_s = (
                number * at[kind, "fork"] + number * at[kind, "first"] + at[kind, "last"]
                for kind in KINDS
            )
            copy_s = break_even = None
            if [s for s in here if s.kind == "cow" and s.phase == "first" and s.copies]:
                copy_s = at["cow", "first"] - at["cow", "unshared"]
                break_even = (at["eager", "fork"] - at["cow", "fork"]) / copy_s if copy_s else None
            conclusions.append(
                Conclusion(size, number, copy_s, cow / eager, break_even, eager_s / lazy_s)
            )
    return CowReport(samples, n, median, spread, conclusions)
