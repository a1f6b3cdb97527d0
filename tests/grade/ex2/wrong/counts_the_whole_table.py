# loses: counts, conclusions
# Counts every shared block as copied by the first write; only the one that is written is.
from dataclasses import replace

counted = take_group


def take_group(manager, clock, kind, block_size, forks):
    blocks = 516 // block_size + 1
    moved = blocks * manager.block_bytes
    return [
        replace(sample, copies=blocks, bytes=moved)
        if kind == "cow" and sample.phase == "first"
        else sample
        for sample in counted(manager, clock, kind, block_size, forks)
    ]
