# loses: counts
# Calls forks first writes, and first writes forks, for copy-on-write.
from dataclasses import replace

right = take_group
OTHER = {"fork": "first", "first": "fork"}


def take_group(manager, clock, kind, block_size, forks):
    samples = right(manager, clock, kind, block_size, forks)
    if kind not in ("cow",):
        return samples
    return [replace(one, phase=OTHER.get(one.phase, one.phase)) for one in samples]
