# loses: real
# Keeps every branch for ever; a pool of paper has no end, and a real one has.


class Keeper:
    def __init__(self, manager):
        self.start, self.fork, self.append = manager.start, manager.fork, manager.append
        self.sync, self.block_bytes = manager.sync, manager.block_bytes

    def release(self, sequence):
        pass


with_releases = take_group


def take_group(manager, clock, kind, block_size, forks):
    return with_releases(Keeper(manager), clock, kind, block_size, forks)
