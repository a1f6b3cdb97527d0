"""The parts of a machine that radixlab can use, and how each is looked at.

A check returns what it found, in a few words. It raises `Lacking` to say what to do, or lets any
exception through. Nothing is imported before its own check runs: any of it may be missing.
"""

import importlib
import os
import platform
import shutil
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import radixlab
from radixlab.home import learner_home

ALL_LESSONS = "all lessons"
LESSON_06 = "lesson 06"
OLDEST_PYTHON = (3, 11)
NOTEBOOK_MODULES = (
    *("anywidget", "graphviz", "ipykernel", "ipywidgets", "jinja2", "matplotlib"),
    *("msgpack", "nbclient", "nbformat", "PIL"),
)
"""What the lessons import, with JupyterLab and pygraphviz, which have lines of their own."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
COMPILERS = ("cc", "gcc", "clang", "cl")
TINY_FILES = ("config.json", "model.safetensors", "tokenizer.json")
LEAST_FREE_GB = 1.0


class Lacking(Exception):
    """A part is not there; the message says what that means or what to do."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part by name, how to look at it, and which lessons need it."""

    name: str
    check: Callable[[], str]
    lessons: str = ""


def python() -> str:
    """Name the interpreter."""
    if sys.version_info < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        raise Lacking(f"{platform.python_version()}: install Python {oldest} or newer")
    return f"{platform.python_version()} on {platform.system()} {platform.machine()}"


def own_package() -> str:
    """Name the version and the build of the cache; importing it shows that it works."""
    from radixlab.build import cache_build

    return f"{radixlab.__version__}, the cache is {cache_build()}"


def numpy() -> str:
    """Import NumPy."""
    return str(importlib.import_module("numpy").__version__)


def jupyterlab() -> str:
    """Look for JupyterLab, without starting it."""
    return version("jupyterlab")


def notebook_packages() -> str:
    """Look for what the lessons import."""
    gone = [module for module in NOTEBOOK_MODULES if not is_there(module)]
    if gone:
        raise Lacking(f"{', '.join(gone)} not installed: pip install 'radixlab[lab]'")
    return f"all {len(NOTEBOOK_MODULES)}, {NOTEBOOK_MODULES[0]} to {NOTEBOOK_MODULES[-1]}"


def graphviz() -> str:
    """Lay a graph of two nodes out."""
    module = importlib.import_module("pygraphviz")
    drawn = module.AGraph("digraph { a -> b }").draw(format="svg", prog="dot")
    if b"<svg" not in drawn:
        raise Lacking(
            "pygraphviz draws nothing: reinstall it, pip install --force-reinstall pygraphviz"
        )
    return f"pygraphviz {module.__version__} draws"


def torch() -> str:
    """Import torch and multiply two numbers."""
    module = importlib.import_module("torch")
    assert module.ones(2, 2).matmul(module.ones(2, 2)).sum() == 8
    threads = module.get_num_threads()
    return f"{module.__version__}, {threads} thread{'s' if threads != 1 else ''}"


def triton() -> str:
    """Look for Triton; without a GPU its kernels run in an interpreter."""
    return version("triton")


def gpu() -> str:
    """Name the GPUs that torch sees."""
    module = importlib.import_module("torch")
    if not module.cuda.is_available():
        raise Lacking("none that torch can use: the lessons need none, kernels are interpreted")
    return ", ".join(map(module.cuda.get_device_name, range(module.cuda.device_count())))


def transformers() -> str:
    """Look for the oracle of our model."""
    return version("transformers")


def tiny_model() -> str:
    """Look for the files of the model that the course brings along."""
    folder = Path(radixlab.__file__).parent / "model" / "tiny" / "weights"
    gone = [name for name in TINY_FILES if not (folder / name).is_file()]
    if gone:
        raise Lacking(f"no {', '.join(gone)} in radixlab/model/tiny/weights: reinstall radixlab")
    return f"{sum((folder / name).stat().st_size for name in TINY_FILES) / 1e6:.1f} MB"


def browser() -> str:
    """Look for what the browser tests drive."""
    found = next(filter(shutil.which, BROWSERS), None)
    if found is None:
        raise Lacking("no Chromium on the PATH: only the browser tests need one, and skip")
    return f"{found}, playwright {version('playwright')}"


def sandbox() -> str:
    """Ask the grader what its fence lacks."""
    from radixlab.grade.box import missing_fence

    if lack := missing_fence():
        raise Lacking(lack)
    return "submissions are fenced in by Landlock and seccomp"


def compiler() -> str:
    """Look for what `make fast` needs."""
    found = next(filter(shutil.which, COMPILERS), None)
    if found is None:
        raise Lacking("no C compiler: only `make fast` needs one")
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        raise Lacking(
            "no Python.h: only `make fast` needs it; on Debian apt-get install python3-dev"
        )
    return f"{found}: `make fast` can compile the cache"


def disk() -> str:
    """Measure what is free where a learner's work goes."""
    folder = learner_home().absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e9
    if free < LEAST_FREE_GB:
        raise Lacking(f"{free:.1f} GB free for your work: make room for {LEAST_FREE_GB:g} GB")
    return f"{free:,.0f} GB free for your work"


def cores() -> str:
    """Count the cores that this process may use."""
    usable = getattr(os, "sched_getaffinity", None)
    number = len(usable(0)) if usable else os.cpu_count() or 1
    return f"{number} of {os.cpu_count() or number}"


PARTS = (
    Part("Python", python, ALL_LESSONS),
    Part("radixlab", own_package, ALL_LESSONS),
    Part("NumPy", numpy, ALL_LESSONS),
    Part("JupyterLab", jupyterlab, ALL_LESSONS),
    Part("notebook packages", notebook_packages, ALL_LESSONS),
    Part("Graphviz", graphviz, ALL_LESSONS),
    Part("torch", torch, LESSON_06),
    Part("tiny model", tiny_model, LESSON_06),
    Part("triton", triton),
    Part("GPU", gpu),
    Part("transformers", transformers),
    Part("browser for tests", browser),
    Part("grader's sandbox", sandbox),
    Part("C compiler", compiler),
    Part("free disk", disk),
    Part("cores", cores),
)
"""In the order in which they are told; what lessons need comes first."""


def is_there(module: str) -> bool:
    """Whether a module can be found; it is not imported."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def version(module: str) -> str:
    """Return the version of an installed package, whose module is not imported."""
    if not is_there(module):
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)
    return metadata.version(module)
