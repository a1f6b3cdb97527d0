# loses: audit, counts, eager
# Labels every sample with the number of branches, which is one more than the forks.
from dataclasses import replace

right = take_group


def take_group(*asked):
    return [replace(sample, forks=sample.forks + 1) for sample in right(*asked)]


def benchmark(make_manager, clock, forks, block_sizes):
    samples = take_samples(make_manager, clock, forks, block_sizes)
    n, middle, spread = summarise(samples)
    swept = [(size, num + 1) for size in block_sizes for num in forks]
    conclusions = [conclude(samples, middle, size, num) for size, num in swept]
    return CowReport(samples, n, middle, spread, conclusions)
