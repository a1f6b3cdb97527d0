"""A judge in a process of its own: started, listened to line by line, and ended with all its files.

It may die, hang, flood or need too much memory: whoever listens gets a `JudgeFailed`.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import radixlab
from radixlab.grade.box.folder import remove

MAX_LINE = 2 << 20
"""Bytes of one line of the judge."""
_END_S = 5.0

# The current folder is not searched: a learner's `json.py` would be imported for Python's own.
_BOOT = """
import sys
from importlib.util import module_from_spec, spec_from_file_location
sys.path[:] = {path!r}
spec = spec_from_file_location("radixlab", {package!r})
sys.modules["radixlab"] = module_from_spec(spec)
spec.loader.exec_module(sys.modules["radixlab"])
from radixlab.grade.worker import main
main()
"""


class JudgeFailed(Exception):
    """The judge did not finish, which is not the learner's fault."""


class JudgeProcess:
    """A judge's process; leaving the context ends it and removes all of its files."""

    def __init__(self, program: str, asked: dict[str, Any], most_lines: int) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._folder = Path(tempfile.mkdtemp(prefix="radixlab-judge-"))
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-c", program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                cwd=self._folder,
                env=os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self._folder)),
                start_new_session=True,  # Ctrl-C is for us: we end it in order
            )
        except OSError:
            remove(self._folder)
            raise
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._listen, args=(most_lines,), daemon=True).start()
        assert self.process.stdin
        with suppress(BrokenPipeError):  # it died at once: `hear` says so
            self.process.stdin.write(json.dumps(asked).encode() + b"\n")
            self.process.stdin.flush()

    def __enter__(self) -> "JudgeProcess":
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin and self.process.stdout
        with suppress(BrokenPipeError):
            self.process.stdin.close()  # a judge ends when this pipe does
        try:
            self.process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._errors.close()
        remove(self._folder)

    def hear(self, limit_s: float) -> dict[str, Any]:
        """Return the next line.

        Raises
        ------
        JudgeFailed
            There is none, or it is not a judge's.
        """
        try:
            line = self._lines.get(timeout=limit_s)
        except queue.Empty:
            self.process.kill()
            raise JudgeFailed(f"it said nothing for {limit_s:g} s") from None
        if not line:
            raise JudgeFailed(self._last_words())
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            raise JudgeFailed(f"it wrote {len(line):,} bytes that are not JSON") from None
        if not isinstance(said, dict) or "failed" in said:
            raise JudgeFailed(str(said["failed"]) if isinstance(said, dict) else "it wrote a list")
        return said

    def _listen(self, most_lines: int) -> None:
        """Hand on whole lines, as many as a judge has to say; an empty one means the end."""
        assert self.process.stdout
        with self.process.stdout as pipe:
            for _ in range(most_lines):
                line = pipe.readline(MAX_LINE)
                self._lines.put(line)
                if not line:
                    return
        self._lines.put(b"")

    def _last_words(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_END_S)
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - 2_000))
        last = self._errors.read().decode("utf-8", "replace").strip().splitlines()[-1:]
        ending = f"exit code {self.process.returncode}"
        with suppress(ValueError, TypeError):  # not every signal has a name
            ending = signal.Signals(-(self.process.returncode or 0)).name
        return ": ".join([f"its process ended ({ending})", *last])


def boot_code() -> str:
    """Return the program that judges: `worker`, with the modules of this process."""
    return _BOOT.format(path=import_path(), package=os.path.abspath(radixlab.__file__))


def import_path() -> list[str]:
    """Return where this process finds modules, without the current folder."""
    here = os.getcwd()
    return [entry for entry in sys.path if os.path.isabs(entry) and entry != here]
