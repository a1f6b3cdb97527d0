"""Block ids as runs of consecutive ids: the short form that events carry."""

import numpy as np

from radixlab.cache.results import BlockIds
from radixlab.events import Runs


def to_runs(block_ids: BlockIds) -> Runs:
    """Return block ids, int32 `[n]`, as `(first_id, count)` pairs, in order.

    >>> to_runs(np.array([4, 5, 6, 9], np.int32))
    ((4, 3), (9, 1))
    """
    if len(block_ids) == 0:
        return ()
    starts = np.flatnonzero(np.diff(block_ids, prepend=block_ids[0] - 2) != 1)
    counts = np.diff(starts, append=len(block_ids))
    return tuple(zip(block_ids[starts].tolist(), counts.tolist(), strict=True))
