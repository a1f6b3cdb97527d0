"""What can go wrong before a kernel runs. Every message names the thing and the numbers."""


class AttentionError(ValueError):
    """Tensors or a plan that do not fit together; nothing has been computed or written."""


class BackendError(AttentionError):
    """A backend that does not exist or cannot run on this machine; the message says why."""


class TorchMissingError(ImportError):
    """Attention computes with torch, and torch is not installed."""

    def _render_traceback_(self) -> list[str]:
        """Tell IPython what to show: this line; nobody needs the way to it."""
        return [str(self)]
