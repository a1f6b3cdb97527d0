# loses: conclusions
# Takes the whole first write for the copy.
from dataclasses import replace

right = conclude


def conclude(samples, middle, block_size, forks):
    found = right(samples, middle, block_size, forks)
    return replace(found, copy_s=middle["cow", block_size, forks, "first"])
