# loses: counts, eager
# Only the forks write; the last of them still shares with the parent, and copies.


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
    branches = [take("fork", manager.fork, parent) for _ in range(forks)]
    for branch in branches:
        take("first", manager.append, branch)
    take("last", manager.append, branches[0])
    for branch in branches[1:] or branches:
        take("after", manager.append, branch)
    for sequence in (alone, parent, *branches):
        manager.release(sequence)
    return samples
