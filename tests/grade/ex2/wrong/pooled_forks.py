# loses: report
# Summarises over all numbers of forks: no cell that was asked for has a figure.


def summarise(samples):
    seconds = defaultdict(list)
    for sample in samples:
        seconds[sample.kind, sample.block_size, 0, sample.phase].append(sample.seconds)
    n = {cell: len(values) for cell, values in seconds.items()}
    middle = {cell: median(values) for cell, values in seconds.items()}
    quartiles = {cell: quantiles(values, n=4) for cell, values in seconds.items()}
    return n, middle, {cell: (low, high) for cell, (low, _, high) in quartiles.items()}


careful = conclude


def conclude(samples, middle, block_size, forks):
    seconds = defaultdict(list)
    for sample in samples:
        seconds[sample.cell].append(sample.seconds)
    own = {cell: median(values) for cell, values in seconds.items()}
    return careful(samples, own, block_size, forks)
