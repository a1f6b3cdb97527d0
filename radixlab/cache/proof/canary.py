"""The KV canary: proof that the KV a sequence is about to read is its own.

A model that reads a wrong block still answers, but worse. The canary makes the error visible. It
replaces the KV bytes, and stores in every slot *what the slot is for*: token, position, a hash of
all earlier tokens, tenant. A read through a block table checks each slot against the reader's own
tokens. The canary needs no model, and it catches nearly every cache bug: use after free, stale
entries, double frees, writes to shared blocks, and another tenant's prefix.

The idea is SGLang's KV canary; ours lives in NumPy.
"""

import zlib
from collections.abc import Sequence as Many

import numpy as np
import numpy.typing as npt

from radixlab.cache.checks import check_count
from radixlab.cache.errors import InvariantError, SequenceError
from radixlab.cache.proof.kvstore import NumpyKVStore
from radixlab.cache.results import Transfer
from radixlab.cache.sequence import Sequence
from radixlab.cache.tokens import TokenArray
from radixlab.config import shown
from radixlab.escape import count
from radixlab.events import Namespace

FINGERPRINT = np.dtype(
    [("token", np.int32), ("position", np.int32), ("prefix", np.uint64), ("namespace", np.uint32)]
)
_MULTIPLIER = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


class CanaryError(InvariantError):
    """A slot holds the KV of something else; the message says what was expected and found."""


class KVCanary:
    """A `KVStore` of fingerprints, written and read through sequences.

    >>> from radixlab.cache import KVCacheManager, CacheConfig
    >>> manager = KVCacheManager(CacheConfig(num_blocks=4, block_size=2))
    >>> canary = KVCanary(manager.config.num_blocks, manager.config.block_size)
    >>> sequence = manager.allocate([7, 8, 9])
    >>> canary.write(sequence)
    >>> canary.read(sequence)
    >>> canary.store.data[0, 1]["token"] = 0  # one flipped bit is enough
    >>> canary.read(sequence)
    Traceback (most recent call last):
        ...
    radixlab...CanaryError: sequence 0, position 1, slot 1 of block 0: token 0, not 8
    """

    def __init__(self, num_blocks: int, block_size: int, num_host_blocks: int = 0) -> None:
        self.store = NumpyKVStore(
            num_blocks, block_size, dtype=FINGERPRINT, num_host_blocks=num_host_blocks
        )
        self.block_size: int = self.store.data.shape[1]
        for blocks in (self.store.data, self.store.host):
            blocks["position"] = -1  # no fingerprint has this: never written

    def write(self, sequence: Sequence, start: int | None = None, end: int | None = None) -> None:
        """Write positions [start, end) as a forward pass would.

        By default, all positions that were not found in the cache.
        """
        end = _check_end(sequence, end)
        start = sequence.hit_tokens if start is None else start
        self.store.write(
            sequence.slots(start, end, self.block_size),
            fingerprints(sequence.token_ids[:end], sequence.namespace)[start:],
        )

    def read(self, sequence: Sequence, end: int | None = None) -> None:
        """Read positions [0, end) as attention would.

        Raises `CanaryError` at the first slot that holds anything else.
        """
        end = _check_end(sequence, end)
        slots = sequence.slots(0, end, self.block_size)
        expected = fingerprints(sequence.token_ids[:end], sequence.namespace)
        found = self.store.read(slots)
        if found.tobytes() == expected.tobytes():  # faster than comparing field by field
            return
        position = int(np.flatnonzero(found != expected)[0])
        slot = int(slots[position])
        raise CanaryError(
            f"sequence {sequence.id}, position {position}, "
            f"slot {slot} of block {slot // self.block_size}: "
            + _difference(found[position], expected[position])
        )

    def run(self, transfers: Many[Transfer]) -> None:
        """Copy whole blocks, in order."""
        self.store.run(transfers)


def _check_end(sequence: Sequence, end: int | None) -> int:
    """Return the end position; raise `SequenceError` if it is beyond the last token."""
    if not isinstance(sequence, Sequence):
        raise SequenceError(
            f"{shown(sequence)} is not a sequence: pass what allocate or fork returned"
        )
    end = sequence.num_tokens if end is None else check_count("end", end)
    if end > sequence.num_tokens:
        has = count(sequence.num_tokens, "token")
        raise SequenceError(f"sequence {sequence.id} has no position {end - 1}: it has {has}")
    return end


def fingerprints(token_ids: TokenArray, namespace: Namespace | None) -> npt.NDArray[np.void]:
    """Return the fingerprint that the slot of each position must hold, `FINGERPRINT` `[n]`.

    `prefix` at a position hashes all tokens before it: equal tokens after different prefixes have
    different KV.
    """
    marks = np.empty(len(token_ids), FINGERPRINT)
    marks["token"] = token_ids
    marks["position"] = np.arange(len(token_ids))
    marks["namespace"] = zlib.crc32(repr(namespace).encode())
    prefix, prefixes = 1, []
    for token in token_ids.tolist():
        prefixes.append(prefix)
        prefix = ((prefix ^ (token & 0xFFFFFFFF)) * _MULTIPLIER + 1) & _MASK
        prefix ^= prefix >> 29
    marks["prefix"] = np.array(prefixes, np.uint64)
    return marks


def _difference(found: np.void, expected: np.void) -> str:
    if found["position"] == -1:
        return f"never written, token {expected['token']} is expected"
    for name in ("token", "position"):
        if found[name] != expected[name]:
            return f"{name} {found[name]}, not {expected[name]}"
    if found["namespace"] != expected["namespace"]:
        return f"token {expected['token']} of another namespace"
    return f"token {expected['token']} after a different prefix"
