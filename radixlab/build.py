"""Which build of the cache runs: its sources as they are, or compiled by mypyc (`make fast`).

This file knows where modules are found; it does not know what is in them.
"""

import hashlib
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path

HEART = "radixlab.cache.manager"
PURE = "pure Python"
COMPILED = "compiled by mypyc"


def is_compiled(module: str = HEART) -> bool:
    """Whether Python takes this module from an extension, and not from its source.

    >>> is_compiled("radixlab.build")
    False
    """
    spec = find_spec(module)
    return bool(spec and spec.origin and spec.origin.endswith(tuple(EXTENSION_SUFFIXES)))


def cache_build() -> str:
    """Name the build of the cache that runs here."""
    return COMPILED if is_compiled() else PURE


def source_digest() -> str:
    """Return a digest of the cache's source, which both builds carry: equal for equal files.

    >>> len(source_digest())
    64
    """
    folder, digest = Path(__file__).parent / "cache", hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
