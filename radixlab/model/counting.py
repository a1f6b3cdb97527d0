"""A stand-in for a model: it answers at once, and checks every read of the cache.

The next token is a hash of all tokens before it, so an answer is right or wrong to the last token,
as a model's is. In place of KV it writes the canary's fingerprints, and reads them through the
block table as attention would: a block that holds anything else raises `CanaryError`. With it the
scheduler is tested, and shown, without torch.
"""

import zlib
from collections.abc import Sequence as Many

import numpy as np

from radixlab.cache.canary import KVCanary
from radixlab.cache.protocols import Transfer
from radixlab.cache.tokens import TokenArray
from radixlab.config import CacheConfig, positive
from radixlab.model.work import Work


class CountingRunner:
    """Runs no model over a pool of fingerprints."""

    max_context_len = None

    def __init__(self, cache: CacheConfig, vocab_size: int = 1000, canary: bool = True) -> None:
        self.vocab_size = positive("vocab_size", vocab_size)
        sizes = cache.num_blocks, cache.block_size, cache.num_host_blocks
        self.canary = KVCanary(*sizes) if canary else None
        """Looks at every token that a step attends; None to measure what all else costs."""
        self.num_steps = self.num_computed_tokens = 0

    def transfer(self, transfers: list[Transfer]) -> None:
        """Copy fingerprints, in order."""
        if self.canary:
            self.canary.run(transfers)

    def forward(self, work: Many[Work]) -> TokenArray:
        """Write these tokens' fingerprints, read all before them, give what follows: `[n]`."""
        self.num_steps += 1
        self.num_computed_tokens += sum(item.end - item.start for item in work)
        if self.canary:
            for item in work:
                self.canary.write(item.sequence, item.start, item.end)
            for item in work:
                self.canary.read(item.sequence, item.end)
        tokens = [self.next_token(item.sequence.token_ids[: item.end]) for item in work]
        return np.array(tokens, np.int32)

    def broken(self, scores: TokenArray) -> list[int]:
        """List the rows that are no token."""
        return np.flatnonzero(scores < 0).tolist()

    def choose(self, scores: TokenArray, samplers: Many[int | None]) -> list[int]:
        """Give the tokens; a sampler is a number to add, so that forks differ."""
        pairs = zip(scores.tolist(), samplers, strict=True)
        return [(token + (sampler or 0)) % self.vocab_size for token, sampler in pairs]

    def next_token(self, token_ids: TokenArray) -> int:
        """Say what follows these tokens, int32 `[n]`, whatever the cache holds."""
        return zlib.crc32(token_ids.tobytes()) % self.vocab_size
