"""The settings with which the course starts JupyterLab: files, and environment variables.

This file knows Jupyter's folders. Settings that a learner changes override all of this.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from radixlab import __version__

_HERE = Path(__file__).parent
KERNEL_EXTENSION = "radixlab.lesson.kernel"

PAGE = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
"""No question about a newsletter."""

OVERRIDES = {
    "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True},
    "@jupyterlab/notebook-extension:tracker": {
        "codeCellConfig": {"lineNumbers": False, "lineWrap": True}
    },
}
"""A saved notebook keeps its views and guesses: they can be read on another day, without a kernel.
A line of code that is wider than its cell goes on below: in a narrow window nothing is cut off.
"""

PLUGIN = {
    "name": "radixlab",
    "version": __version__,
    "jupyterlab": {"_build": {"load": "saved_views.js", "extension": "./plugin"}},
}
"""JupyterLab loads saved_views.js, without which it may show an error in place of a saved view."""

SAVE_HOOK = "radixlab.cli.saved_views.keep_views"
"""JupyterLab forgets that state when a kernel restarts; this function carries it over."""


def settings(home: Path) -> dict[str, str]:
    """Write what Jupyter reads from files below `home`; return the environment to start it in.

    Where no file can be written, JupyterLab starts without these files.
    """
    environment = {"PATH": _with(str(Path(sys.executable).parent), "PATH")}
    try:
        for name, content in _files().items():
            file = home / name
            file.parent.mkdir(parents=True, exist_ok=True)
            text = content if isinstance(content, str) else json.dumps(content, indent=1)
            file.write_text(text, encoding="utf-8")
    except OSError:
        return environment
    return environment | {
        "JUPYTER_CONFIG_PATH": _with(str(home), "JUPYTER_CONFIG_PATH"),
        "JUPYTER_PATH": _with(str(home), "JUPYTER_PATH"),
    }


def _files() -> dict[str, Any]:
    return {
        "labconfig/page_config.json": PAGE,
        "labconfig/default_setting_overrides.json": OVERRIDES,
        "jupyter_server_config.json": _server(),
        "kernels/python3/kernel.json": kernel(),
        "labextensions/radixlab/package.json": PLUGIN,
        "labextensions/radixlab/saved_views.js": (_HERE / "saved_views.js").read_text("utf-8"),
    }


def kernel() -> dict[str, Any]:
    """Return the kernel that notebooks ask for by the name `python3`, with the course's extension.

    Jupyter looks here before it looks into the Python environment, at each start and restart.
    """
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    return {
        "argv": [*argv, f"--InteractiveShellApp.extra_extensions={KERNEL_EXTENSION}"],
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "metadata": {"debugger": True},
    }


def _server() -> dict[str, Any]:
    files = {"ContentsManager": {"pre_save_hook": SAVE_HOOK}}
    if os.name != "posix":
        return files
    # Not a login shell, which Jupyter takes where it has no terminal: that would reset PATH.
    shell = [os.environ.get("SHELL") or "sh"]
    return files | {"ServerApp": {"terminado_settings": {"shell_command": shell}}}


def _with(first: str, variable: str) -> str:
    """Return a list of folders, as the environment has it, with one more in front."""
    others = os.environ.get(variable)
    return os.pathsep.join([first, *([others] if others else [])])
