"""The errors of KV events: a caller's mistakes. What arrives from outside never raises any."""


class KVEventError(ValueError):
    """An argument that cannot work; the message names it and its value."""


class EndpointError(KVEventError):
    """An endpoint that cannot be bound or reached; the message names it and says why."""
