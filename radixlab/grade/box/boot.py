"""What the box's Python begins with: what it can import, and what it may read.

It can import two folders of this package, and NumPy and msgpack, but no other package, although all
installed packages may lie in one folder.
"""

import functools
import os
import site
import sys
import sysconfig
from pathlib import Path

import msgpack
import numpy

_HERE = Path(__file__).resolve().parent
_EXERCISE = _HERE.parents[1] / "exercise"
_BOOT = """
import importlib.util, sys, types
packages, libraries = {packages!r}, {libraries!r}
sys.path[:] = {path!r}
for name, folders in packages.items():
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = folders
class Libraries:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if folder := libraries.get(name):
            return importlib.util.spec_from_file_location(
                name, folder + "/__init__.py", submodule_search_locations=[folder])
sys.meta_path.append(Libraries)
from radixlab.grade.box.inside import main
main(**{asked!r})
"""
_SYSTEM = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo"),
    *("/nix/store", "/etc/ld.so.cache", "/etc/localtime", "/proc/cpuinfo"),
    *("/dev/urandom", "/dev/random", "/dev/zero", "/sys/devices/system/cpu"),
)
"""What a Python with NumPy may want to read, beside its own files."""


def boot_code(stack: int) -> str:
    """Return the program of a box; `stack` is the file for the lines of an endless loop."""
    stdlib = sysconfig.get_paths()["stdlib"]
    packages = {
        "radixlab": [],
        "radixlab.exercise": [str(_EXERCISE)],
        "radixlab.grade": [],
        "radixlab.grade.box": [str(_HERE)],
    }
    return _BOOT.format(
        path=[p for p in sys.path if Path(p).is_relative_to(stdlib) and "-packages" not in p],
        packages=packages,
        libraries=_libraries(),
        asked={"judge": os.getpid(), "stack": stack, **_readable()},
    )


@functools.cache
def _libraries() -> dict[str, str]:
    """Return the folders of what a submission may import beside the standard library."""
    return {
        str(module.__name__): str(Path(str(module.__file__)).resolve().parent)
        for module in (numpy, msgpack)
    }


@functools.cache
def _readable() -> dict[str, list[str]]:
    """Return what the box may read: folders, without those hidden in them, and more folders."""
    stdlib = Path(sysconfig.get_paths()["stdlib"]).resolve()
    folders = {str(stdlib.parent), *(os.path.realpath(path) for path in _SYSTEM)}
    installed = {*sys.path, *site.getsitepackages(), str(stdlib / "site-packages")}
    hidden = {
        os.path.realpath(path)
        for path in (*installed, "/usr/lib/python3/dist-packages")
        if Path(path).name in ("site-packages", "dist-packages")
    }
    libraries = [path for name in _libraries().values() for path in (name, f"{name}.libs")]
    return {
        "folders": sorted(folders),
        "hidden": [*hidden, str(_HERE.parents[2])],  # ours, solutions included
        "more": [*libraries, str(_EXERCISE)],
    }
