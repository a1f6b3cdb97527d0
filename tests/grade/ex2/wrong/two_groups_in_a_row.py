# loses: report
# Takes two groups of a combination before it goes on to the next one.
def take_samples(make_manager, clock, forks, block_sizes):
    pairs = [(kind, size) for kind in KINDS for size in block_sizes]
    managers = {(kind, size): make_manager(kind, size) for kind, size in pairs}
    for manager in managers.values():
        warm_up(manager)
    samples = []
    for _ in range(ROUNDS // 2):
        for (kind, size), manager in managers.items():
            for num in forks:
                samples += take_group(manager, clock, kind, size, num)
                samples += take_group(manager, clock, kind, size, num)
    return samples
