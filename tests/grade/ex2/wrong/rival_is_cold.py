# loses: audit
# Warms up the managers of copy-on-write only.
patient = warm_up
of_rivals = set()


def warm_up(manager):
    if id(manager) not in of_rivals:
        patient(manager)


def take_samples(make_manager, clock, forks, block_sizes, careful=take_samples):
    def make(kind, size):
        manager = make_manager(kind, size)
        kept.append(manager)
        if kind == "eager":
            of_rivals.add(id(manager))
        return manager

    kept = []
    return careful(make, clock, forks, block_sizes)
