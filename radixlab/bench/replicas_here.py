"""The benchmark of replicas for a notebook: run on this machine, if Ray is installed here.

It runs in a process of its own. When one of Ray's own processes dies, Ray ends the process that has
started it, and a notebook's kernel must outlive that.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from multiprocessing import get_context
from tempfile import TemporaryDirectory
from typing import Any

from tqdm.auto import tqdm

from radixlab.bench.replicas_recorded import Recorded, as_recorded
from radixlab.extras import what_to_install
from radixlab.home import is_static

LAST_WORDS_S = 20.0
"""Seconds in which the process must have ended after its report."""


def replicas_here(measure: Callable[[Any, str], None] | None = None) -> Recorded | str:
    """Run the small version of `radixlab bench replicas`, or say why it was not run.

    It takes about a minute and 3 GB. An interrupt ends the cluster at once. `measure` runs in the
    new process, and is told whom to tell, and its folder for temporary files.
    """
    if is_static():
        return "Not run here: the published lesson shows the same on every machine."
    if find_spec("ray") is None:
        missing = ModuleNotFoundError("No module named 'ray'", name="ray")
        return f"Not run: {what_to_install(missing)}"
    context = get_context("spawn")
    ours, its = context.Pipe(duplex=False)
    with TemporaryDirectory(prefix="r", ignore_cleanup_errors=True) as folder:
        child = context.Process(target=measure or _measure, args=(its, folder), name="replicas")
        child.start()
        its.close()
        try:
            found = _followed(ours)
            child.join(LAST_WORDS_S)
            return as_recorded(found, is_new=True)
        except (EOFError, RuntimeError) as error:
            return f"Not measured: {str(error) or 'the process ended without a word'}"
        finally:
            child.kill()  # Ray's own processes end when it is gone
            child.join()


def _followed(news: Any) -> dict[str, Any]:
    """Show a bar until the report comes; raise `RuntimeError` with what went wrong there."""
    kind, total = news.recv()
    with tqdm(total=total, desc="replicas", unit="conversation", leave=False) as bar:
        while True:
            kind, what = news.recv()
            if kind == "report":
                return dict(what)
            if kind == "error":
                raise RuntimeError(what)
            bar.update()


def _measure(parent: Any, folder: str) -> None:
    """Measure in the new process, and tell the parent."""
    tempfile.tempdir = folder
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)  # Ray's own processes inherit both, and talk
    os.dup2(nothing, 2)

    @contextmanager
    def progress(total: int, what: str, unit: str) -> Iterator[Callable[[], object]]:
        parent.send(("total", total))
        yield lambda: parent.send(("step", 1))

    try:
        from radixlab.bench.replicas import measure_replicas

        report = measure_replicas("radixlab bench replicas --quick", None, True, progress)
        parent.send(("report", report.as_json()))
    except Exception as error:
        parent.send(("error", f"{type(error).__name__}: {error}"))
