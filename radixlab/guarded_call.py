"""Calls of a learner's code that always come back: an endless loop is stopped, an error named.

The code runs in this thread, as it was written. A second thread looks at the CPU time of the call,
and if that passes the limit, raises an exception inside the learner's loop. This file knows threads
and tracebacks. It does not know trees or policies.
"""

import ctypes
import sys
import threading
import time
import traceback
from collections.abc import Callable
from threading import get_ident
from typing import Any

from radixlab.exercise.plain import plain_text
from radixlab.exercise.tree_player import RECURSION_BESIDE

LIMIT_S = 5.0
"""Seconds of CPU time for one call; the slowest right answer takes milliseconds."""
PATIENCE = 6.0
"""A call that sleeps uses no CPU time, and may take this many times the limit."""
LOOK_S = 0.05
IDLE_LOOKS = 20
"""The second thread ends after this many checks without a call."""
OWN_FILES = ("<", "own_")
"""How the name of a learner's file begins: cells and kept versions have no path."""


class EndlessCall(BaseException):
    """Raised inside a call that does not come back; code that catches `Exception` lets it pass."""


class CallFailed(Exception):
    """A call that raised or did not come back; the message says how, and in which line."""


class Watch:
    """Makes calls one at a time, each within a limit of CPU seconds.

    >>> Watch().call(max, 1, 2)
    2
    >>> Watch(limit_s=0.1).call(eval, "[1 for _ in iter(int, 1)]")
    Traceback (most recent call last):
    radixlab.guarded_call.CallFailed: did not come back within 0.1 s (line 1)
    """

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        self.limit_s = limit_s
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._call: _Call | None = None
        """The call that is being made."""

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call, and return the result; raise `CallFailed`. Ctrl-C passes through."""
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, RECURSION_BESIDE))
        try:
            try:
                self._begin()
                return function(*arguments)
            finally:
                self._end()
        except KeyboardInterrupt:
            raise
        except EndlessCall as error:
            where = _where(error)
            raise CallFailed(f"did not come back within {self.limit_s:g} s{where}") from None
        except BaseException as error:
            said = plain_text(error)
            name = type(error).__name__ + (f": {said}" if said else "")
            raise CallFailed(f"raised {name}{_where(error)}") from None
        finally:
            sys.setrecursionlimit(limit)

    def _begin(self) -> None:
        with self._lock:
            self._call = _Call()
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="watch", daemon=True)
                self._thread.start()

    def _end(self) -> None:
        """Forget the call, though an exception that was raised for it arrives only here."""
        while True:
            try:
                self._forget()
                return
            except EndlessCall:
                continue

    def _forget(self) -> None:
        with self._lock:
            call, self._call = self._call, None
            if call is not None and call.is_stopped:
                call.take_back()

    def _look(self) -> None:
        idle = 0
        while True:
            time.sleep(LOOK_S)
            with self._lock:
                idle = 0 if self._call else idle + 1
                if idle > IDLE_LOOKS:
                    self._thread = None
                    return
                if self._call and self._call.is_late(self.limit_s):
                    self._call.stop()


class _Call:
    """A call, by the thread that makes it and the times of its beginning."""

    def __init__(self) -> None:
        self.is_stopped = False
        self._ident = get_ident()
        self._clock: int | None = None
        if hasattr(time, "pthread_getcpuclockid"):
            self._clock = time.pthread_getcpuclockid(self._ident)
        self._began, self._began_wall = self._now(), time.monotonic()

    def is_late(self, limit_s: float) -> bool:
        waited = time.monotonic() - self._began_wall
        return self._now() - self._began > limit_s or waited > PATIENCE * limit_s

    def stop(self) -> None:
        """Raise `EndlessCall` in the call's thread, in place of one that has not arrived there."""
        self.is_stopped = True
        _raise_in(self._ident)

    def take_back(self) -> None:
        """Leave no exception on its way to this thread, which made the call.

        One more is raised, in place of any other, and awaited. CPython's own way to take one back,
        NULL in place of an exception, leaves Python 3.11 waiting for it: each later check of the
        interpreter is slow, and the first call under a profiler or a debugger never ends.
        """
        try:
            _raise_in(self._ident)
            while True:
                pass
        except EndlessCall:
            pass

    def _now(self) -> float:
        return time.monotonic() if self._clock is None else time.clock_gettime(self._clock)


def _raise_in(ident: int) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(EndlessCall))


def _where(error: BaseException) -> str:
    """Return the deepest line of the learner's own code, in brackets; "" if there is none."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(OWN_FILES)]
    if not own:
        own = [frame for frame in frames if "ipykernel" in frame.filename]
    if not own:
        return ""
    file = own[-1].filename
    place = f" of {file.strip('<>')}" if file.startswith("<8.") else ""
    return f" (line {own[-1].lineno}{place})"
