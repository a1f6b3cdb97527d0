# loses: counts, conclusions
# Works the copies out by a rule, which is wrong where the prompt ends with a block.
from dataclasses import replace

counted = take_group


def take_group(manager, clock, kind, block_size, forks):
    return [
        replace(sample, copies=int(copied), bytes=copied * manager.block_bytes)
        if kind == "cow"
        else sample
        for sample in counted(manager, clock, kind, block_size, forks)
        for copied in [sample.phase == "first"]
    ]
