# loses: report
# Takes all `unshared` writes before the first round.
def unshared(manager, clock, kind, block_size, forks):
    sequence = manager.start()
    copies, start_s, seconds = timed(manager, clock, manager.append, sequence)
    manager.release(sequence)
    num, moved = len(copies), len(copies) * manager.block_bytes
    return Sample(kind, block_size, forks, "unshared", start_s, seconds, num, moved)


def take_group(manager, clock, kind, block_size, forks):
    samples = []

    def take(phase, call, sequence):
        result, start_s, seconds = timed(manager, clock, call, sequence)
        child, copies = result if phase == "fork" else (None, result)
        num, moved = len(copies), len(copies) * manager.block_bytes
        samples.append(Sample(kind, block_size, forks, phase, start_s, seconds, num, moved))
        return child

    branches = [manager.start()]
    for _ in range(forks):
        branches.append(take("fork", manager.fork, branches[0]))
    for branch in branches:
        take("last" if branch == branches[-1] else "first", manager.append, branch)
    for branch in branches:
        take("after", manager.append, branch)
    for sequence in branches:
        manager.release(sequence)
    return samples


def take_samples(make_manager, clock, forks, block_sizes):
    pairs = [(kind, size) for kind in KINDS for size in block_sizes]
    managers = {(kind, size): make_manager(kind, size) for kind, size in pairs}
    for manager in managers.values():
        warm_up(manager)
    turns = [(m, kind, size, num) for (kind, size), m in managers.items() for num in forks]
    samples = [unshared(m, clock, *what) for m, *what in turns for _ in range(ROUNDS)]
    for _ in range(ROUNDS):
        for m, *what in turns:
            samples += take_group(m, clock, *what)
    return samples
