# loses: counts, eager
# Forks and writes in turn, so that no more than two branches ever share the block.


def take_group(manager, clock, kind, block_size, forks):
    samples = []

    def take(phase, call, sequence):
        result, start_s, seconds = timed(manager, clock, call, sequence)
        child, copies = result if phase == "fork" else (None, result)
        moved = len(copies) * manager.block_bytes
        samples.append(Sample(kind, block_size, forks, phase, start_s, seconds, len(copies), moved))
        return child

    alone, parent = manager.start(), manager.start()
    take("unshared", manager.append, alone)
    branches = []
    for _ in range(forks):
        branches.append(take("fork", manager.fork, parent))
        take("first", manager.append, branches[-1])
    take("last", manager.append, parent)
    for branch in branches:
        take("after", manager.append, branch)
    for sequence in (alone, parent, *branches):
        manager.release(sequence)
    return samples
