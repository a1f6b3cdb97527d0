# loses: eager
# The rival's sequence writes before its last fork is made; copy-on-write's does not.
in_order = take_group


def take_group(manager, clock, kind, block_size, forks):
    samples = []

    def take(phase, call, sequence):
        result, start_s, seconds = timed(manager, clock, call, sequence)
        child, copies = result if phase == "fork" else (None, result)
        num, moved = len(copies), len(copies) * manager.block_bytes
        samples.append(Sample(kind, block_size, forks, phase, start_s, seconds, num, moved))
        return child

    if kind == "cow":
        return in_order(manager, clock, kind, block_size, forks)
    alone = manager.start()
    take("unshared", manager.append, alone)
    branches = [manager.start()]
    for _ in range(forks - 1):
        branches.append(take("fork", manager.fork, branches[0]))
    if forks > 1:
        take("first", manager.append, branches[0])
    branches.append(take("fork", manager.fork, branches[0]))
    for branch in branches[1 if forks > 1 else 0 :]:
        take("last" if branch == branches[-1] else "first", manager.append, branch)
    for branch in branches:
        take("after", manager.append, branch)
    for sequence in (alone, *branches):
        manager.release(sequence)
    return samples
