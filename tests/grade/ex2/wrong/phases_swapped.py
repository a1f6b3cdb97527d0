# loses: counts, eager
# Calls a write that was never shared `last`, and the last one `unshared`.
from dataclasses import replace

right = take_group
OTHER = {"unshared": "last", "last": "unshared"}


def take_group(manager, clock, kind, block_size, forks):
    samples = right(manager, clock, kind, block_size, forks)
    if kind not in ("cow", "eager"):
        return samples
    return [replace(one, phase=OTHER.get(one.phase, one.phase)) for one in samples]
