# loses: conclusions
# The ratio of cow to eager, and not of eager to cow.
from dataclasses import replace

right = conclude


def conclude(samples, middle, block_size, forks):
    found = right(samples, middle, block_size, forks)
    return replace(found, eager_over_cow=1 / found.eager_over_cow)
