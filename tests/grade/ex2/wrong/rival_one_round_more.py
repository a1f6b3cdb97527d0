# loses: eager, report
# Gives the rival one round more.
def take_samples(make_manager, clock, forks, block_sizes):
    pairs = [(kind, size) for kind in KINDS for size in block_sizes]
    managers = {(kind, size): make_manager(kind, size) for kind, size in pairs}
    for manager in managers.values():
        warm_up(manager)
    samples = []
    for nth in range(ROUNDS + 1):
        for (kind, size), manager in managers.items():
            for num in forks:
                if nth < ROUNDS or kind == "eager":
                    samples += take_group(manager, clock, kind, size, num)
    return samples
