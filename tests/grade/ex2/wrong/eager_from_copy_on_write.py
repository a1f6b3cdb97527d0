# loses: audit, eager, report, conclusions, real
# The rival is worked out from copy-on-write's samples, and listed as if it had been measured.
from dataclasses import replace


def take_samples(make_manager, clock, forks, block_sizes):
    managers = {size: make_manager("cow", size) for size in block_sizes}
    for manager in managers.values():
        warm_up(manager)
    samples = []
    for _ in range(ROUNDS):
        for size, manager in managers.items():
            for num in forks:
                group = take_group(manager, clock, "cow", size, num)
                samples += group
                samples += [
                    replace(s, kind="eager", seconds=9 * s.seconds, copies=9) for s in group
                ]
    return samples
