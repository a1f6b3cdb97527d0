# loses: conclusions
# Leaves outliers out when it concludes.
from statistics import median

from_all = conclude


def conclude(samples, middle, block_size, forks):
    kept = [one for one in samples if one.seconds < 1.02 * middle[one.cell]]
    cells = {cell: [one.seconds for one in kept if one.cell == cell] for cell in middle}
    return from_all(kept, {c: median(s) for c, s in cells.items()}, block_size, forks)
