# loses: report, conclusions
# The mean, called median: a few interruptions drag it along, and it is not what the samples say.
import statistics


def summarise(samples):
    seconds = defaultdict(list)
    for sample in samples:
        seconds[sample.cell].append(sample.seconds)
    n = {cell: len(values) for cell, values in seconds.items()}
    middle = {cell: statistics.mean(values) for cell, values in seconds.items()}
    quartiles = {cell: quantiles(values, n=4) for cell, values in seconds.items()}
    return n, middle, {cell: (low, high) for cell, (low, _, high) in quartiles.items()}
