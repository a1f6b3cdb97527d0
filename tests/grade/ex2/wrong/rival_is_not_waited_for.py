# loses: audit
# Reads the clock before the rival's work is done.
waits = take_group


class Hasty:
    """A manager whose sync is only called before a sample."""

    def __init__(self, manager):
        self._manager, self._is_before = manager, True

    def sync(self):
        if self._is_before:
            self._manager.sync()
        self._is_before = not self._is_before

    def __getattr__(self, name):
        return getattr(self._manager, name)


def take_group(manager, clock, kind, block_size, forks):
    one = Hasty(manager) if kind == "eager" else manager
    return waits(one, clock, kind, block_size, forks)
