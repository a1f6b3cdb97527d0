"""What running prompts are about to store: why N equal prompts are computed once.

A block can be matched once its KV is written, a step after its request was admitted. If equal
prompts arrive together, none of them finds anything, and each computes the whole prompt. Therefore
a request waits if running prompts are about to store more of its prompt. To detect this, the
prompts that are being computed are inserted into a second radix tree, which lives for one step.
SGLang does the same with its waiting queue.
"""

from collections.abc import Iterable

import numpy as np

from radixlab.cache.tree import RadixTree
from radixlab.sched.request import Request


class Computing:
    """The prompts that will fill another whole block in this step or a later one, as a tree."""

    def __init__(self, block_size: int, running: Iterable[Request]) -> None:
        self._tree = RadixTree(block_size)
        for request in running:
            if request.num_computed // block_size < request.tokens.num_tokens // block_size:
                self.add(request)

    def add(self, request: Request) -> None:
        """Add a prompt; the block ids of this tree have no meaning."""
        num_blocks = request.tokens.num_tokens // self._tree.block_size
        self._tree.insert(request.tokens, np.zeros(num_blocks, np.int32), request.namespace)

    def has_more(self, request: Request, num_cached_blocks: int) -> bool:
        """Whether a waiting request will find more than it does now, if it waits (S2)."""
        most = (request.tokens.num_tokens - 1) // self._tree.block_size
        found = self._tree.find(request.tokens, most, request.namespace)
        return found.num_blocks > num_cached_blocks
