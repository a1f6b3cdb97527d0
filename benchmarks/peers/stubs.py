"""Load part of a large engine from its unpacked wheel, without what that part does not need.

`import sglang.srt.mem_cache.radix_cache` would also want CUDA kernels, a web server and model code.
An import hook lets through the few packages that a cache is made of, and answers every other import
of the peer's own files with a module that agrees to anything. Nobody else's imports are touched,
and no file of a peer is changed. That nothing a cache needs was replaced shows in its hit rates.
"""

import importlib
import os
import sys
from collections.abc import Iterable, Iterator
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any


class _Agree(type):
    """The class of stand-ins: they can be called, subscripted, compared and subclassed."""

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any], **_: Any) -> Any:
        return super().__new__(mcs, name, tuple(b for b in bases if type(b) is _Agree), body)

    def __init__(cls, *args: Any, **_: Any) -> None:
        super().__init__(*args)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return stand_in(name)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        decorated = args[0] if len(args) == 1 and not kwargs and callable(args[0]) else None
        return decorated or (super().__call__() if cls.__bases__ != (object,) else cls)

    def __getitem__(cls, item: Any) -> Any:
        return cls

    def __iter__(cls) -> Iterator[Any]:
        return iter(())

    def __bool__(cls) -> bool:
        return False

    def __or__(cls, other: Any) -> Any:
        return cls

    __ror__ = __or__

    def _never(cls, other: Any) -> bool:
        return False

    __lt__ = __le__ = __gt__ = __ge__ = _never


def stand_in(name: str) -> Any:
    """Make one that is called `name`."""
    return _Agree(name, (), {})


class _StubModule(ModuleType):
    """A module in which every name is a stand-in, but for modules below it that are real."""

    real: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        full = f"{self.__name__}.{name}"
        if any(f"{real}.".startswith(f"{full}.") for real in self.real):
            return importlib.import_module(full)
        return stand_in(name)


class PeerFinder:
    """Finds a peer's modules below `folder`: those of `real` as they are, the rest as stubs.

    Packages on the way to a real module are made without running their `__init__`, which would
    patch and import the whole engine. What is not installed is a stub too, for the peer's own
    files only. `stubbed` remembers the names.
    """

    def __init__(self, folder: Path, real: Iterable[str]) -> None:
        self.folder = folder.resolve()
        self.real = tuple(real)
        self.packages = {name.partition(".")[0] for name in self.real}
        self.files = tuple(f"{self.folder}{os.sep}{name}{os.sep}" for name in self.packages)
        self.stubbed: set[str] = set()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return a spec for a stub or a bare package; None leaves the module to other finders."""
        if name.partition(".")[0] in self.packages:
            if any(f"{name}.".startswith(f"{real}.") for real in self.real):
                return None
            if any(real.startswith(f"{name}.") for real in self.real):
                return self._bare(name)
        elif not self._is_missing_for_peer(name):
            return None
        self.stubbed.add(name)
        return ModuleSpec(name, self, is_package=True)

    def _bare(self, name: str) -> ModuleSpec:
        spec = ModuleSpec(name, self, is_package=True)
        spec.submodule_search_locations = [str(self.folder.joinpath(*name.split(".")))]
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Make the stub."""
        module = _StubModule(spec.name)
        module.real = self.real
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run."""

    def _is_missing_for_peer(self, name: str) -> bool:
        frame = sys._getframe(1)
        while frame and _is_machinery(frame.f_code.co_filename):
            frame = frame.f_back
        asked_by_peer = frame is not None and frame.f_code.co_filename.startswith(self.files)
        root = name.partition(".")[0]
        return root in self.stubbed or (asked_by_peer and not _is_installed(root))


def _is_installed(name: str) -> bool:
    return name in sys.modules or PathFinder.find_spec(name) is not None


def _is_machinery(filename: str) -> bool:
    return filename == __file__ or filename.startswith("<frozen importlib")


def make_importable(folder: Path, real: Iterable[str]) -> PeerFinder:
    """Let a peer be imported from `folder`; the finder stays, for what it imports while it runs."""
    finder = PeerFinder(folder, real)
    sys.meta_path.insert(0, finder)
    return finder
