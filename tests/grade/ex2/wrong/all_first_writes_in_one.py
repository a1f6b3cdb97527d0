# loses: audit, counts, eager
# One sample for the first writes of all branches together.


def take_group(manager, clock, kind, block_size, forks):
    samples = []

    def take(phase, call, sequence):
        result, start_s, seconds = timed(manager, clock, call, sequence)
        child, copies = result if phase == "fork" else (None, result)
        moved = len(copies) * manager.block_bytes
        samples.append(Sample(kind, block_size, forks, phase, start_s, seconds, len(copies), moved))
        return child

    def write_all(sequences):
        return [copy for sequence in sequences for copy in manager.append(sequence)]

    alone, branches = manager.start(), [manager.start()]
    take("unshared", manager.append, alone)
    for _ in range(forks):
        branches.append(take("fork", manager.fork, branches[0]))
    *first, last = branches
    take("first", write_all, [*first, first[0]])
    take("last", manager.append, last)
    take("after", manager.append, last)
    for sequence in (alone, *branches):
        manager.release(sequence)
    return samples
