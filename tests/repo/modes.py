"""Ways in which people run a notebook, and what each cell shows in them.

A learner runs cells twice, out of order, and goes on in the middle on the next day. Whatever the
order: a cell shows what is committed, or says in one line why it did not run.
"""

import copy
import json
import os
import random
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from radixlab.cli.jupyter import kernel as lab_kernel
from radixlab.home import static_environment
from radixlab.lesson.cells import core_cells
from radixlab.lesson.publish.rules import is_ignored
from radixlab.lesson.publish.tags import lesson_of

ROOT = Path(__file__).parents[2]
REFUSED = re.compile(r"This cell (continues a section|needs \S+, which is not defined yet)\..*\n?")
FIRST_KEPT = "the first answer is kept"
RESTART = None
"""Stands for a restart in a list of cells to run."""
CELL_TIMEOUT_S = 300


@dataclass(frozen=True)
class Shown:
    """What a run of a cell showed."""

    text: str
    errors: tuple[str, ...]  # "NameError: name 'cache' is not defined"
    stderr: str = ""


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def without_idle_cells(notebook):
    """The notebook without cells that nobody compares and on which no other cell depends."""
    lean = copy.deepcopy(notebook)
    lesson = lesson_of(notebook)
    wanted = {giver for cell in lesson.values() for giver in cell.needs.values()}
    wanted |= {cell.id for cell in lesson.values() if cell.kind in ("fresh", "step")}
    lean.cells = [
        cell
        for cell in notebook.cells
        if cell.cell_type != "code" or not is_ignored(cell) or cell["id"] in wanted
    ]
    return lean


def all_twice(notebook):
    return code_cells(notebook) * 2


def each_twice(notebook):
    return [cell for cell in code_cells(notebook) for _ in range(2)]


def shuffled(seed):
    def order(notebook):
        cells = code_cells(notebook)
        random.Random(seed).shuffle(cells)
        return cells

    return order


def restart_in_the_middle(notebook):
    cells = code_cells(notebook)
    middle = len(cells) // 2
    return [*cells[:middle], RESTART, *cells[middle:], *cells]


def core_only(notebook):
    return [cell for cell in core_cells(notebook.cells) if cell.cell_type == "code"]


MODES: dict[str, Callable] = {
    "all-twice": all_twice,
    "each-twice": each_twice,
    "restart": restart_in_the_middle,
    "shuffled-0": shuffled(0),
    "shuffled-1": shuffled(1),
    "shuffled-2": shuffled(2),
    "core-only": core_only,
}


@contextmanager
def running_kernel(folder, **settings) -> Iterator["Kernel"]:
    """A kernel as `radixlab lab` starts it, on a bare machine, in a notebook's folder."""
    with tempfile.TemporaryDirectory() as scratch:
        spec = Path(scratch) / "kernels" / "python3"
        spec.mkdir(parents=True)
        (spec / "kernel.json").write_text(json.dumps(lab_kernel()))
        manager = KernelManager()
        manager.kernel_spec_manager = KernelSpecManager(kernel_dirs=[str(spec.parent)])
        environment = os.environ | static_environment(Path(scratch)) | settings
        manager.start_kernel(cwd=str(folder), env=environment)
        try:
            yield Kernel(manager)
        finally:
            manager.shutdown_kernel(now=True)


class Kernel:
    """Runs cells one at a time."""

    def __init__(self, manager):
        self.manager = manager
        self._connect()

    def _connect(self):
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=CELL_TIMEOUT_S)

    def restart(self):
        self.client.stop_channels()
        self.manager.restart_kernel(now=True)
        self._connect()

    def run(self, source, cell_id=None):
        content = {"code": source, "silent": False, "store_history": True}
        content |= {"user_expressions": {}, "allow_stdin": False, "stop_on_error": False}
        metadata = {"cellId": cell_id} if cell_id else {}
        message = self.client.session.msg("execute_request", content, metadata=metadata)
        self.client.shell_channel.send(message)
        texts, errors, stderr = [], [], []
        while True:
            try:
                answer = self.client.get_iopub_msg(timeout=CELL_TIMEOUT_S)
            except Empty:
                raise TimeoutError(f"no end of {source!r}") from None
            if answer["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            kind, said = answer["header"]["msg_type"], answer["content"]
            if kind == "status" and said["execution_state"] == "idle":
                break
            if kind == "stream":
                (stderr if said["name"] == "stderr" else texts).append(said["text"])
            elif kind in ("execute_result", "display_data"):
                texts.append(said["data"].get("text/plain", "") + "\n")
            elif kind == "error":
                errors.append(f"{said['ename']}: {said['evalue']}")
        return Shown("".join(texts), tuple(errors), "".join(stderr))


def committed(cell):
    """What the notebook says that a cell shows."""
    texts, errors = [], []
    for output in cell.outputs:
        if output.output_type == "error":
            errors.append(f"{output.ename}: {output.evalue}")
        elif output.output_type == "stream" and output.name != "stderr":
            texts.append(output.text)
        elif output.output_type in ("execute_result", "display_data"):
            texts.append(output.data.get("text/plain", "") + "\n")
    return Shown("".join(texts), tuple(errors))


SANITIZED = re.findall(
    r"^regex: (.*)\nreplace: (.*)",
    (ROOT / "tests" / "nbval_sanitize.cfg").read_text(),
    re.MULTILINE,
)


def sanitize(text):
    """Leave out what differs from machine to machine, by nbval's rules."""
    for pattern, instead in SANITIZED:
        text = re.sub(pattern, instead, text)
    return text


def fault(cell, shown):
    """What is wrong with what a cell showed; None if nothing is."""
    if REFUSED.fullmatch(shown.text) and not shown.errors:
        return None
    unknown = [error for error in shown.errors if not error.startswith("NameError: name ")]
    expected = committed(cell)
    if expected.errors and shown.errors == expected.errors:
        unknown = []
    if unknown or (shown.stderr and not is_ignored(cell)):
        return f"{cell['id']}: {(*unknown, shown.stderr.strip())}"
    if is_ignored(cell) or shown.errors or FIRST_KEPT in shown.text:
        return None
    if sanitize(shown.text) != sanitize(expected.text):
        return f"{cell['id']}: shows\n{shown.text}instead of\n{expected.text}"
    return None


def faults(notebook, folder, order, *, with_ids=True, **settings):
    """Run cells in an order, in one kernel; return what was wrong, and how many cells refused."""
    found, refused = [], 0
    with running_kernel(folder, **settings) as kernel:
        for cell in order(notebook):
            if cell is RESTART:
                kernel.restart()
                continue
            shown = kernel.run(cell.source, cell["id"] if with_ids else None)
            wrong = fault(cell, shown)
            found += [wrong] if wrong else []
            refused += bool(REFUSED.fullmatch(shown.text))
    return found, refused
