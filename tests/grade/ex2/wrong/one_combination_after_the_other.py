# loses: report
# Finishes one combination before the next begins.


def take_samples(make_manager, clock, forks, block_sizes):
    samples = []
    for kind in KINDS:
        for size in block_sizes:
            manager = make_manager(kind, size)
            warm_up(manager)
            for num in forks:
                for _ in range(ROUNDS):
                    samples += take_group(manager, clock, kind, size, num)
    return samples
