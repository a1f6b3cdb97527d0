# loses: report
# A standard deviation where two quartiles are asked for.
from statistics import stdev

careful = summarise


def summarise(samples):
    n, middle, spread = careful(samples)
    for cell in spread:
        spread[cell] = stdev(sample.seconds for sample in samples if sample.cell == cell)
    return n, middle, spread
