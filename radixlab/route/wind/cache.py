"""A replica's cache as the simulation needs it: which blocks are there, which are in use.

The tree of the engine orders whole paths; here each block stands alone, in one dictionary that is
ordered by last use. Both evict the same blocks: a path is put back tail first, so a block is always
older than those it follows, and the oldest unused block is always a leaf. `tests/route` compares
the two, request by request.

This file does not know time, queues or routers.
"""

from radixlab.route.prompt import Key, Keys


class SimCache:
    """A pool of blocks with LRU.

    >>> cache = SimCache(num_blocks=4)
    >>> cache.admit((1, 2), num_hit=0, num_needed=3), cache.commit((1, 2), 0)
    ([], None)
    >>> cache.finish((1, 2), num_private=1)
    >>> cache.num_cached((1, 2, 3)), cache.num_free
    (2, 2)
    """

    def __init__(self, num_blocks: int) -> None:
        self.num_blocks = num_blocks
        self.num_free = num_blocks
        self.idle: dict[Key, None] = {}
        """Cached blocks that nobody uses, the least recently used first."""
        self.users: dict[Key, int] = {}
        """Cached blocks in use: how many requests use each."""

    def num_cached(self, keys: Keys) -> int:
        """Count the leading blocks that are cached."""
        idle, users = self.idle, self.users
        for index, key in enumerate(keys):
            if key not in users and key not in idle:
                return index
        return len(keys)

    def admit(self, keys: Keys, num_hit: int, num_needed: int) -> list[Key] | None:
        """Use the first `num_hit` cached blocks, take `num_needed` more; return those evicted.

        Returns None, and changes nothing, if there is not enough room now.
        """
        idle, users = self.idle, self.users
        num_idle_hits = sum(1 for key in keys[:num_hit] if key in idle)
        num_evicted = max(0, num_needed - self.num_free)
        if num_evicted > len(idle) - num_idle_hits:
            return None
        for key in keys[:num_hit]:
            if key in idle:
                del idle[key]
                users[key] = 1
            else:
                users[key] += 1
        evicted = [key for key, _ in zip(idle, range(num_evicted), strict=False)]
        for key in evicted:
            del idle[key]
        self.num_free += num_evicted - num_needed
        return evicted

    def commit(self, keys: Keys, start: int) -> None:
        """Let others find blocks from `start` on, which this request has computed.

        Where another request was faster, its block is shared and this request's copy is free.
        """
        idle, users = self.idle, self.users
        for key in keys[start:]:
            if key in users:
                users[key] += 1
                self.num_free += 1
            elif key in idle:
                del idle[key]
                users[key] = 1
                self.num_free += 1
            else:
                users[key] = 1

    def finish(self, keys: Keys, num_private: int) -> None:
        """Leave a request's committed blocks cached, and free those that nobody can find."""
        idle, users = self.idle, self.users
        for key in reversed(keys):
            others = users[key] - 1
            if others:
                users[key] = others
            else:
                del users[key]
                idle[key] = None
        self.num_free += num_private
