# loses: counts
# Counts the bytes of the token that is written, and not of the block that is copied.
from dataclasses import replace

counted = take_group


def take_group(manager, clock, kind, block_size, forks):
    return [
        replace(sample, bytes=sample.bytes // block_size) if kind == "cow" else sample
        for sample in counted(manager, clock, kind, block_size, forks)
    ]
