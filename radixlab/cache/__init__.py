"""The heart, in Python and NumPy: radix tree, block allocator, copy-on-write, eviction.

Read `tree.py` for the idea, `manager.py` for the public methods, and `proof/invariants.py` for what
must always hold. `eviction/` has the policies, and `host/` the second tier.
"""

from radixlab.cache.allocator import BlockAllocator
from radixlab.cache.batch import match_batch
from radixlab.cache.errors import (
    BlockError,
    CacheError,
    CodecError,
    CountError,
    DoubleFreeError,
    InvariantError,
    ListenerError,
    LockError,
    NamespaceError,
    OutOfBlocksError,
    PinError,
    PolicyError,
    PromptTooLargeError,
    SequenceError,
    ThreadError,
    TokenError,
    TransferError,
)
from radixlab.cache.eviction import LRU, POLICIES
from radixlab.cache.manager import KVCacheManager
from radixlab.cache.node import Receipt
from radixlab.cache.proof.canary import CanaryError, KVCanary
from radixlab.cache.proof.invariants import check
from radixlab.cache.proof.kvstore import KVStore, NumpyKVStore
from radixlab.cache.proof.naive import NaiveManager
from radixlab.cache.protocols import EvictionPolicy, PrefixTree
from radixlab.cache.results import InsertResult, Match, NodeView, Transfer, TreeStats
from radixlab.cache.sequence import Sequence
from radixlab.cache.stats import CacheStats
from radixlab.cache.tokens import Tokens, as_tokens
from radixlab.cache.tree import RadixTree
from radixlab.cache.work import Work
from radixlab.config import CacheConfig, ConfigError

__all__ = [
    "LRU",
    "POLICIES",
    "BlockAllocator",
    "BlockError",
    "CacheConfig",
    "CacheError",
    "CacheStats",
    "CanaryError",
    "CodecError",
    "ConfigError",
    "CountError",
    "DoubleFreeError",
    "EvictionPolicy",
    "InsertResult",
    "InvariantError",
    "KVCacheManager",
    "KVCanary",
    "KVStore",
    "ListenerError",
    "LockError",
    "Match",
    "NaiveManager",
    "NamespaceError",
    "NodeView",
    "NumpyKVStore",
    "OutOfBlocksError",
    "PinError",
    "PolicyError",
    "PrefixTree",
    "PromptTooLargeError",
    "RadixTree",
    "Receipt",
    "Sequence",
    "SequenceError",
    "ThreadError",
    "TokenError",
    "Tokens",
    "Transfer",
    "TransferError",
    "TreeStats",
    "Work",
    "as_tokens",
    "check",
    "match_batch",
]
