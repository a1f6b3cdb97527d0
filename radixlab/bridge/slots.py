"""SGLang's slots and our block ids; SGLang's namespaces and ours.

A request's row in SGLang holds one slot per token. The slots of a page follow each other, and a
page begins at a multiple of its size. So the block id is the first slot divided by the page size.
"""

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from radixlab.bridge.errors import NotCarriedError
from radixlab.cache.results import BlockIds
from radixlab.config import shown
from radixlab.events import Namespace

Slots = npt.NDArray[np.int64]


def to_block_ids(slots: Slots, page_size: int) -> BlockIds:
    """Return one block id per whole page of `slots`.

    Raises `NotCarriedError` if the slots of a page do not follow each other, as when KV is sharded.

    >>> to_block_ids(np.array([8, 9, 10, 11, 4, 5]), 4)
    array([2], dtype=int32)
    """
    whole = len(slots) // page_size * page_size
    pages = slots[:whole].reshape(-1, page_size)
    block_ids = pages[:, 0] // page_size if whole else np.empty(0, np.int64)
    odd = (pages != to_slots(block_ids, page_size).reshape(-1, page_size)).any(axis=1)
    if odd.any():
        first = int(odd.argmax())
        raise NotCarriedError(
            f"page {first} of a request has the slots {shown(pages[first].tolist())}: "
            f"not {page_size} slots in a row from a multiple of {page_size}"
        )
    return block_ids.astype(np.int32)


def to_slots(block_ids: npt.NDArray[Any], page_size: int) -> Slots:
    """Return the slots of whole pages, in token order.

    >>> to_slots(np.array([2, 1]), 4)
    array([ 8,  9, 10, 11,  4,  5,  6,  7])
    """
    first = block_ids.astype(np.int64) * page_size
    return (first[:, None] + np.arange(page_size)).reshape(-1)


def namespace_of(extra_key: str | None, cache_salt: str | None) -> Namespace | None:
    """Return the namespace of a request of SGLang's; its tag keeps the two sources apart.

    >>> namespace_of("a", None), namespace_of(None, "a"), namespace_of(None, "")
    (('extra_key', 'a'), ('cache_salt', 'a'), None)
    """
    if not cache_salt:
        return None if extra_key is None else ("extra_key", extra_key)
    if extra_key is None:
        return ("cache_salt", cache_salt)
    return ("extra_key and cache_salt", json.dumps([extra_key, cache_salt]))
