"""The Triton kernels, run in a child process; if that is impossible, the recorded result.

`record()` writes a new recording, on a machine with triton.
"""

import datetime
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).with_name("recorded.json")
H200 = Path(__file__).with_name("h200.json")
LIMIT_S = 90
"""The most seconds that a child may run."""


@dataclass(frozen=True, slots=True)
class KernelRun:
    """The results of a child process, and its machine."""

    source: str
    """That it ran here; or why it did not, and when the result was recorded."""
    facts: list[dict[str, Any]]


class _ChildFailed(Exception):
    """Why the kernels cannot run here."""


def run_kernel(how: str) -> KernelRun:
    """Interpret or compile the kernels here, or return the recorded result.

    `how` is `"interpret"` or `"compile"`.
    """
    try:
        if importlib.util.find_spec("triton") is None:
            raise _ChildFailed("triton is not installed here")
        facts = _run(how)
    except _ChildFailed as reason:
        recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
        when = f"recorded {recorded['date']} with triton {recorded['triton']}"
        return KernelRun(f"{when}: {reason}", recorded[how])
    return KernelRun(f"run here, triton {version('triton')}", facts)


def _run(how: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "radixlab.lesson.props.paged.child", how]
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {
            "TRITON_INTERPRET": "1" if how == "interpret" else "0",
            "TRITON_CACHE_DIR": cache,
        }
        try:
            run = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=LIMIT_S
            )
        except subprocess.TimeoutExpired:
            raise _ChildFailed(f"it took more than {LIMIT_S} s here") from None
    if run.returncode:
        said = run.stderr.strip().splitlines() or [f"exit status {run.returncode}"]
        raise _ChildFailed(f"it does not run here ({said[-1]:.160})")
    found: list[dict[str, Any]] = json.loads(run.stdout)
    return found


def on_h200() -> KernelRun:
    """Return how long one layer's decode took on a GPU, in µs; recorded, for few readers have one.

    `benchmarks/attention_gpu.py` measured it, and benchmarks/RESULTS.md has all of its rows.
    """
    recorded = json.loads(H200.read_text(encoding="utf-8"))
    source = f"recorded {recorded['date']} on one {recorded['chip']}, torch {recorded['torch']}"
    return KernelRun(source, recorded["runs"])


def record() -> None:
    """Record the results of the kernels on this machine."""
    facts = {how: _run(how) for how in ("interpret", "compile")}
    today = datetime.date.today().isoformat()
    text = json.dumps({"date": today, "triton": version("triton")} | facts, indent=1)
    RECORDED.write_text(text + "\n", encoding="utf-8")
