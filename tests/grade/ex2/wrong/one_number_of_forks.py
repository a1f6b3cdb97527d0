# loses: audit
# Measures the first number of forks only.
careful = benchmark


def benchmark(make_manager, clock, forks, block_sizes):
    return careful(make_manager, clock, forks[:1], block_sizes)
