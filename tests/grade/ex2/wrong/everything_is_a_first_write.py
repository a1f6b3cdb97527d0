# loses: audit, counts, eager, report, conclusions, real
# Knows no last writer: the write that finds nobody to share with is called `first` as well.
from dataclasses import replace

right = take_group
OTHER = {"last": "first"}


def take_group(manager, clock, kind, block_size, forks):
    samples = right(manager, clock, kind, block_size, forks)
    if kind not in ("cow", "eager"):
        return samples
    return [replace(one, phase=OTHER.get(one.phase, one.phase)) for one in samples]
