"""What running prompts are about to store: why N equal prompts are computed once.

Blocks become matchable when their KV is written, a step after their request was admitted. If equal
prompts come together, none finds anything, and each computes all of it. So whoever would find more
of its prompt in a moment waits for it. To see that, the prompts being computed go into a second
radix tree, thrown away after the step (as SGLang does with its waiting queue).
"""

from collections.abc import Iterable

import numpy as np

from radixlab.cache.tree import RadixTree
from radixlab.sched.request import Request


class Computing:
    """Whatever will have a new whole block after this step or the next ones, as a tree."""

    def __init__(self, block_size: int, running: Iterable[Request]) -> None:
        self._tree = RadixTree(block_size)
        for request in running:
            if request.num_computed // block_size < request.tokens.num_tokens // block_size:
                self.add(request)

    def add(self, request: Request) -> None:
        """Count a prompt in; the blocks of this tree stand for nothing."""
        num_blocks = request.tokens.num_tokens // self._tree.block_size
        self._tree.insert(request.tokens, np.zeros(num_blocks, np.int32), request.namespace)

    def has_more(self, request: Request, num_cached_blocks: int) -> bool:
        """Whether a waiting request will find more than it does now, if it waits."""
        most = (request.tokens.num_tokens - 1) // self._tree.block_size
        found = self._tree.find(request.tokens, most, request.namespace)
        return found.num_blocks > num_cached_blocks
