"""What the bridge says when it cannot carry something, or when a part breaks its contract."""

from radixlab.exercise.plain import error_text

MOST_TEXT = 200


class BridgeError(Exception):
    """Base of the errors of the bridge. Each message is one line."""


class NotCarriedError(BridgeError, ValueError):
    """A setting of the engine that the bridge cannot honour; the message names the setting."""


class BrokenPartError(BridgeError):
    """A tree or a policy broke its contract; the message names the call and what was wrong.

    The part is out of service from then on, because its state is unknown.
    """


class PartFileError(BridgeError, ValueError):
    """A text that names no tree or policy in a file; the message says why."""


def raised(call: str, error: Exception) -> str:
    """Say in one line that a call of somebody else's code raised."""
    said = " ".join((error_text(error, MOST_TEXT) or "").split())
    return f"{call} raised {type(error).__name__}" + (f": {said}" if said else "")
