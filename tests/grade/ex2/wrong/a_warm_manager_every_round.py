# loses: audit
# Makes new managers for every round: each is warmed up, and each may be another one.
def take_samples(make_manager, clock, forks, block_sizes):
    samples = []
    for _ in range(ROUNDS):
        for kind in KINDS:
            for size in block_sizes:
                manager = make_manager(kind, size)
                warm_up(manager)
                for num in forks:
                    samples += take_group(manager, clock, kind, size, num)
    return samples
