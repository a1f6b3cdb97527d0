"""What the counters say about each prefix: how many requests found it, and what that saved.

They are those of a cache with room for everything, which is asked in order of arrival: what could
be saved is a fact about the traffic, and no plan's luck.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from radixlab.grade.ex3.answers import Ints
from radixlab.grade.ex3.known import everything_in_order
from radixlab.grade.ex3.scenes import Scene
from radixlab.grade.ex3.serving import serve


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


def top(where: Scene, block_size: int) -> Spot:
    """Return the prefix, in whole blocks, that saves most."""
    counts: dict[tuple[int, bytes], list[int]] = {}  # by node above and block: number, finds
    best = Spot(0, 0, ())
    for tokens in _found(where, block_size):
        above = -1
        for end in range(block_size, len(tokens) + 1, block_size):
            block = tokens[end - block_size : end].tobytes()
            node = counts.setdefault((above, block), [len(counts), 0])
            above, node[1] = node[0], node[1] + 1
            if end * node[1] > best.saved_tokens:
                best = Spot(end, node[1], tuple(tokens[:4].tolist()))
    return best


def saved_by(where: Scene, block_size: int, prefix: Ints) -> int:
    """Return what a prefix saves, down to whole blocks: its tokens times those who find them."""
    num_tokens = len(prefix) - len(prefix) % block_size
    wanted = np.array(prefix[:num_tokens], np.int32).tobytes()
    found = _found(where, block_size)
    return num_tokens * sum(tokens[:num_tokens].tobytes() == wanted for tokens in found)


@lru_cache(maxsize=16)
def _found(where: Scene, block_size: int) -> list[npt.NDArray[np.int32]]:
    """Return of each request the tokens that it finds, int32 `[hit tokens]`."""
    requests, workload = where.requests(), where.workload()
    total = sum(request.num_tokens for request in requests)
    roomy = replace(workload, pool_tokens=2 * total + workload.pool_tokens)
    served = serve(everything_in_order(len(requests), block_size), requests, roomy)
    pairs = zip(requests, served.hits, strict=True)
    return [request.prompt[:hit_tokens] for request, hit_tokens in pairs]
