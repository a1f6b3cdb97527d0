"""A number for every prefix of a prompt, so that prefixes are compared without their tokens.

The digest of the first n tokens is the sum of (token × constant of its position), modulo 2⁶⁴. So
one multiplication and one running sum of NumPy give the digests of all prefixes of a prompt. The
idea is multilinear hashing (Lemire and Kaser, arXiv 1202.4961): for constants drawn at random, two
prefixes of one length that differ share a digest with a probability of at most 2⁻³². Ours are
fixed, so that a report can be made again; somebody who knows them can write a log with a false hit,
and deceives only the reader of that log.
"""

import numpy as np
import numpy.typing as npt

from radixlab.cache.splitmix import GOLDEN, splitmix64

TokenArray = npt.NDArray[np.int32]
Digests = npt.NDArray[np.uint64]


class Digester:
    """Makes the digests of prefixes that end at whole blocks.

    >>> digester = Digester(block_size=2)
    >>> first = digester.prefixes(np.array([5, 6, 7, 8, 9], np.int32))
    >>> second = digester.prefixes(np.array([5, 6, 7, 1], np.int32))
    >>> len(first), (first == second).tolist()
    (2, [True, False])
    """

    def __init__(self, block_size: int) -> None:
        self.block_size = block_size
        self._constants = _constants(2**14)

    def prefixes(self, tokens: TokenArray) -> Digests:
        """Return one digest for each prefix of whole blocks; the last partial block has none."""
        num_tokens = len(tokens) - len(tokens) % self.block_size
        while num_tokens > len(self._constants):
            self._constants = _constants(2 * len(self._constants))
        terms = tokens[:num_tokens].view(np.uint32) * self._constants[:num_tokens]
        if self.block_size > 1:
            terms = terms.reshape(-1, self.block_size).sum(axis=1, dtype=np.uint64)
        digests: Digests = np.cumsum(terms, dtype=np.uint64)
        return digests


def _constants(num: int) -> Digests:
    """Return odd numbers that look random: the generator splitmix64 (Steele et al., 2014)."""
    mixed: Digests = splitmix64(np.arange(num, dtype=np.uint64) * GOLDEN) | np.uint64(1)
    return mixed
