# loses: audit
# A new manager for every group, and none is warm.


def take_samples(make_manager, clock, forks, block_sizes):
    samples = []
    for _ in range(ROUNDS):
        for size in block_sizes:
            for kind in KINDS:
                for num in forks:
                    samples += take_group(make_manager(kind, size), clock, kind, size, num)
    return samples
