# loses: eager
# Calls the rival's forks first writes, and its first writes forks.
from dataclasses import replace

right = take_group
OTHER = {"fork": "first", "first": "fork"}


def take_group(manager, clock, kind, block_size, forks):
    samples = right(manager, clock, kind, block_size, forks)
    if kind not in ("eager",):
        return samples
    return [replace(one, phase=OTHER.get(one.phase, one.phase)) for one in samples]
