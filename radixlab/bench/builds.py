"""The compiled cache as a contender: a worker process that runs on the Python of `.venv-fast`.

It knows how to start, ask and end one; `worker.py` is what runs there. A build that is missing, or
was made of other sources than the ones here, does not take part, and the report says why.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from radixlab.bench.contenders import OURS, Entry, Timing
from radixlab.build import COMPILED, source_digest
from radixlab.config import CacheConfig

NAME = f"radixlab, {COMPILED}"
MAKE_FAST = "make fast builds it"
MAKE_SILENT = "make fast-silent builds it"
START = """
import runpy, sys
sys.path[:0] = filter(None, [sys.argv.pop(1)])
runpy.run_module("radixlab.bench.worker", run_name="__main__")
"""
"""Runs `worker.py`, out of the folder that the first argument names, if any."""


class BuildError(Exception):
    """The compiled build cannot take part; the message says why."""


def fast_python() -> Path | None:
    """Find the Python that `make fast` installed the compiled build for."""
    root = Path(__file__).resolve().parents[2]
    places = (root / ".venv-fast" / "bin" / "python", root / ".venv-fast" / "Scripts/python.exe")
    return next((place for place in places if place.is_file()), None)


def silent_folder(python: Path | None) -> Path | None:
    """Find the compiled build without events that `make fast-silent` put beside this Python."""
    folder = python.parents[1] / "silent" / "site" if python else None
    return folder if folder and folder.is_dir() else None


class Worker:
    """A process that replays one workload whenever it is asked."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.who = self._read()

    def replay(self, config: CacheConfig, is_cold: bool) -> Timing:
        """Let it replay once, with an empty cache."""
        turn = {
            "num_blocks": config.num_blocks, "block_size": config.block_size, "is_cold": is_cold
        }  # fmt: skip
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(turn) + "\n")
        self.process.stdin.flush()
        return Timing(**self._read())

    def _read(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise BuildError(f"its process ended: {self._last_words()}")
        return json.loads(line)

    def _last_words(self) -> str:
        assert self.process.stderr is not None
        lines = self.process.stderr.read().strip().splitlines()
        return lines[-1] if lines else "it said nothing"


@contextmanager
def compiled_worker(
    python: Path | None, name: str, limit: int, folder: Path | None = None
) -> Iterator[Worker]:
    """Start a worker for a workload by name, and end it; raise `BuildError` if it is not fit.

    The package is the one installed for that Python, or the one in `folder`.
    """
    if python is None:
        raise BuildError(f"there is no .venv-fast; {MAKE_FAST}")
    with tempfile.TemporaryDirectory() as empty:
        # -I keeps PYTHONPATH and the current folder out: they would bring the sources back.
        process = subprocess.Popen(
            [python, "-I", "-c", START, str(folder or ""), name, str(limit)],
            cwd=empty, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        with process:
            try:
                yield fit(Worker(process))
            finally:
                process.kill()


def fit(worker: Worker) -> Worker:
    """Return the worker if it runs the compiled build of these very sources."""
    if worker.who["build"] != COMPILED:
        raise BuildError(f"the cache of that Python is {worker.who['build']}; {MAKE_FAST}")
    if worker.who["source"] != source_digest():
        raise BuildError(f"it was built from other sources; {MAKE_FAST} again")
    return worker


def as_entry(worker: Worker, name: str = NAME) -> Entry:
    """Return a contender whose replays run in the worker."""
    return Entry(name, OURS.make, elsewhere=worker.replay)
