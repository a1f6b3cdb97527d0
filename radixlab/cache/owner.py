"""Who may change the cache: one thread, and no listener in the middle of a change.

The first thread that calls becomes the owner. Locks between threads would slow every call, so the
cache has none, and a second thread is refused. A listener hears of a change while it is being made:
it may read the manager, and a call that would change it is refused too.

This file knows threads, the listener and which sequences run. It does not know what the calls do.
"""

import threading
import warnings
from threading import get_ident
from typing import Any, Final

from radixlab.cache.errors import ListenerError, SequenceError, ThreadError
from radixlab.cache.sequence import Sequence
from radixlab.config import ConfigError, shown
from radixlab.escape import count
from radixlab.events import Emit, Event
from radixlab.log import Log

NOT_YET: Final = -2
"""An identifier that no thread has: nobody has called yet."""
NOBODY: Final = -1
"""An identifier that no thread has.

It replaces the owner's while a listener receives an event: then one comparison in each call refuses
both other threads and the listener.
"""


class Owner:
    """The thread that owns a manager, and the listener that its events are told to."""

    __slots__ = ("_log", "_sequences", "listener", "thread")

    def __init__(self, log: Log, sequences: dict[int, Sequence]) -> None:
        self._log = log
        self._sequences = sequences
        self.thread = NOT_YET
        """The first calling thread, or `NOBODY` while a listener is called."""
        self.listener: Emit | None = None

    def check(self) -> None:
        """Make the first calling thread the owner; refuse other threads, and a listener (T3)."""
        if self.thread == NOBODY:
            raise ListenerError("a listener called the manager that was reporting an event to it")
        if self.thread == NOT_YET:
            self.thread = get_ident()
        if get_ident() != self.thread:
            raise ThreadError(
                f"thread {threading.current_thread().name!r} called a manager that another owns: "
                "pass it requests through a queue"
            )

    def check_running(self, sequence: Sequence | Any) -> None:
        """Do the same as `check`, and raise `SequenceError` unless the sequence runs here.

        Every request goes through `append`, `commit` and `finish`, so these three contain the same
        four lines and save a call, which would cost as much as the comparisons.
        """
        if get_ident() != self.thread:
            self.check()
        if type(sequence) is not Sequence or sequence.running is not self._sequences:
            raise self.not_running(sequence)

    def not_running(self, sequence: object) -> SequenceError:
        """Return the error for a sequence that does not run here."""
        if not isinstance(sequence, Sequence):
            return SequenceError(
                f"{shown(sequence)} is not a sequence: pass what allocate or fork returned"
            )
        running = count(len(self._sequences), "sequence runs", "sequences run")
        why = "was released before" if sequence.receipt.released else "belongs to another manager"
        return SequenceError(f"sequence {sequence.id} {why}; {running} here")

    def listen(self, listener: Emit | Any) -> None:
        """Tell events to this listener from now on, or to nobody."""
        if listener is not None and not callable(listener):
            raise ConfigError(f"emit must be a function of an event, not {shown(listener)}")
        self.listener = listener
        self._log.emit = None if listener is None else self._tell

    def _tell(self, event: Event) -> None:
        """Call the listener; remove it if it raises `ListenerError`."""
        thread, self.thread = self.thread, NOBODY
        try:
            if self.listener is not None:
                self.listener(event)
        except ListenerError as error:
            self.listen(None)
            warnings.warn(f"{error}; it was removed", RuntimeWarning, stacklevel=3)
        finally:
            self.thread = thread
