# loses: eager, report
# The rival gets every second round only.
ROUNDS = 32


def take_samples(make_manager, clock, forks, block_sizes):
    managers = {(kind, size): make_manager(kind, size) for kind in KINDS for size in block_sizes}
    for manager in managers.values():
        warm_up(manager)
    samples = []
    for number in range(ROUNDS):
        for (kind, size), manager in managers.items():
            if kind == "eager" and number % 2:
                continue
            for num in forks:
                samples += take_group(manager, clock, kind, size, num)
    return samples
