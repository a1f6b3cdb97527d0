"""The program that runs in the box: it takes a submission and answers questions about it.

Of the package it can see this folder and `radixlab.exercise`. It is started by `process`, with the
judge's questions on standard input and the answers on standard output; both are moved out of the
way before the submission runs.
"""

import ctypes
import faulthandler
import importlib
import io
import os
import signal
import sys
import threading
import types
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from radixlab.grade.box.fence import around, fence
from radixlab.grade.box.peer import Peer

MAX_PRINTED = 64 << 10
"""Characters of the submission's prints that are kept."""
MAX_MEMORY_BYTES = 4 << 30
"""Address space: NumPy maps some hundred megabytes of it and touches few."""
MAX_FILE_BYTES = 8 << 20
MAX_OPEN_FILES = 64
MAX_SIGNALS = 1_000
"""That wait to be taken: all processes of a user share one quota of them."""
RECURSION_LIMIT = 50_000
"""Calls within calls: enough to walk the blocks of the longest hidden key, two calls a block."""
STACK_BYTES = 256 << 20
"""Enough for `RECURSION_LIMIT` calls of 5 KB, which calls through NumPy take: an endless recursion
ends as an exception. Python 3.12 and 3.13 count calls through C on their own, up to 10,000."""
NUM_THREADS = 2
"""One that answers, and the first one, which waits for it."""
_PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>


class Submission:
    """What the judge talks to."""

    def __init__(self) -> None:
        self.learner = types.ModuleType("submission")
        sys.modules["submission"] = self.learner  # dataclasses look their module up

    def load(self, label: str, source: str) -> None:
        """Run one part. Parts share their names, as the cells of a notebook do."""
        exec(compile(source, label, "exec", dont_inherit=True), self.learner.__dict__)

    def names(self) -> list[str]:
        """Return the names that are defined."""
        return [name for name in self.learner.__dict__ if type(name) is str]

    def call(self, where: str, *args: Any) -> Any:
        """Call a function of a `radixlab.exercise` module: `radixlab.exercise.tree:play`."""
        module, _, function = where.partition(":")
        return getattr(importlib.import_module(module), function)(*args)


class Printed(io.TextIOBase):
    """Standard output: it keeps the beginning, and lets a flood pass."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._room = descriptor, MAX_PRINTED

    def writable(self) -> bool:
        """Say yes."""
        return True

    def write(self, text: str) -> int:
        """Keep what there is room for."""
        kept = text[: max(0, self._room)]
        self._room -= len(kept)
        with suppress(OSError):
            os.write(self._descriptor, kept.encode("utf-8", "replace"))
        return len(text)


def main(judge: int, stack: int, folders: list[str], hidden: list[str], more: list[str]) -> None:
    """Hide the pipes, set the limits, put up the fence, and answer.

    Parameters
    ----------
    judge
        The process to live with.
    stack
        The file in which it looks for the line of an endless loop.
    folders, hidden, more
        What may be read: the folders without what is hidden in them, and then more.
    """
    questions, answers = _moved(0), _moved(1)
    sys.stdin = io.StringIO()
    sys.stdout = sys.stderr = Printed(os.dup(2))
    if sys.platform != "win32":
        _set_limits(judge, stack)
    readable = [part for folder in folders for part in around(folder, hidden)]
    fence((*readable, *more, "/proc/self"), (os.getcwd(), os.devnull))
    reader, writer = (os.fdopen(fd, mode, 0) for fd, mode in ((questions, "rb"), (answers, "wb")))
    _with_a_deep_stack(Peer(reader, writer, Submission(), is_open=True).serve)


def _with_a_deep_stack(serve: Callable[[], None]) -> None:
    sys.setrecursionlimit(RECURSION_LIMIT)
    usual = threading.stack_size(STACK_BYTES)
    thread = threading.Thread(target=serve)
    thread.start()
    threading.stack_size(usual)  # for the threads of the submission
    if hasattr(signal, "SIGUSR1"):
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGUSR1,))  # it asks for the other's line
    thread.join()


def _moved(descriptor: int) -> int:
    """Return a copy that child processes do not inherit; the old descriptor becomes empty."""
    copy = os.dup(descriptor)
    empty = os.open(os.devnull, os.O_RDWR)
    os.dup2(empty, descriptor)
    os.close(empty)
    return copy


def _set_limits(judge: int, stack: int) -> None:
    import resource

    if sys.platform == "linux":  # whoever kills the judge ends the box as well
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != judge:
            os._exit(1)  # it is gone already
    faulthandler.register(signal.SIGUSR1, file=stack, all_threads=False)
    for name, most in (
        ("RLIMIT_AS", MAX_MEMORY_BYTES),
        ("RLIMIT_FSIZE", MAX_FILE_BYTES),
        ("RLIMIT_NOFILE", MAX_OPEN_FILES),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_SIGPENDING", MAX_SIGNALS),
    ):
        with suppress(AttributeError, ValueError, OSError):  # there is none, or a stricter one
            resource.setrlimit(getattr(resource, name), (most, most))
