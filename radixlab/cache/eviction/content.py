"""A name for what a node holds that survives its eviction: how a ghost is recognised.

Node ids are never used twice, so a prefix that comes back has a new one. Its content is the same.
"""

import zlib
from collections.abc import Mapping

from radixlab.cache.protocols import PolicyNode


def content_key(node: PolicyNode, keys: Mapping[int, int]) -> int:
    """Hash a node's namespace, its first block and that of each node above it, 32 bits.

    It is alike in every process. `keys` are those of the nodes above, by node id. A collision can
    only make a policy mistake one prefix for another; the tree never compares hashes.
    """
    above = keys.get(node.parent.id) if node.parent is not None else None
    if above is None:
        above = zlib.crc32(repr(node.namespace).encode())
    return zlib.crc32(node.edge[: len(node.edge) // node.num_blocks], above)
