"""Which counts of cached tokens are possible: whole steps above a minimum."""

from dataclasses import dataclass

Span = tuple[int, int]
"""The least and the most that a number of tokens can be; both are the same if it is known."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The step in which a server caches, and its shortest cached prefix.

    >>> Grid(16, 16).whole(47), Grid(128, 1024).whole(1023), Grid(128, 1024).whole(1300)
    (32, 0, 1280)
    """

    step: int
    minimum: int
    source: str = "given"
    """Where the step is known from."""

    def whole(self, num_tokens: int) -> int:
        """Return the longest cacheable prefix of this many tokens."""
        found = num_tokens // self.step * self.step
        return found if found >= self.minimum else 0

    def possible(self, shared: Span, length: Span) -> set[int]:
        """Return what may be cached of a prompt: whole steps of what is shared, and not all of it.

        >>> sorted(Grid(16, 16).possible((32, 32), (32, 32)))
        [16]
        """
        least = min(shared[0], length[0] - 1)
        most = min(shared[1], length[1] - 1)
        return {self.whole(max(0, number)) for number in range(least, most + 1)}

    @property
    def unit(self) -> int:
        """Whole steps that are at least 16 tokens: what checks build prompts of."""
        return -(-16 // self.step) * self.step

    @property
    def base(self) -> int:
        """Tokens that a prefix needs before its steps count."""
        return 0 if self.minimum <= self.unit else self.minimum
