"""A stand-in for a model: it answers at once, and checks every read of the cache.

The next token is a hash of all tokens before it, so every token of an answer depends on its whole
context, as in a model. The stand-in writes the canary's fingerprints instead of KV, and reads them
through the block table as attention would: a block that holds anything else raises `CanaryError`.
Tests and lessons use it to run the scheduler without torch.

Non-finite KV is marked by a special position, `NOT_FINITE`. A request that reads such a slot gets
non-finite logits, and the KV computed from it is non-finite too, as in a model.
"""

import zlib
from collections.abc import Sequence as Many

import numpy as np

from radixlab.cache.proof.canary import KVCanary
from radixlab.cache.results import Transfer
from radixlab.cache.tokens import TokenArray
from radixlab.cache.work import Work
from radixlab.config import CacheConfig, positive

NOT_FINITE = -2
"""A slot with this position stands for a K or V that is NaN or infinite."""


class CountingRunner:
    """Runs no model over a pool of fingerprints."""

    max_context_len: int | None = None

    def __init__(self, cache: CacheConfig, vocab_size: int = 1000, canary: bool = True) -> None:
        self.vocab_size = positive("vocab_size", vocab_size)
        sizes = cache.num_blocks, cache.block_size, cache.num_host_blocks
        self.canary = KVCanary(*sizes) if canary else None
        """Checks every token that a step attends; None to measure the cost of everything else."""
        self.num_steps = self.num_computed_tokens = 0

    def transfer(self, transfers: Many[Transfer]) -> None:
        """Copy fingerprints, in order."""
        if self.canary:
            self.canary.run(transfers)

    def forward(self, work: Many[Work]) -> TokenArray:
        """Write these tokens' fingerprints, read all before them, return the next tokens, `[n]`."""
        self.num_steps += 1
        self.num_computed_tokens += sum(item.end - item.start for item in work)
        if self.canary:
            for item in work:
                self.canary.write(item.sequence, item.start, item.end)
        sound = [self._read(item) for item in work]
        tokens = [self.next_token(item.sequence.token_ids[: item.end]) for item in work]
        return np.where(sound, tokens, -1).astype(np.int32)

    def _read(self, item: Work) -> bool:
        """Read everything that this piece attends to; return whether all of it is finite."""
        if self.canary is None:
            return True
        slots = item.sequence.slots(0, item.end, self.canary.block_size)
        marks = self.canary.store.read(slots)
        if (marks["position"] != NOT_FINITE).all():
            self.canary.read(item.sequence, item.end)
            return True
        marks["position"][item.start :] = NOT_FINITE
        self.canary.store.write(slots, marks)
        return False

    def takes(self, sampler: object) -> bool:
        """Whether this is a sampler: a number to add to each token, or None."""
        return sampler is None or isinstance(sampler, int)

    def rewind(self, sampler: int | None, num_tokens: int) -> None:
        """Do nothing: tokens are not drawn at random."""

    def broken_blocks(self, block_ids: Many[int]) -> list[int]:
        """Return those of these device blocks that have a non-finite slot."""
        if self.canary is None:
            return []
        positions = self.canary.store.data["position"]
        return [block for block in block_ids if (positions[block] == NOT_FINITE).any()]

    def broken(self, logits: TokenArray) -> list[int]:
        """List the rows with non-finite logits, which are marked by a negative number."""
        return np.flatnonzero(logits < 0).tolist()

    def choose(self, logits: TokenArray, samplers: Many[int | None]) -> list[int]:
        """Return the tokens; a sampler is a number to add, so that forks differ."""
        pairs = zip(logits.tolist(), samplers, strict=True)
        return [(token + (sampler or 0)) % self.vocab_size for token, sampler in pairs]

    def next_token(self, token_ids: TokenArray) -> int:
        """Return the token that follows int32 `[n]` tokens; the cache plays no part in it."""
        return zlib.crc32(token_ids.tobytes()) % self.vocab_size
