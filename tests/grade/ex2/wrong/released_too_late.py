# loses: real
# Releases a group when the next one has started: two groups are in the pool at all times.
prompt = take_group


class Hoarder:
    """A manager that releases what it should have released one group earlier."""

    def __init__(self, manager):
        self._manager, self._old, self._new = manager, [], []

    def start(self):
        sequence = self._manager.start()
        for old in self._old:
            self._manager.release(old)
        self._old = []
        return sequence

    def release(self, sequence):
        self._new.append(sequence)

    def ends_a_group(self):
        self._old, self._new = self._old + self._new, []

    def __getattr__(self, name):
        return getattr(self._manager, name)


hoarders = {}


def take_group(manager, clock, *what):
    _, hoarder = hoarders.setdefault(id(manager), (manager, Hoarder(manager)))
    samples = prompt(hoarder, clock, *what)
    hoarder.ends_a_group()
    return samples
