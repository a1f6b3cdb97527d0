"""A piece of work for a forward pass. This file knows sequences, but no tensors or models."""

from dataclasses import dataclass

from radixlab.cache.sequence import Sequence


@dataclass(frozen=True, slots=True)
class Work:
    """Tokens `[start, end)` of a sequence, to be computed in this step.

    The KV of all tokens before `start` is in the pool. The sequence's table has blocks for
    `[start, end)`.
    """

    sequence: Sequence
    start: int
    end: int

    @property
    def is_decode(self) -> bool:
        """Whether this is only the last token of a sequence, after at least one other token."""
        return 0 < self.start == self.end - 1 == self.sequence.num_tokens - 1
