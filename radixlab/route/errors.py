"""The errors of routing: a caller's mistakes, and a fleet without a live replica."""


class RouteError(ValueError):
    """An argument that cannot work; the message names it and its value."""


class NoReplicaError(RouteError):
    """No replica is alive, so nothing can be chosen."""


class UnknownReplicaError(RouteError):
    """A replica that the fleet does not have, or has already."""
