"""One way to mix 64-bit numbers, for hashes of tokens and for tokens that look random.

It knows arrays of numbers. What they stand for is the caller's.
"""

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.uint64]
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2^64 ÷ the golden ratio: the step of the counter in splitmix64."""


def splitmix64(counters: Numbers) -> Numbers:
    """Mix each 64-bit counter into 64 random-looking bits (Steele, Lea and Flood 2014).

    >>> hex(splitmix64(np.array([0], np.uint64))[0])
    '0xe220a8397b1dcdaf'
    """
    z = counters + GOLDEN
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
