# loses: audit
# Measures twice as many forks as well.
careful = benchmark


def benchmark(make_manager, clock, forks, block_sizes):
    return careful(make_manager, clock, (*forks, 2 * max(forks)), block_sizes)
