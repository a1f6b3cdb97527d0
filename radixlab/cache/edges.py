"""Edges as memory: comparing, cutting and keeping runs of token ids without looking at a token.

An edge is a `memoryview` of int32 token ids, a view into the buffer of the request that inserted
it. Knows bytes and block sizes in bytes; no nodes.
"""


def common_blocks(
    data: bytearray, position: int, edge: memoryview, limit: int, block_bytes: int
) -> int:
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


def compact(edge: memoryview) -> memoryview:
    """Copy an edge that keeps less than half of its buffer.

    So the tree never pins more than twice the memory of the tokens it caches.
    """
    base: bytes | bytearray = edge.obj  # type: ignore[assignment]  # what Tokens and bytes() give
    return edge if 2 * len(edge) >= len(base) else memoryview(bytes(edge))
