"""Starting a box, finding the line it is in, and ending it with all its children."""

import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from radixlab.grade.box.boot import boot_code
from radixlab.grade.box.folder import Folder
from radixlab.grade.box.inside import MAX_PRINTED, NUM_THREADS
from radixlab.grade.box.peer import Peer
from radixlab.grade.box.usage import Usage, threads_of, usage_of
from radixlab.grade.box.visible import visible
from radixlab.grade.box.watch import BoxEnded, BoxTimeout, Clock, Place, Watch, excess

_MARK = "RADIXLAB_BOX"
"""A variable whose value, `pid-token`, marks all processes of a box, daemons included."""
_LINE = re.compile(r'File "([^"]{1,200})", line (\d{1,6}) in (.{1,200})')
"""As `faulthandler` writes it; a learner's code may write anything else beside it."""


class BoxError(RuntimeError):
    """A box cannot be started on this machine, which is not the learner's fault."""


class Box:
    """A process of its own session, with limits, for one submission.

    Raises
    ------
    BoxError
        It does not start.

    Examples
    --------
    >>> with Box() as box:
    ...     box.submission.load("<cell>", "def twice(x): return 2 * x")
    ...     box.submission.learner.twice(21)
    42
    """

    def __init__(self, labels: Sequence[str] = ()) -> None:
        self._labels = tuple(labels)
        self._token = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: Watch | None = None
        self._cores = _Cores()
        self._folder = Folder()
        self._printed: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._stack: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            self._cores.share_one()
            self._process = self._started()
            self._peer = Peer(self._process.stdout, self._process.stdin)
            self.submission: Any = self._peer.root
            """`inside.Submission`, in the box."""
            self.submission.names()
        except BaseException as error:
            ending = self.ending() if self._process else str(error)
            said = self.printed.strip().splitlines() or [ending]
            self.close()
            if isinstance(error, Exception):
                what = f"the grader could not start its own process: {said[-1]}"
                raise BoxError(what) from error
            raise  # an interruption

    def __enter__(self) -> "Box":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        with suppress(AttributeError):  # an interruption can come before it is complete
            self.close()

    @property
    def printed(self) -> str:
        """The beginning of what the submission printed, safe to show."""
        self._printed.seek(0)
        return visible(self._printed.read(MAX_PRINTED).decode("utf-8", "replace"))

    def usage(self) -> Usage:
        """Return what its process has used so far, as the system counts it."""
        return usage_of(self._pid)

    @contextmanager
    def within(self, limit_s: float) -> Iterator[None]:
        """End the box if what is asked of it takes too long, or more than a box may use.

        Raises
        ------
        BoxEnded
            The box was ended; whatever was asked got no answer.
        """
        self._peer.refill()
        clock = Clock(self._pid)

        def look() -> BoxEnded | None:
            if clock.spent_s() > limit_s:
                return BoxTimeout(limit_s)
            return excess(self._pid, self._folder, self._peer.received_bytes)

        with Watch(look, self._end) as self._watch:
            yield

    def is_spent(self) -> bool:
        """Tell whether it has used up what it may use, or left threads running."""
        spent = excess(self._pid, self._folder, self._peer.received_bytes)
        return spent is not None or len(threads_of(self._pid)) > NUM_THREADS

    def places(self) -> list[Place]:
        """Return the submission's lines that run now, the innermost last."""
        if self._process is None or not hasattr(signal, "SIGUSR1"):
            return []
        self._process.send_signal(signal.SIGUSR1)
        for _ in range(50):
            time.sleep(0.01)
            self._stack.seek(0)
            text = self._stack.read(1 << 16).decode("utf-8", "replace")
            if found := [
                Place(label, int(line), visible(function))
                for label, line, function in _LINE.findall(text)
                if label in self._labels
            ]:
                return found[::-1]
        return []

    def ending(self) -> str:
        """Say how a process that ended by itself did: `exit code 0`, or a signal's name."""
        code = None
        with suppress(subprocess.TimeoutExpired):
            code = self._process.wait(timeout=0.3) if self._process else None
        if code is None:
            return "it closed its pipes"
        if code >= 0:
            return f"exit code {code}"
        names = {int(number): number.name for number in signal.Signals}
        return names.get(-code, f"signal {-code}")

    def close(self) -> None:
        """End it, its children and their children, and remove its folder; again does no harm."""
        try:
            if self._watch:
                self._watch.stop()
            self._cores.restore()
            self._kill()
            pipes = (self._process.stdin, self._process.stdout) if self._process else ()
            for pipe in (*pipes, self._printed, self._stack):
                with suppress(OSError):  # what was not written yet has no reader
                    pipe.close()
        finally:
            self._folder.remove()

    @property
    def _pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _started(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", boot_code(self._stack_file())],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
            cwd=self._folder.path,
            env=self._environment(),
            **self._session(),
        )

    def _end(self, why: Exception) -> None:
        try:
            if isinstance(why, BoxTimeout):
                why.places = self.places()
        finally:
            self._kill()

    def _kill(self) -> None:
        """End every process of the box; without a fence it may take several rounds."""
        for _ in range(100):
            marked = list(_marked(f"{_MARK}={self._token}"))
            alive = self._process is not None and self._process.poll() is None
            if not marked and not alive:
                break
            for pid in marked:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
            if self._process is not None:
                self._process.kill()
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(timeout=0.02)

    def _stack_file(self) -> int:
        return -1 if sys.platform == "win32" else self._stack.fileno()

    def _session(self) -> dict[str, Any]:
        if sys.platform == "win32":
            return {}  # no limits but the time there
        return {"start_new_session": True, "pass_fds": (self._stack_file(),)}

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
        return kept | {
            _MARK: self._token,
            "HOME": self._folder.path,
            "LANG": "C.UTF-8",
            "OPENBLAS_NUM_THREADS": "1",  # each thread maps memory
            "OMP_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "1",  # a heap a thread grows without a leak, and hides one
        }


class _Cores:
    """Keeps this thread, and the box it starts, on one core for a while.

    The two take turns and never run at once. Waking another core, which may sleep, takes far longer
    than handing over the one that is awake: a call is 3 to 6 times as fast on one core.
    """

    def __init__(self) -> None:
        self._thread, self._had = threading.get_native_id(), set[int]()

    def share_one(self) -> None:
        """Move to one of the cores that this thread may use."""
        if hasattr(os, "sched_setaffinity"):
            self._had = os.sched_getaffinity(0)
            os.sched_setaffinity(0, {sorted(self._had)[os.getpid() % len(self._had)]})

    def restore(self) -> None:
        """Give the thread back all that it had."""
        if self._had:
            with suppress(OSError):  # the thread has ended, or has other cores now
                os.sched_setaffinity(self._thread, self._had)
            self._had = set()


def _marked(mark: str) -> Iterator[int]:
    """Find processes whose environment holds a mark; none where the system does not tell."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name)
