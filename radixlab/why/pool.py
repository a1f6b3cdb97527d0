"""What a pool of a given number of blocks would have kept: the engine's own cache, with LRU.

Every prompt is admitted, committed and released in the order of the log, one at a time, as
`radixlab replay` does it. A log of requests has no answers, so a real pool of this size
keeps fewer prompts.
"""

from radixlab.cache import KVCacheManager, Tokens
from radixlab.config import CacheConfig
from radixlab.why.digests import TokenArray


class Pool:
    """A cache of `num_blocks` blocks that serves one prompt after another."""

    def __init__(self, num_blocks: int, block_size: int) -> None:
        self._manager = KVCacheManager(CacheConfig(num_blocks=num_blocks, block_size=block_size))
        self._num_tokens = num_blocks * block_size

    def serve(self, scope: object, tokens: TokenArray) -> int:
        """Send one prompt through the cache, and return its hit tokens.

        A prompt that the whole pool cannot hold finds nothing and leaves nothing.
        """
        if len(tokens) > self._num_tokens:
            return 0
        sequence = self._manager.allocate(Tokens(tokens), ("scope", repr(scope)))
        if sequence.copies:
            self._manager.complete(sequence.copies)
        self._manager.commit(sequence, len(tokens))
        self._manager.release(sequence)
        return int(sequence.hit_tokens)

    def num_kept(self, scope: object, tokens: TokenArray) -> int:
        """Return how many tokens of an earlier prompt are in the pool now."""
        found = self._manager.tree.peek(Tokens(tokens), ("scope", repr(scope)))
        return len(found) * self._manager.config.block_size
