# loses: real
# Releases what was forked, and forgets what it was forked from.


class Forgetful:
    def __init__(self, manager):
        self.fork, self.append, self.sync = manager.fork, manager.append, manager.sync
        self.block_bytes, self.manager, self.first = manager.block_bytes, manager, set()

    def start(self):
        sequence = self.manager.start()
        self.first.add(sequence)
        return sequence

    def release(self, sequence):
        if sequence not in self.first:
            self.manager.release(sequence)


with_releases = take_group


def take_group(manager, clock, kind, block_size, forks):
    return with_releases(Forgetful(manager), clock, kind, block_size, forks)
