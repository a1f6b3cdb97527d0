"""Errors of requests, and of orders that a learner wrote.

Every message names the thing and the numbers. The engine stays usable.
"""

from radixlab.cache import errors as cache
from radixlab.config import ConfigError


class SchedulerError(Exception):
    """Base of all errors that a caller of the scheduler or the engine can cause."""


class RequestError(SchedulerError, ValueError):
    """A request that can never be served."""


class RequestTooLargeError(RequestError):
    """A prompt that leaves no room for a token, in the pool or among the model's positions."""


class ArgumentError(RequestError, ConfigError):
    """A caller's mistake, such as an argument of the wrong type; nothing was added."""


class OrderError(SchedulerError):
    """An order that lost or invented a waiting request, or does not exist."""


class ThreadError(SchedulerError, cache.ThreadError):
    """A call from a thread that does not own the engine."""


class ReentryError(SchedulerError):
    """A call that changes the engine from inside its own step: listeners may only listen."""
