# loses: audit
# Does not wait for older work of the rival before a sample.
waits = take_group


class Late:
    """A manager whose sync is only called after the work of a sample."""

    def __init__(self, manager):
        self._manager, self._is_before = manager, True

    def sync(self):
        if not self._is_before:
            self._manager.sync()
        self._is_before = not self._is_before

    def __getattr__(self, name):
        return getattr(self._manager, name)


def take_group(manager, clock, kind, block_size, forks):
    one = Late(manager) if kind == "eager" else manager
    return waits(one, clock, kind, block_size, forks)
