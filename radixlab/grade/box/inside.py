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
import sys
import types
from contextlib import suppress
from pathlib import Path
from typing import Any

from radixlab.grade.box.fence import fence
from radixlab.grade.box.peer import Peer

MAX_PRINTED = 64 << 10
"""Characters of the submission's prints that are kept."""
MAX_MEMORY_BYTES = 4 << 30
"""Address space: NumPy maps some hundred megabytes of it and touches few."""
MAX_CPU_S = 300
"""Beyond any item's limit: it ends a box whose judge was killed."""
MAX_FILE_BYTES = 64 << 20
_PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>
_READABLE = (
    *("/usr", "/lib", "/lib64", "/etc", "/nix/store"),
    *("/dev/urandom", "/dev/random", "/dev/zero", "/proc/self", "/proc/cpuinfo"),
    "/sys/devices/system/cpu",
)
"""What a Python with NumPy may want to read, beside its own files."""


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


def main() -> None:
    """Hide the pipes, set the limits, put up the fence, and answer."""
    questions, answers = _moved(0), _moved(1)
    sys.stdin = io.StringIO()
    sys.stdout = sys.stderr = Printed(os.dup(2))
    _set_limits()
    own = (Path(os.__file__).parents[1], *sys.path, Path(__file__).parents[2] / "exercise")
    fence((*_READABLE, *map(str, own)), (os.getcwd(), os.devnull))
    reader, writer = (os.fdopen(fd, mode, 0) for fd, mode in ((questions, "rb"), (answers, "wb")))
    Peer(reader, writer, Submission(), is_open=True).serve()


def _moved(descriptor: int) -> int:
    """Return a copy that child processes do not inherit; the place itself becomes empty."""
    copy = os.dup(descriptor)
    empty = os.open(os.devnull, os.O_RDWR)
    os.dup2(empty, descriptor)
    os.close(empty)
    return copy


def _set_limits() -> None:
    where = int(sys.argv[1])  # the file in which the judge looks for the line of an endless loop
    if sys.platform == "win32":
        return
    import resource
    import signal

    if sys.platform == "linux":  # whoever kills the judge ends the box as well
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    faulthandler.register(signal.SIGUSR1, file=where, all_threads=False)
    for name, most in (
        ("RLIMIT_AS", MAX_MEMORY_BYTES),
        ("RLIMIT_CPU", MAX_CPU_S),
        ("RLIMIT_FSIZE", MAX_FILE_BYTES),
        ("RLIMIT_CORE", 0),
    ):
        with suppress(ValueError, OSError):  # a stricter one is set already, or there is none
            resource.setrlimit(getattr(resource, name), (most, most))
