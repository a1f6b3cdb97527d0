# loses: audit, counts, eager
# The clock starts before the fork and stops after the write that follows it.


def take_group(manager, clock, kind, block_size, forks):
    samples = []

    def take(phase, call, sequence, forks_here=False):
        result, start_s, seconds = timed(manager, clock, call, sequence)
        child, copies = result if forks_here else (None, result)
        moved = len(copies) * manager.block_bytes
        samples.append(Sample(kind, block_size, forks, phase, start_s, seconds, len(copies), moved))
        return child

    def fork_and_write(sequence):
        child, copies = manager.fork(sequence)
        return child, copies + manager.append(child)

    alone, parent = manager.start(), manager.start()
    take("unshared", manager.append, alone)
    branches = [take("fork", manager.fork, parent, True)]
    branches += [take("first", fork_and_write, parent, True) for _ in range(forks)]
    manager.append(branches[0])
    take("last", manager.append, parent)
    for branch in branches:
        take("after", manager.append, branch)
    for sequence in (alone, parent, *branches):
        manager.release(sequence)
    return samples
