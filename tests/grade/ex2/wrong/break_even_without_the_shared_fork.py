# loses: conclusions
# Forgets that a shared fork is not free.
from dataclasses import replace

right = conclude


def conclude(samples, middle, block_size, forks):
    found = right(samples, middle, block_size, forks)
    if found.copy_s is None:
        return found
    eager_s = middle["eager", block_size, forks, "fork"]
    return replace(found, break_even_blocks=eager_s / found.copy_s)
