# loses: conclusions
# Reports medians, and concludes from means.
from statistics import mean

from_medians = conclude


def conclude(samples, middle, block_size, forks):
    cells = {cell: [one.seconds for one in samples if one.cell == cell] for cell in middle}
    means = {cell: mean(seconds) for cell, seconds in cells.items()}
    return from_medians(samples, means, block_size, forks)
