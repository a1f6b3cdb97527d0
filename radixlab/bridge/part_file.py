"""A tree or a policy of one's own, named as `FILE.py:NAME` in an environment variable.

SGLang and vLLM start processes of their own, and pass no options of ours to them. An environment
variable reaches all of them.
"""

import hashlib
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from radixlab.bridge.errors import PartFileError, raised

TREE = "RADIXLAB_TREE"
POLICY = "RADIXLAB_POLICY"


def part_of(variable: str, example: str) -> Callable[..., Any]:
    """Return the class or function that an environment variable names.

    Raises `PartFileError` with what is wrong: no such variable, file or name, or a file that fails.
    """
    text = os.environ.get(variable, "")
    file, colon, name = text.rpartition(":")
    if not (file and colon and name):
        raise PartFileError(f"{variable} is {text!r}; set it to FILE.py:NAME, such as {example}")
    path = Path(file)
    if path.suffix != ".py" or not path.is_file():
        raise PartFileError(f"{variable}: {file} is not a .py file")
    part = getattr(_run(variable, path), name, None)
    if not callable(part):
        raise PartFileError(f"{variable}: {file} has no class or function {name}")
    made: Callable[..., Any] = part
    return made


def _run(variable: str, path: Path) -> Any:
    """Import a file under a name of its own, so that it hides no module."""
    name = f"radixlab_part_{hashlib.sha256(bytes(path.resolve())).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their own module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise PartFileError(f"{variable}: {raised(str(path), error)}") from error
    return module
