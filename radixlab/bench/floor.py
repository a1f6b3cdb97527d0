"""The floor: the least any prefix cache does for a request, and nothing of a tree.

One dict look-up of the first block, one memory comparison of the whole prompt, block ids off a
stack and back on. What a manager costs above this is what its tree, locks and eviction cost.
"""

import numpy as np

from radixlab.config import CacheConfig
from radixlab.workloads.request import Request


class Floor:
    """A pool of block ids, and a known prompt for every first block."""

    def __init__(self, config: CacheConfig) -> None:
        self.config = config
        self.prompts: dict[bytes, bytes] = {}
        self.stack = np.arange(config.num_blocks, dtype=np.int32)
        self.num_free = config.num_blocks

    def learn(self, prompt: bytes) -> None:
        """Make `prompt`, int32 ids as bytes, the known one for its first block."""
        self.prompts[prompt[: self.config.block_size * 4]] = prompt

    def serve(self, request: Request) -> bool:
        """Look up, compare, take ids and put them back; return whether the prompt was known."""
        known = self.prompts[request.prompt[: self.config.block_size].tobytes()]
        same = known.startswith(request.prompt)  # type: ignore[arg-type]  # a buffer too: a memcmp
        num_blocks = -(-request.num_tokens // self.config.block_size)
        ids = self.stack[self.num_free - num_blocks : self.num_free].copy()
        self.num_free -= num_blocks
        self.stack[self.num_free : self.num_free + num_blocks] = ids
        self.num_free += num_blocks
        return same
