"""What can go wrong before a kernel runs. Every message names the thing and the numbers."""


class AttentionError(ValueError):
    """Tensors or a plan that do not fit together; nothing has been computed or written."""


class BackendError(AttentionError):
    """A backend that does not exist or cannot run on this machine; the message says why."""


class TorchMissingError(ImportError):
    """Attention computes with torch, and torch is not installed."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows: the message alone, since the traceback helps nobody here."""
        return [str(self)]
