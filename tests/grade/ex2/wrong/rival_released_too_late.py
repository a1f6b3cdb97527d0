# loses: real
# Releases the sequence beside the rival's group a group later.
prompt = take_group
late = {}


class Slow:
    """A manager that keeps the first sequence of a group for one more group."""

    def __init__(self, manager):
        self._manager, self._first = manager, None

    def start(self):
        sequence = self._manager.start()
        self._first = sequence if self._first is None else self._first
        return sequence

    def release(self, sequence):
        if sequence != self._first:
            self._manager.release(sequence)

    def __getattr__(self, name):
        return getattr(self._manager, name)


def take_group(manager, clock, kind, block_size, forks):
    if kind == "cow":
        return prompt(manager, clock, kind, block_size, forks)
    slow = Slow(manager)
    samples = prompt(slow, clock, kind, block_size, forks)
    _, old = late.pop(id(manager), (manager, None))
    if old is not None:
        manager.release(old)
    late[id(manager)] = manager, slow._first
    return samples
