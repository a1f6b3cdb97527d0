"""Ctrl-C waits while something runs that must not be interrupted half-way.

This file knows signals and threads. It does not know what it protects.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Interrupts:
    """Holds SIGINT back between `hold` and `release`, or inside a `with` block.

    SIGINT reaches the main thread only; in any other thread there is nothing to hold back. If
    `release` is never reached, the handler that stays behind passes every interrupt on.
    """

    def __init__(self) -> None:
        self.holding = False
        self._came = False
        self._before: Any = signal.SIG_DFL

    def hold(self) -> None:
        """Let SIGINT wait from now on."""
        if threading.current_thread() is not threading.main_thread():
            return
        before: Any = signal.getsignal(signal.SIGINT)
        if before is not self:
            self._before = before or signal.SIG_DFL  # None: it was not set from Python
            signal.signal(signal.SIGINT, self)
        self.holding = True

    def release(self) -> None:
        """Let SIGINT come again, and first the one that waited."""
        self.holding = False
        if threading.current_thread() is not threading.main_thread():
            return
        in_place = signal.getsignal(signal.SIGINT) is self
        if in_place:
            signal.signal(signal.SIGINT, self._before)
        if self._came:
            self._came = False
            signal.raise_signal(signal.SIGINT)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle SIGINT."""
        self._came = True
        if not self.holding:
            self.release()

    def __enter__(self) -> None:
        self.hold()

    def __exit__(self, *_: object) -> None:
        self.release()


@contextmanager
def ends_as_interrupts() -> Iterator[None]:
    """Treat being terminated, or losing the terminal, like Ctrl-C: files are completed first."""
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    before = {number: signal.getsignal(number) for number in numbers}
    for number in (number for number in numbers if before[number] != signal.SIG_IGN):
        signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
