"""Which unlocked leaf to evict: one file per policy.

A policy is a plug-in. It is told what happens to nodes, and names the next victim. It knows the
fields of `PolicyNode`. It does not know tokens, requests or the tree. The manager offers it only
unlocked leaves, so no policy can evict blocks in use.
"""

from collections.abc import Callable

from radixlab.cache.eviction.adaptive import Adaptive
from radixlab.cache.eviction.belady import Belady
from radixlab.cache.eviction.fifo import FIFO
from radixlab.cache.eviction.gdsf import GDSF
from radixlab.cache.eviction.leaf_heap import LeafHeap
from radixlab.cache.eviction.lfu import LFU
from radixlab.cache.eviction.lru import LRU
from radixlab.cache.eviction.mru import MRU
from radixlab.cache.eviction.priority import Priority
from radixlab.cache.eviction.s3fifo import S3FIFO
from radixlab.cache.eviction.slru import SLRU
from radixlab.cache.protocols import EvictionPolicy

POLICIES: dict[str, Callable[[], EvictionPolicy]] = {
    "lru": LRU,
    "lfu": LFU,
    "fifo": FIFO,
    "mru": MRU,
    "slru": SLRU,
    "gdsf": GDSF,
    "s3fifo": S3FIFO,
    "priority": Priority,
    "adaptive": Adaptive,
}
"""Eviction policies by name; a plug-in registers itself here. `Belady` needs the future too."""

__all__ = [
    "FIFO",
    "GDSF",
    "LFU",
    "LRU",
    "MRU",
    "POLICIES",
    "S3FIFO",
    "SLRU",
    "Adaptive",
    "Belady",
    "LeafHeap",
    "Priority",
]
