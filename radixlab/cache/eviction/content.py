"""A name for a node's content that survives its eviction, by which a ghost is recognised.

Node ids are never reused, so a prefix that returns has a new id. Its content is the same.
"""

import zlib
from collections.abc import Mapping

from radixlab.cache.protocols import PolicyNode


def content_key(node: PolicyNode, keys: Mapping[int, int]) -> int:
    """Hash a node's namespace, its first block and its ancestors' first blocks to 32 bits.

    The hash is the same in every process. `keys` are the hashes of the ancestors, by node id. A
    collision can only make a policy mistake one prefix for another; the tree never compares hashes.
    """
    above = keys.get(node.parent.id) if node.parent is not None else None
    if above is None:
        above = zlib.crc32(repr(node.namespace).encode())
    return zlib.crc32(node.edge[: len(node.edge) // node.num_blocks], above)
