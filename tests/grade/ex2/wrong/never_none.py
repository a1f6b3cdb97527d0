# loses: conclusions
# Gives a price for copies and a break-even where nothing was copied.
from dataclasses import replace

careful = conclude


def conclude(samples, middle, block_size, forks):
    found = careful(samples, middle, block_size, forks)
    where = block_size, forks
    copy_s = middle["cow", *where, "first"] - middle["cow", *where, "unshared"]
    even = (middle["eager", *where, "fork"] - middle["cow", *where, "fork"]) / copy_s
    return replace(found, copy_s=copy_s, break_even_blocks=even)
