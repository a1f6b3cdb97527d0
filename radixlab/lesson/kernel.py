"""The course inside a kernel: it guards the cells of lessons and defines `%%exercise`.

`radixlab lab` loads this extension (`radixlab.lesson.kernel`) into every kernel, so that it is also
loaded after a restart. Elsewhere, importing `radixlab.lesson` starts the guard.

A cell is refused by replacing its syntax tree with one `print`. This works in every front end,
shows no traceback, and happens after IPython has named the cell that it is about to run.
"""

import ast
import os
from pathlib import Path
from typing import Any

from radixlab.grade import copies
from radixlab.home import is_static
from radixlab.lesson import sections
from radixlab.lesson.exercises import progress
from radixlab.lesson.guard import Guard

MAGICS = "radixlab.grade"
FOLDER_VARIABLE = "RADIXLAB_GUARDED"
"""The variable with the folder of sections that `make notebooks` uses; by default the package's."""


def load_ipython_extension(shell: Any) -> None:
    """Prepare a kernel at its start."""
    install(shell)
    if not is_static() and copies.behind(_notebook()):
        _tell_once(shell, copies.newer_line(_notebook()))
    shell.extension_manager.load_extension(MAGICS)
    shell.push({"progress": progress}, interactive=False)


def install(shell: Any) -> None:
    """Guard the cells that this shell will run; a second call changes nothing."""
    if not any(isinstance(known, Doorkeeper) for known in shell.ast_transformers):
        keeper = Doorkeeper(shell, _guard())
        shell.ast_transformers.append(keeper)
        shell.events.register("pre_run_cell", keeper.before)
        shell.events.register("post_run_cell", keeper.after)


def install_here() -> None:
    """Guard the current kernel, if there is one."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is not None and hasattr(shell, "kernel"):
        install(shell)


def _tell_once(shell: Any, line: str) -> None:
    """Print a line above the output of the first cell that runs."""

    def tell(*_: object) -> None:
        print(line)
        shell.events.unregister("pre_run_cell", tell)

    shell.events.register("pre_run_cell", tell)


def _notebook() -> Path:
    """Return the path of the notebook for which Jupyter started this kernel, if known."""
    return Path(os.environ.get("JPY_SESSION_NAME", ""))


def _guard() -> Guard:
    folder = Path(os.environ.get(FOLDER_VARIABLE) or sections.FOLDER)
    return Guard(sections.lessons(folder), _notebook().stem)


class Doorkeeper(ast.NodeTransformer):
    """Asks the guard before each cell, and reports to it how the cell ended."""

    def __init__(self, shell: Any, guard: Guard) -> None:
        self._shell, self._guard = shell, guard
        self._running: list[tuple[str, str | None] | None] = []  # a magic may run a cell in a cell
        self._refusal: str | None = None

    def before(self, info: Any) -> None:
        """Decide whether the cell may run; a refused cell is not recorded as run."""
        cell = info.raw_cell, getattr(info, "cell_id", None)
        self._refusal = self._guard.refusal(*cell, self._is_defined)
        self._running.append(None if self._refusal else cell)
        if self._refusal is None:
            self._guard.begin(*cell)

    def visit(self, node: ast.AST) -> Any:
        """Replace a cell's code with the refusal."""
        if self._refusal is None:
            return node
        said, self._refusal = self._refusal, None
        return ast.parse(f"__import__('builtins').print({said!r})")

    def after(self, result: Any) -> None:
        """Report to the guard how the cell ended; a cancelled cell has no result."""
        self._refusal = None
        cell = self._running.pop() if self._running else None
        if cell is not None:
            self._guard.end(*cell, succeeded=bool(result is not None and result.success))

    def _is_defined(self, name: str) -> bool:
        return name in self._shell.user_ns
