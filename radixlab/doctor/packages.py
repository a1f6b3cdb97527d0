"""The Python packages that radixlab can use, and how each is looked at.

Nothing is imported before its own check runs: any of it may be missing, broken or too old.
"""

import importlib
import platform
import re
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import radixlab
from radixlab.doctor.part import Lacking
from radixlab.extras import MODULES_OF, requirements_of

OLDEST_PYTHON = (3, 11)
NOTEBOOK_MODULES = (
    *("anywidget", "graphviz", "ipykernel", "ipywidgets", "jinja2", "matplotlib"),
    *("mistune", "msgpack", "nbclient", "nbformat", "PIL"),
)
"""What the lessons import, with JupyterLab and pygraphviz, which have lines of their own."""
SERVER_MODULES = ("fastapi", "httpx", "openai", "prometheus_client", "rich", "uvicorn", "zmq")
TINY_FILES = ("config.json", "model.safetensors", "tokenizer.json")


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
    """Look for what the lessons import, and at its versions."""
    return _all_of("lab", NOTEBOOK_MODULES)


def server_packages() -> str:
    """Look for what the server and its clients import, and at its versions."""
    return _all_of("serve", SERVER_MODULES)


def _all_of(extra: str, modules: tuple[str, ...]) -> str:
    gone = [module for module in modules if not is_there(module)]
    if gone:
        raise Lacking(f"{', '.join(gone)} not installed: pip install 'radixlab[{extra}]'")
    if old := too_old(extra):
        raise Lacking(f"too old: {', '.join(old)}: pip install --upgrade 'radixlab[{extra}]'")
    return f"all {len(modules)}, {modules[0]} to {modules[-1]}"


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


def ray() -> str:
    """Look for what several replicas need, without starting it."""
    return version("ray")


def tiny_model() -> str:
    """Look for the files of the model that the course brings along."""
    folder = Path(radixlab.__file__).parent / "model" / "tiny" / "weights"
    gone = [name for name in TINY_FILES if not (folder / name).is_file()]
    if gone:
        raise Lacking(f"no {', '.join(gone)} in radixlab/model/tiny/weights: reinstall radixlab")
    return f"{sum((folder / name).stat().st_size for name in TINY_FILES) / 1e6:.1f} MB"


def too_old(extra: str) -> list[str]:
    """Name the installed packages of an extra that are older than radixlab asks for."""
    found = []
    for name, oldest in requirements_of(extra):
        try:
            own = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        if numbers(own) < numbers(oldest):
            found.append(f"{MODULES_OF.get(name, name)} {own}, {oldest} is needed")
    return found


def numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version, so that versions can be compared.

    >>> numbers("5.10.4") > numbers("5.9"), numbers("2.0rc1")
    (True, (2, 0))
    """
    leading = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, leading[0].split("."))) if leading else ()


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
