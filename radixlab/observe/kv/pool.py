"""Numbers for the blocks of another engine, which publishes hashes and not where a block lies.

They are small, and a freed one is used again, so that a picture of the pool stays dense.
"""


class Pool:
    """Hands out the numbers below `size`."""

    def __init__(self, size: int) -> None:
        self.size = self.limit = size
        """`limit` is lower than the size if blocks are very large."""
        self.num_used = 0
        self._free: list[int] = []
        self._next = 0

    def take(self) -> int | None:
        """Return a free number; None if there is none."""
        if self.num_used >= self.limit:
            return None
        self.num_used += 1
        if self._free:
            return self._free.pop()
        self._next += 1
        return self._next - 1

    def give(self, number: int) -> None:
        """Take a number back."""
        self.num_used -= 1
        if self.num_used == 0:
            self._free, self._next = [], 0
        else:
            self._free.append(number)
