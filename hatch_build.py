"""The compiled build: the cache's own source through mypyc, when RADIXLAB_MYPYC=1.

Without that variable this hook does nothing, and `pip install -e .` needs no compiler. With it, a
wheel holds each module of the cache twice: the `.py` that lessons show, and beside it an extension
module made from that very file, which Python prefers. All work is done on a copy of the sources, so
a checkout never holds an extension module: there, it would hide the `.py` next to it.

This is the one place that says which modules are compiled, and why the others are not.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # the lists below can be read without a build system
    BuildHookInterface = object

SWITCH = "RADIXLAB_MYPYC"
SILENT = "RADIXLAB_SILENT"
"""With this set to 1 too, what is compiled does not emit events: so `radixlab bench tree` can say
what they cost when nobody listens. The `.py` files in the wheel are the same."""
COMPILED_FOLDER = "radixlab/cache"
COMPILED_TOO = ("radixlab/log.py",)
"""Outside of that folder: what each step of a request asks."""
LEFT_OUT = {
    "*/__init__.py": "names only",
    "*/protocols.py": "no interpreted class, such as a learner's policy, can inherit from a "
    "compiled Protocol",
    "*/errors.py": "mypyc cannot compile an heir of AssertionError",
    "*/proof/*.py": "runs beside the cache and not in it; learners' stores inherit from a contract "
    "there, the control is measured as Python, and the canary's error is an heir of AssertionError",
    "*/transfer.py": "an heir of an interpreted class, `collections.abc.Sequence`",
    "*/work.py": "is made once a sequence and step, and read by the model, which is interpreted",
    "*/rules.py": "a table, which is read and never hot",
    "*/eviction/[!l]*.py": "a policy that is not the default, for learners to copy and change",
    "*/eviction/lfu.py": "the same",
    "*/eviction/life_table.py": "the same",
}
"""Which files stay interpreted in the compiled build, and why. A `*` matches `/` too."""
SUBCLASSED = ("KVCacheManager", "RadixTree", "Commit", "BlockSupply", "LRU")
"""Compiled classes from which lessons, benchmarks and learners inherit.

The others are closed: to make an object of an heir raises a TypeError that says so.
"""
C_FLAGS = "-fno-semantic-interposition -fno-plt"
"""For gcc and clang: nobody replaces the module's own functions, so they are called directly. It
saves about two hundredths of a request. `CFLAGS`, if set, takes its place."""


class MypycHook(BuildHookInterface):
    """Adds the extension modules to a wheel."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Name what the build needs beside hatchling."""
        return ["mypy>=1.19", "numpy>=1.26", "setuptools>=77"] if is_wanted() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and tell hatchling where the results are."""
        if not is_wanted() or self.target_name != "wheel" or version == "editable":
            return
        self.folder = Path(tempfile.mkdtemp(prefix="radixlab-mypyc-"))
        files = compile_copy(Path(self.root), self.folder)
        build_data["force_include"].update({str(self.folder / file): file for file in files})
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Drop the copy."""
        if folder := getattr(self, "folder", None):
            shutil.rmtree(folder, ignore_errors=True)


def is_wanted() -> bool:
    """Whether the caller asked for the compiled build."""
    return os.environ.get(SWITCH) == "1"


def compiled_modules(root: Path) -> list[str]:
    """List the files to compile, relative to the project's root."""
    files = sorted((root / COMPILED_FOLDER).rglob("*.py"))
    inside = [file.relative_to(root).as_posix() for file in files if not why_left_out(root, file)]
    return [*inside, *COMPILED_TOO]


def why_left_out(root: Path, file: Path) -> str | None:
    """Say why a file stays interpreted; None for one that is compiled."""
    return next((why for pattern, why in LEFT_OUT.items() if matches(root, file, pattern)), None)


def matches(root: Path, file: Path, pattern: str) -> bool:
    """Whether a file is one of a pattern of `LEFT_OUT`."""
    return fnmatch(file.relative_to(root).as_posix(), pattern)


def compile_copy(root: Path, folder: Path) -> list[str]:
    """Copy the sources to `folder` and compile them there; list the extension modules made."""
    modules = compiled_modules(root)
    shutil.copytree(root / "radixlab", folder / "radixlab", ignore=skip_unneeded)
    shutil.copy(root / "pyproject.toml", folder / "mypy.toml")  # setuptools must not read it
    for module in modules:
        file = folder / module
        source = open_classes(file.read_text(encoding="utf-8"))
        if os.environ.get(SILENT) == "1":
            source = silenced(root, source)
        file.write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "mypyc", "--config-file=mypy.toml", *modules]
    flags = {"CFLAGS": C_FLAGS} if os.name == "posix" else {}
    done = subprocess.run(
        command, cwd=folder, env=flags | os.environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        raise SystemExit("\n".join(["mypyc failed:", *errors(done.stdout + done.stderr)]))
    made = [
        file.relative_to(folder) for suffix in ("*.so", "*.pyd") for file in folder.rglob(suffix)
    ]
    return [file.as_posix() for file in made if "build" not in file.parts]


def silenced(root: Path, source: str) -> str:
    """Take the statements that emit events out of a module, by the benchmark's own code."""
    sys.path.insert(0, str(root))
    from radixlab.bench.silent import without_emits

    return without_emits(source)


def errors(output: str) -> list[str]:
    """Find the lines that say what is wrong; without any, the last ones."""
    lines = output.splitlines()
    return [line for line in lines if "error:" in line][:40] or lines[-40:]


def skip_unneeded(_: str, names: list[str]) -> set[str]:
    """Leave caches out of the copy."""
    return {name for name in names if name == "__pycache__"}


def open_classes(source: str) -> str:
    """Let interpreted classes inherit from those of `SUBCLASSED`.

    What mypyc needs for it takes the place of the two blank lines above the class, so that no line
    moves: tracebacks of the compiled build name the lines that readers see.
    """
    opened = (
        r"import mypy_extensions\n@mypy_extensions.mypyc_attr(allow_interpreted_subclasses=True)"
    )
    names = "|".join(SUBCLASSED)
    return re.sub(rf"\n\n\n(class (?:{names})\b)", rf"\n{opened}\n\1", source)
