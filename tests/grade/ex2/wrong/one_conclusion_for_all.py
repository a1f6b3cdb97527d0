# loses: conclusions
# Concludes for the first block size and number of forks, and leaves it at that.
careful = benchmark


def benchmark(make_manager, clock, forks, block_sizes):
    report = careful(make_manager, clock, forks, block_sizes)
    del report.conclusions[1:]
    return report
