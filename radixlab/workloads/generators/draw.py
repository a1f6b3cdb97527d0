"""Drawing from a seed: streams of random numbers, lengths, choices, tokens.

Only integers are drawn, so that no machine's floating point can change a request. This file knows
arrays, and nothing of what they are a model of.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from zlib import crc32

import numpy as np

from radixlab.workloads.request import TokenArray, frozen

VOCAB_SIZE = 128_000
"""Token ids are below this: the order of a current model's vocabulary."""

Range = tuple[int, int]
"""Least and most, both included."""


def stream(seed: int, *key: str | int) -> np.random.Generator:
    """Return the random numbers that belong to `key` under this seed, whatever else is drawn.

    With a stream of its own, document 7 is the same however many questions document 6 was asked.

    >>> [int(stream(0, "document", number).integers(1000)) for number in (7, 8, 7)]
    [166, 772, 166]
    """
    words = tuple(crc32(part.encode()) if isinstance(part, str) else part for part in key)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=words)))


def between(rng: np.random.Generator, low: int, high: int) -> int:
    """Draw a whole number from low to high, both included, each as likely."""
    return int(rng.integers(low, high + 1))


def pick(rng: np.random.Generator, weights: Sequence[int]) -> int:
    """Draw an index, each as likely as its weight says."""
    return bisect_right(list(accumulate(weights)), int(rng.integers(sum(weights))))


def tokens(rng: np.random.Generator, num_tokens: int) -> TokenArray:
    """Draw token ids, int32 `[num_tokens]`, read-only. No two draws agree for long."""
    return frozen(rng.integers(VOCAB_SIZE, size=num_tokens, dtype=np.int32))


def text(rng: np.random.Generator, length: Range) -> TokenArray:
    """Draw token ids, int32 `[n]`, read-only, of a drawn length."""
    return tokens(rng, between(rng, *length))


def join(*parts: TokenArray) -> TokenArray:
    """Put parts of a prompt together, read-only."""
    return frozen(np.concatenate(parts))
