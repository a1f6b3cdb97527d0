"""A piece of work for a forward pass. This file knows sequences; no tensor, model or queue."""

from dataclasses import dataclass

from radixlab.cache.sequence import Sequence


@dataclass(frozen=True, slots=True)
class Work:
    """Tokens `[start, end)` of a sequence, to be computed in this step.

    All before `start` is in the pool; blocks for `[start, end)` are in the sequence's table.
    """

    sequence: Sequence
    start: int
    end: int

    @property
    def is_decode(self) -> bool:
        """Whether this is the one last token of a sequence that has a context."""
        return 0 < self.start == self.end - 1 == self.sequence.num_tokens - 1
