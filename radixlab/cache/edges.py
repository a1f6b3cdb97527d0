"""Edges as memory: comparing, cutting and keeping runs of token ids without looking at a token.

A long edge is a `memoryview` of int32 token ids, a view into the buffer of the request that
inserted it; a short one is a copy, `bytes`. Knows bytes and block sizes in bytes; no nodes.
"""

Edge = bytes | memoryview

SHORT_BYTES = 4096
"""Edges up to this length are copied: cheaper than the objects of a view, which each look-up in a
large tree would fetch from memory."""


TRIMMED = 8
"""A leaf that is being evicted may pin this many times its size: most go on until it is gone, and
each copy on the way would be for nothing."""


def common_blocks(data: bytearray, position: int, edge: Edge, limit: int, block_bytes: int) -> int:
    """Count leading blocks of `edge`, at most `limit`, that equal those of `data` from `position`.

    One memory comparison if all agree; else the place where they part is found by halving, so that
    each byte before it is compared about once.
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
