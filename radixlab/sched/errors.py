"""What can go wrong with a request, or with an order that a person wrote.

Every message names the thing and the numbers; the engine lives on.
"""


class SchedulerError(Exception):
    """Base of all errors a caller of the scheduler or the engine can cause."""


class RequestError(SchedulerError, ValueError):
    """A request that can never be served."""


class RequestTooLargeError(RequestError):
    """More tokens than the pool holds or the model's positions reach."""


class OrderError(SchedulerError):
    """An order that lost a waiting request, made one up, or does not exist."""


class ThreadError(SchedulerError):
    """A call from another thread than the one that owns the engine."""
