"""Blocks that are easily taken for one another: one pair for each kind of careless key.

A key must tell blocks apart that differ in any token. A hash, a checksum, a sum, an xor, a sorted
or joined text, the first tokens or the last, a smaller or a real number type: each of them is
blind to some difference, and each of these differences is here. All tokens fit into 64 bits with a
sign.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from radixlab.exercise.tree import Tokens

LEAST, MOST = -(2**63), 2**63 - 1
HASH_MODULUS = 2**61 - 1
"""Python's hash of an int is its remainder; and -1 and -2 have the same."""
CRC_32 = 0x1DB710641
"""A change by this pattern, as XOR over little-endian bytes, leaves CRC-32 as it is."""
MODULI = (97, 251, 255, 257, 997, 1_000, 1_009, 65_025, 65_521, 10**6 + 3, 10**9 + 7, 10**9 + 9)
FACTORS = (2, 10, 31, 33, 37, 100, 131, 65_599, 10**4, 10**6, 10**9, 16_777_619, 2_654_435_761)
"""Of sums such as `31 * a + b`, beside moduli and powers of two."""
POWERS = tuple(2**power for power in (8, 10, 12, 15, 16, 17, 18, 20, 24, 31, 32))
GREAT = (HASH_MODULUS, 2**62 - 57, 10**18 + 9, 2**63 - 25, 2**63 - 1, 2**64 - 59, 2**64 - 1)
"""Moduli of nearly 64 bits: few pairs of tokens differ by so much."""


def twins(block: Tokens, rng: np.random.Generator) -> Iterator[Tokens]:
    """Yield blocks that differ from `block`, most of them in one token, at every position."""
    size = len(block)
    for i in range(size):
        yield _put(block, i, int(rng.integers(LEAST, MOST)))
    i = int(rng.integers(size))
    yield from (_put(block, i, token) for token in _changes(block[i]))
    if size == 1:
        return
    yield from {block[1:] + block[:1], block[::-1], tuple(sorted(block)), block[1::-1] + block[2:]}
    yield from _pairs(block, 0, 1)
    yield from _pairs(block, *sorted(rng.permutation(size)[:2].tolist()))


def _changes(token: int) -> Iterator[int]:
    """Yield other tokens that are `token` in a smaller or a real type, or after a remainder."""
    yield from (-token, ~token, token ^ CRC_32)
    for power in (1, 4, 7, 8, 10, 12, 15, 16, 20, 24, 31, 32, 40, 48, 52, 53, 56, 61, 62, 63):
        yield token + 2**power
    for modulus in (HASH_MODULUS, 2**31 - 1, 2**32 - 1, 2**16 - 1, *MODULI):
        yield from (token + modulus, token % modulus)


def _pairs(block: Tokens, i: int, j: int) -> Iterator[Tokens]:
    """Change two tokens at once so that they have the same sum, XOR, product, text or number."""
    one, two = block[i], block[j]
    changes = [(one + 1, two - 1), (one ^ 5, two ^ 5), (two, one), (one * 2, two // 2), (two, two)]
    changes += [(one, one), (0, one + two), (0, one ^ two), (one ^ (CRC_32 & 2**32 - 1), two ^ 1)]
    text = f"{abs(one)}{abs(two)}"
    changes += [(int(text[:cut]), int(text[cut:])) for cut in (1, 2, 3) if cut < len(text) < 19]
    for factor in (*FACTORS, *MODULI, *POWERS):
        changes += [(one - 1, two + factor), (one + factor, two - 1)]
    for first, second in changes:
        yield _put(_put(block, i, first), j, second)


def _put(block: Tokens, i: int, token: int) -> Tokens:
    """Return the block with another token at a position, made to fit into 64 bits."""
    return (*block[:i], (token - LEAST) % 2**64 + LEAST, *block[i + 1 :])


def look_alikes(rng: np.random.Generator, block_size: int) -> list[Tokens]:
    """Return a block of small tokens and one of tokens of any size, each with its twins."""
    small = rng.permutation(np.arange(2, 50_000))[:block_size].tolist()
    large = rng.integers(LEAST, MOST, block_size).tolist()
    found = [(token,) * block_size for token in (-1, -2, 0, 1)]
    for block in (tuple(small), tuple(large)):
        found += [block, *twins(block, rng)]
    return list(dict.fromkeys(found))


def twins_by(numbers: Iterable[int], rng: np.random.Generator, block_size: int) -> list[Tokens]:
    """Return blocks that look alike to a key with one of these numbers in it.

    The number may be a modulus, a mask, or a factor.
    """
    found: list[Tokens] = []
    for number in numbers:
        block = tuple(rng.integers(LEAST // 2, MOST // 2, block_size).tolist())
        j = int(rng.integers(1, block_size)) if block_size > 1 else 0
        i = max(0, j - 1)
        low = int(rng.integers(LEAST, MOST - number, endpoint=True))
        found += [_put(block, j, low), _put(block, j, low + number)]
        found += [block, *(_put(block, j, block[j] ^ bits) for bits in (number, number + 1))]
        for first, second in ((-1, number), (number, -1)):
            found.append(_put(_put(block, i, block[i] + first), j, block[j] + second))
    return list(dict.fromkeys(found))
