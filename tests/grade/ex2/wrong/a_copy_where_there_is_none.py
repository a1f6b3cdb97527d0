# loses: conclusions
# Gives a price for copies where none was made.
from dataclasses import replace

right = conclude


def conclude(samples, middle, block_size, forks):
    found = right(samples, middle, block_size, forks)
    return replace(
        found, copy_s=found.copy_s or 0.0, break_even_blocks=found.break_even_blocks or 0.0
    )
