"""The errors of the cache.

Every message names the thing and the numbers. The state stays valid.
"""


class CacheError(Exception):
    """Base of all errors that a caller of the cache can cause."""


class TokenError(CacheError, ValueError):
    """Tokens that are not int32 ids, or an empty prompt."""


class NamespaceError(CacheError, ValueError):
    """A namespace that is not a tagged pair such as `("salt", "x")`."""


class OutOfBlocksError(CacheError):
    """Not enough free and evictable blocks now; it may work after a release."""


class PromptTooLargeError(OutOfBlocksError):
    """A prompt that needs more blocks than the whole pool has."""


class SequenceError(CacheError, ValueError):
    """A sequence that this manager does not run, or a position that the sequence does not have."""


class BlockError(CacheError, ValueError):
    """Bad block ids: outside the pool, too few, or freed twice."""


class DoubleFreeError(BlockError):
    """A block was freed that is free already."""


class LockError(CacheError):
    """A receipt used twice, a node that is gone, or a locked node that must not be locked."""


class CountError(CacheError, ValueError):
    """A count or position that is not an int, or is out of range."""


class PolicyError(CacheError):
    """An eviction policy broke its contract: no victim, an illegal one, or an exception."""


class PinError(CacheError):
    """A pin that exceeds the budget, covers nothing cached, or was removed twice."""


class CodecError(CacheError, ValueError):
    """Bytes that are not compressed block ids, or ids that cannot be compressed."""


class ThreadError(CacheError):
    """A call from another thread than the one that owns the manager."""


class TransferError(CacheError):
    """A completed transfer that is not pending, or a pending transfer that prevents a call."""


class ListenerError(CacheError):
    """A listener called the manager that was reporting an event to it."""


class InvariantError(CacheError, AssertionError):
    """`check` found an inconsistent cache: a bug of the engine, or of code that bypasses it."""
