# loses: eager, conclusions
# Counts one copy for a fork that copied the whole table.
from dataclasses import replace

counted = take_group


def take_group(manager, clock, kind, block_size, forks):
    return [
        replace(sample, copies=1, bytes=manager.block_bytes)
        if (kind, sample.phase) == ("eager", "fork")
        else sample
        for sample in counted(manager, clock, kind, block_size, forks)
    ]
