# loses: audit, eager
# The rival's sequences have grown before they are forked.


class Grown:
    def __init__(self, manager):
        self.fork, self.append, self.sync = manager.fork, manager.append, manager.sync
        self.release, self.block_bytes, self.manager = manager.release, manager.block_bytes, manager

    def start(self):
        sequence = self.manager.start()
        self.append(sequence)
        return sequence


def take_samples(make_manager, clock, forks, block_sizes):
    managers = {(kind, size): make_manager(kind, size) for kind in KINDS for size in block_sizes}
    for manager in managers.values():
        warm_up(manager)
    samples = []
    for _ in range(ROUNDS):
        for (kind, size), manager in managers.items():
            for num in forks:
                fair = manager if kind == "cow" else Grown(manager)
                samples += take_group(fair, clock, kind, size, num)
    return samples
