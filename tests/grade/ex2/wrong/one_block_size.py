# loses: audit
# Measures the first block size only.
careful = benchmark


def benchmark(make_manager, clock, forks, block_sizes):
    return careful(make_manager, clock, forks, block_sizes[:1])
