"""What can go wrong at the cache's door.

Every message names the thing and the numbers; the state stays valid.
"""


class CacheError(Exception):
    """Base of all errors a caller of the cache can cause."""


class TokenError(CacheError, ValueError):
    """Tokens that are no int32 ids, or none at all."""


class NamespaceError(CacheError, ValueError):
    """A namespace that is not a tagged pair such as `("salt", "x")`."""


class OutOfBlocksError(CacheError):
    """Not enough free and evictable blocks now; it may work after a release."""


class PromptTooLargeError(OutOfBlocksError):
    """More blocks than the whole pool has: it will never fit."""


class SequenceError(CacheError, ValueError):
    """A sequence this manager does not run (unknown, released), or a position it does not have."""


class BlockError(CacheError, ValueError):
    """Block ids that do not fit: outside the pool, too few, freed twice."""


class DoubleFreeError(BlockError):
    """A block was given back that nobody holds."""


class LockError(CacheError):
    """A receipt used twice, a node that is gone, or a locked one where it must not be."""


class CountError(CacheError, ValueError):
    """A count or position that is no int, or out of range."""


class PolicyError(CacheError):
    """An eviction policy broke its contract: no victim, an illegal one, or an exception."""


class PinError(CacheError):
    """A pin over the budget, of nothing cached, or taken off twice."""


class CodecError(CacheError, ValueError):
    """Bytes that are no compressed block ids, or ids that cannot be compressed."""


class ThreadError(CacheError):
    """A call from another thread than the one that owns the manager."""


class TransferError(CacheError):
    """A transfer completed that is not pending, or a pending one in the way."""


class ListenerError(CacheError):
    """A listener called the manager that was just telling it of an event."""


class InvariantError(CacheError, AssertionError):
    """`check` found the cache inconsistent: a bug, of the engine or of someone past its door."""
