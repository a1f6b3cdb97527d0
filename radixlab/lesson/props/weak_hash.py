"""The other design, built to fail: a flat map from hashes to blocks, with a hash of a few bits.

vLLM finds cached blocks this way and trusts the hash, which is wide enough to make a collision
unlikely. Here the width is a parameter, so that lesson 02 can watch what a collision does.
"""

import zlib
from collections.abc import Iterable

import numpy as np

from radixlab.cache import CacheConfig, CanaryError, KVCanary, Sequence, Tokens
from radixlab.cache.allocator import BlockAllocator


class FlatHashCache:
    """Prefix caching by a chain of hashes: block i is found by `hash(hash of block i-1, tokens)`.

    It trusts the hash: tokens are never compared. Blocks are never freed, as a lesson is short.
    """

    def __init__(self, config: CacheConfig, hash_bits: int) -> None:
        self.block_size = config.block_size
        self.mask = (1 << hash_bits) - 1
        self.block_of_hash: dict[int, int] = {}
        self.allocator = BlockAllocator(config.num_blocks)
        self.num_requests = 0

    def allocate(self, tokens: list[int]) -> Sequence:
        """Look up the full blocks, except the last, by hash, until one is not found."""
        sequence = Sequence(self.num_requests, Tokens(tokens), None)
        self.num_requests += 1
        hashes = self.hashes(sequence)[: (len(tokens) - 1) // self.block_size]
        hit = []
        for known in map(self.block_of_hash.get, hashes):
            if known is None:
                break
            hit.append(known)
        new = self.allocator.allocate(-(-len(tokens) // self.block_size) - len(hit))
        sequence.block_table = np.concatenate((np.array(hit, np.int32), new))
        sequence.hit_tokens = len(hit) * self.block_size
        return sequence

    def commit(self, sequence: Sequence) -> None:
        """Register every full block under its hash, unless the hash is taken."""
        for block, block_hash in zip(
            sequence.block_table.tolist(), self.hashes(sequence), strict=False
        ):
            self.block_of_hash.setdefault(block_hash, block)

    def hashes(self, sequence: Sequence) -> list[int]:
        """Return the chained hash of each full block."""
        chain, previous = [], 0
        ids = sequence.token_ids
        for start in range(0, len(ids) - self.block_size + 1, self.block_size):
            block = ids[start : start + self.block_size].tobytes()
            previous = zlib.crc32(block, previous) & self.mask
            chain.append(previous)
        return chain

    def serve(self, prompts: Iterable[list[int]], canary: KVCanary) -> None:
        """Serve each prompt; the canary raises if one reads another's KV."""
        for tokens in prompts:
            sequence = self.allocate(tokens)
            canary.write(sequence)
            canary.read(sequence)
            self.commit(sequence)


def requests_until_wrong(hash_bits: int, most_requests: int = 2_000, seed: int = 0) -> int | None:
    """Send random prompts until one is served another's KV; return how many were sent.

    Returns None if this did not happen within `most_requests`.
    """
    rng = np.random.default_rng(seed)
    config = CacheConfig(num_blocks=4 * most_requests, block_size=4)
    cache, canary = FlatHashCache(config, hash_bits), KVCanary(config.num_blocks, config.block_size)
    prompts = (rng.integers(1_000, size=9).tolist() for _ in range(most_requests))
    try:
        cache.serve(prompts, canary)
    except CanaryError:
        return cache.num_requests
    return None
