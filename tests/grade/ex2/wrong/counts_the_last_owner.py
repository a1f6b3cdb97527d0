# loses: counts, conclusions
# Lets the last branch copy as well, though nobody shares with it any more.
from dataclasses import replace

counted = take_group


def take_group(manager, clock, kind, block_size, forks):
    return [
        replace(sample, copies=1, bytes=manager.block_bytes)
        if kind == "cow" and sample.phase == "last"
        else sample
        for sample in counted(manager, clock, kind, block_size, forks)
    ]
