# loses: audit, counts, eager
# Takes the fork for the moment of copying: "first" is a fork, and the first write goes untimed.


def take_group(manager, clock, kind, block_size, forks):
    samples = []

    def take(phase, call, sequence, forks_here=False):
        result, start_s, seconds = timed(manager, clock, call, sequence)
        child, copies = result if forks_here else (None, result)
        moved = len(copies) * manager.block_bytes
        samples.append(Sample(kind, block_size, forks, phase, start_s, seconds, len(copies), moved))
        return child

    alone, parent = manager.start(), manager.start()
    take("unshared", manager.append, alone)
    branches = [take("fork", manager.fork, parent, True) for _ in range(forks)]
    for _ in range(forks):
        branches.append(take("first", manager.fork, parent, True))
    for branch in branches:
        manager.append(branch)
    take("last", manager.append, parent)
    for branch in branches:
        take("after", manager.append, branch)
    for sequence in (alone, parent, *branches):
        manager.release(sequence)
    return samples
