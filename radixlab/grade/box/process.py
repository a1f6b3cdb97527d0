"""Starting a box, finding the line it is in, and ending it with all its children."""

import os
import re
import secrets
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgpack
import numpy

from radixlab.grade.box.inside import MAX_PRINTED
from radixlab.grade.box.peer import BoxClosed, Peer
from radixlab.grade.box.usage import Usage, usage_of

_HERE = Path(__file__).parent
_EXERCISE = _HERE.parents[1] / "exercise"
_BOOT = """
import sys, types
sys.path[:] = {path!r}
for name, folders in {packages!r}.items():
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = folders
from radixlab.grade.box.inside import main
main()
"""
_MARK = "RADIXLAB_BOX"
"""A variable whose value, `pid-token`, tells a box's processes, wherever they went, from others."""


class BoxError(RuntimeError):
    """A box cannot be started on this machine: the learner has no part in it."""


class BoxTimeout(Exception):
    """The time is over; the box has been ended."""

    def __init__(self, limit_s: float, places: "Sequence[Place]") -> None:
        super().__init__(f"not done after {limit_s:g} s")
        self.limit_s = limit_s
        self.places = places
        """The submission's lines that ran, the innermost last; none if it could not be asked."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a submission."""

    label: str
    line: int
    function: str


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
        self._folder = tempfile.TemporaryDirectory(prefix="radixlab-box-")
        self._token = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._printed: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._stack: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._cores = _share_one_core()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _boot_code(), str(self._stack.fileno())],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
            cwd=self._folder.name,
            env=self._environment(),
            **self._session(),
        )
        peer = Peer(self._process.stdout, self._process.stdin)
        self.submission: Any = peer.root
        """`inside.Submission`, in the box."""
        try:
            self.submission.names()
        except BoxClosed:
            said = self.printed.strip().splitlines() or [self.ending()]
            self.close()
            raise BoxError(f"the grader could not start its own process: {said[-1]}") from None

    def __enter__(self) -> "Box":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def printed(self) -> str:
        """What the submission printed, as far as it is kept."""
        self._printed.seek(0)
        return self._printed.read(MAX_PRINTED).decode("utf-8", "replace")

    def usage(self) -> Usage:
        """Return what its process has used so far, as the system counts it."""
        return usage_of(self._process.pid)

    @contextmanager
    def within(self, limit_s: float) -> Iterator[None]:
        """End the box if what is asked of it takes longer.

        Raises
        ------
        BoxTimeout
            It did; whatever was asked got no answer.
        """
        over, places = threading.Event(), list[Place]()

        def end() -> None:
            over.set()  # first: asking may end a box that does not want to be asked
            places.extend(self.places())
            self._kill()

        timer = threading.Timer(limit_s, end)
        timer.daemon = True
        timer.start()
        try:
            yield
        except Exception:
            if over.is_set():
                timer.join()
                raise BoxTimeout(limit_s, places) from None
            raise
        finally:
            timer.cancel()

    def places(self) -> list[Place]:
        """Return the submission's lines that run now, the innermost last."""
        if not hasattr(signal, "SIGUSR1"):
            return []
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGUSR1)
        for _ in range(50):
            time.sleep(0.01)
            self._stack.seek(0)
            text = self._stack.read(1 << 16).decode("utf-8", "replace")
            steps = re.findall(r'File "([^"]*)", line (\d+) in (.*)', text)
            if found := [
                Place(label, int(line), function)
                for label, line, function in steps
                if label in self._labels
            ]:
                return found[::-1]
        return []

    def ending(self) -> str:
        """Say how a process that ended by itself did: `exit code 0`, or a signal's name."""
        with suppress(subprocess.TimeoutExpired):
            code = self._process.wait(timeout=1)
            return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
        return "it closed its pipes"

    def close(self) -> None:
        """End it, its children and their children, and remove its folder."""
        self._kill()
        if self._cores:
            os.sched_setaffinity(0, self._cores)
        for pipe in (self._process.stdin, self._process.stdout, self._printed, self._stack):
            if pipe:
                pipe.close()
        with suppress(OSError):
            self._folder.cleanup()

    def _kill(self) -> None:
        """End every process of the box; a fork bomb may need several rounds."""
        for _ in range(100):
            marked = list(_marked(f"{_MARK}={self._token}"))
            if self._process.poll() is None:
                marked.append(self._process.pid)
            for pid in marked:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
            if not marked:
                break
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=0.02)

    def _session(self) -> dict[str, Any]:
        if sys.platform == "win32":
            return {}  # no limits but the time there
        return {"start_new_session": True, "pass_fds": (self._stack.fileno(),)}

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
        return kept | {
            _MARK: self._token,
            "HOME": self._folder.name,
            "LANG": "C.UTF-8",
            "PYTHONHASHSEED": "0",
            "OPENBLAS_NUM_THREADS": "1",  # each thread maps memory
            "OMP_NUM_THREADS": "1",
        }


def _share_one_core() -> set[int] | None:
    """Keep this thread, and the box it starts, on one core; return those it had.

    They take turns, never run at once. Waking another core, which may sleep, takes far longer than
    handing over the one that is awake: a call is 3 to 6 times as fast.
    """
    if not hasattr(os, "sched_setaffinity"):
        return None
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(cores)[os.getpid() % len(cores)]})
    return cores


def _boot_code() -> str:
    packages = {
        "radixlab": [],
        "radixlab.exercise": [str(_EXERCISE)],
        "radixlab.grade": [],
        "radixlab.grade.box": [str(_HERE)],
    }
    stdlib = sysconfig.get_paths()["stdlib"]
    path = [p for p in sys.path if p and Path(p).is_relative_to(stdlib)]
    # Wherever these two are installed, and nothing else that a .pth file adds.
    path += [str(Path(str(module.__file__)).parents[1]) for module in (numpy, msgpack)]
    return _BOOT.format(path=list(dict.fromkeys(path)), packages=packages)


def _marked(mark: str) -> Iterator[int]:
    """Find processes whose environment holds a mark; none where the system does not tell."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name)
