# loses: eager
# Counts the bytes of one token for the rival's copies.
from dataclasses import replace

right = take_group


def take_group(manager, clock, kind, block_size, forks):
    samples = right(manager, clock, kind, block_size, forks)
    if kind == "cow":
        return samples
    return [replace(one, bytes=one.bytes // block_size) for one in samples]
