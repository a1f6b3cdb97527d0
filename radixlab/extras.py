"""Which extra of radixlab brings a missing package, by the metadata of radixlab."""

import re
from collections.abc import Iterator
from importlib import metadata

MODULES_OF = {"pillow": "PIL", "prometheus-client": "prometheus_client", "pyzmq": "zmq"}
"""Packages whose module has another name."""


def what_to_install(error: ImportError) -> str | None:
    """Say which package is missing, and which extra of radixlab brings it.

    None for an error that does not tell of a missing package: it is a fault of somebody's code.

    >>> what_to_install(ModuleNotFoundError("No module named 'torch'", name="torch"))
    "torch is not installed: pip install 'radixlab[model]'"
    """
    module = (error.name or "").partition(".")[0]
    if not isinstance(error, ModuleNotFoundError) or module in ("", "radixlab"):
        return str(error) if "pip install" in str(error) else None  # ours say it themselves
    extras = list(_extras_with(module))
    package = next((name for name, its in MODULES_OF.items() if its == module), module)
    how = f"pip install 'radixlab[{extras[0]}]'" if extras else f"pip install {package}"
    return f"{module} is not installed: {how}"


def requirements_of(extra: str) -> Iterator[tuple[str, str]]:
    """Yield `(package, oldest version)` for each package of an extra that has an oldest version."""
    for requirement in _requirements():
        found = re.match(r"([\w.-]+)[^;]*?>=\s*([\w.]+)", requirement)
        if found and _extra_of(requirement) == extra:
            yield found[1], found[2]


def _extras_with(module: str) -> Iterator[str]:
    """Name the extras that bring a module, those for learners first."""
    for requirement in _requirements():
        package = re.match(r"[\w.-]+", requirement)
        extra = _extra_of(requirement)
        if package and extra and MODULES_OF.get(package[0], package[0]) == module:
            yield extra


def _requirements() -> list[str]:
    try:
        return metadata.requires("radixlab") or []
    except metadata.PackageNotFoundError:
        return []


def _extra_of(requirement: str) -> str | None:
    found = re.search(r"extra == ['\"]([\w-]+)['\"]", requirement)
    return found[1] if found else None
