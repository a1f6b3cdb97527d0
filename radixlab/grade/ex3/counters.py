"""What the counters say about each prefix: how many requests found it, and what that saved."""

from dataclasses import dataclass

import numpy as np

from radixlab.grade.ex3.answers import Ints
from radixlab.grade.ex3.runs import Run


@dataclass(frozen=True, slots=True)
class Spot:
    """A prefix that was found."""

    num_tokens: int
    num_requests: int
    """How many found all of it."""
    first_tokens: Ints

    @property
    def saved_tokens(self) -> int:
        """What did not have to be computed because of it."""
        return self.num_tokens * self.num_requests


def top(one: Run) -> Spot:
    """Return the prefix, in whole blocks, that saved most."""
    size = one.answer.block_size
    counts: dict[tuple[int, bytes], list[int]] = {}  # by node above and block: number, depth, finds
    best = Spot(0, 0, ())
    for tokens in _found(one):
        above = -1
        for start in range(0, len(tokens), size):
            key = above, tokens[start : start + size].tobytes()
            node = counts.setdefault(key, [len(counts), 0])
            above, node[1] = node[0], node[1] + 1
            if (start + size) * node[1] > best.saved_tokens:
                best = Spot(start + size, node[1], tuple(tokens[:4].tolist()))
    return best


def saved_by(one: Run, prefix: Ints) -> int:
    """Return what a prefix saved, down to whole blocks: its tokens times those who found them."""
    num_tokens = len(prefix) - len(prefix) % one.answer.block_size
    wanted = np.array(prefix[:num_tokens], np.int32).tobytes()
    return num_tokens * sum(tokens[:num_tokens].tobytes() == wanted for tokens in _found(one))


def _found(one: Run) -> list[np.ndarray]:
    """Return of each request the tokens that it found in the cache, int32 `[hit tokens]`."""
    requests = one.scene.requests()
    pairs = zip(one.answer.order, one.served.hits, strict=True)
    return [requests[index].prompt[:hit_tokens] for index, hit_tokens in pairs]
