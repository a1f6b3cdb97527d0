# loses: conclusions
# The share of all copies together, and not of those that eager makes.
from dataclasses import replace

right = conclude


def conclude(samples, middle, block_size, forks):
    found = right(samples, middle, block_size, forks)
    return replace(found, copied_share=found.copied_share / (1 + found.copied_share))
