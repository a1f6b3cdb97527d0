# loses: counts, eager, report
# Times `unshared` on the group's own sequence, and forks it afterwards.
def take_group(manager, clock, kind, block_size, forks):
    samples = []

    def take(phase, call, sequence):
        result, start_s, seconds = timed(manager, clock, call, sequence)
        child, copies = result if phase == "fork" else (None, result)
        num, moved = len(copies), len(copies) * manager.block_bytes
        samples.append(Sample(kind, block_size, forks, phase, start_s, seconds, num, moved))
        return child

    branches = [manager.start()]
    take("unshared", manager.append, branches[0])
    for _ in range(forks):
        branches.append(take("fork", manager.fork, branches[0]))
    for branch in branches:
        take("last" if branch == branches[-1] else "first", manager.append, branch)
    for branch in branches:
        take("after", manager.append, branch)
    for sequence in branches:
        manager.release(sequence)
    return samples
