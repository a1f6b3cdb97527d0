"""Edges as memory: runs of token ids are compared, cut and kept without looking at single tokens.

A long edge is a `memoryview` of int32 token ids, a view of the buffer of the request that inserted
it. A short edge is a copy, `bytes`. This file knows bytes, and block sizes in bytes. It does not
know nodes.
"""

from typing import Final

Edge = bytes | memoryview

SHORT_BYTES: Final = 4096
"""Edges up to this many bytes are copied: in a large tree, a look-up would have to fetch the
objects of a view from memory, which costs more."""


TRIMMED: Final = 8
"""A leaf that is being evicted may pin this many times its size: most go on until it is gone, and
each copy on the way would be for nothing."""


def common_blocks(data: bytearray, position: int, edge: Edge, limit: int, block_bytes: int) -> int:
    """Count leading blocks of `edge`, at most `limit`, that equal those of `data` from `position`.

    If all blocks agree, this is one memory comparison. Otherwise a binary search finds the first
    difference, and compares each byte before it about once.

    Rules: M2, K3.
    """
    if data.startswith(edge[: limit * block_bytes], position):
        return limit
    low, high = 0, limit - 1  # blocks [0, low) agree; some block up to `high` does not
    while low < high:
        middle = (low + high + 1) // 2
        part = edge[low * block_bytes : middle * block_bytes]
        if data.startswith(part, position + low * block_bytes):
            low = middle
        else:
            high = middle - 1
    return low


def compact(edge: Edge, most: int = 2) -> Edge:
    """Copy an edge that is short, or that views a buffer of more than `most` times its size.

    So the tree never pins more than a few times the memory of the tokens it caches.
    """
    size = len(edge)
    if size <= SHORT_BYTES:
        return bytes(edge)  # the same object, if it is bytes already
    if type(edge) is memoryview and most * size >= len(edge.obj):  # type: ignore[arg-type]  # bytes
        return edge
    return memoryview(bytes(edge))
