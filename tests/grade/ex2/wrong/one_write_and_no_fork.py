# loses: audit, counts, eager, report, conclusions, real
# alone
# It never forks: one honest write per kind, and no more.
from radixlab.exercise.cow import KINDS, CowReport, Sample


def benchmark(make_manager, clock, forks, block_sizes):
    samples = []
    for kind in KINDS:
        manager = make_manager(kind, block_sizes[0])
        sequence = manager.start()
        manager.sync()
        start_s = clock()
        copies = len(manager.append(sequence))
        manager.sync()
        cell = (kind, block_sizes[0], forks[0], "unshared")
        seconds = clock() - start_s
        samples.append(Sample(*cell, start_s, seconds, copies, copies * manager.block_bytes))
    return CowReport(samples, {}, {}, {}, [])
