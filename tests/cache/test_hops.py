"""How far a prompt travels: the calls of the engine that it is handed to on the plain path.

Run it as a script for the list: `python -m tests.cache.test_hops`.
"""

import ast
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import radixlab.cache
from radixlab.build import is_compiled
from radixlab.cache import CacheConfig, KVCacheManager, Sequence, Tokens
from radixlab.cache.found import Found

CACHE = Path(radixlab.cache.__file__).parent
CARRIES_IT = (Tokens, Sequence, Found)
"""A prompt is handed on as itself, as the sequence that owns it, or as what was found of it."""


def hops(call: Callable[[], Any]) -> list[tuple[str, str]]:
    """List the calls, `(file, function)`, that get the prompt as an argument, in order."""
    seen = []

    def watch(frame: FrameType, event: str, _: Any) -> None:
        file = Path(frame.f_code.co_filename)
        if event != "call" or CACHE not in file.parents:
            return
        names = frame.f_code.co_varnames[: frame.f_code.co_argcount]
        if any(isinstance(frame.f_locals.get(name), CARRIES_IT) for name in names):
            seen.append((file.relative_to(CACHE).as_posix(), frame.f_code.co_qualname))

    sys.setprofile(watch)
    try:
        call()
    finally:
        sys.setprofile(None)
    return seen


def plain_path() -> dict[str, list[tuple[str, str]]]:
    """Serve a request that hits a prefix, evicts, and stores blocks; a plain cache, no listener."""
    manager = KVCacheManager(CacheConfig(num_blocks=8, block_size=4))
    for prompt in ([1] * 12 + [2] * 5, [3] * 16):
        first = manager.allocate(prompt)
        manager.commit(first, len(prompt))
        manager.release(first)
    prompt, kept = Tokens([1] * 12 + [4] * 9, reserve_tokens=4), []
    allocate = hops(lambda: kept.append(manager.allocate(prompt, reserve_tokens=4)))
    [sequence] = kept
    assert sequence.hit_tokens == 12 and manager.counts.evicted_blocks == 4
    return {"allocate": allocate, "commit": hops(lambda: manager.commit(sequence, 21))}


@pytest.mark.skipif(is_compiled(), reason="compiled functions have no frames to count")
@pytest.mark.parametrize(("name", "calls", "files"), [("allocate", 14, 8), ("commit", 14, 6)])
def test_the_plain_path_is_short(name: str, calls: int, files: int) -> None:
    path = plain_path()[name]
    assert len(path) <= calls and len({file for file, _ in path}) <= files, path
    assert len(path) >= 3  # the count saw something


def imports() -> dict[str, set[str]]:
    """Map each module of the cache to those that it imports, under `TYPE_CHECKING` too."""
    names = {
        ".".join(("radixlab", "cache", *path.relative_to(CACHE).with_suffix("").parts)): path
        for path in CACHE.rglob("*.py")
    }
    return {
        name: {
            f"{node.module}.{alias.name}" if f"{node.module}.{alias.name}" in names else node.module
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
        }
        & (names.keys() | {"radixlab.cache"})
        for name, path in names.items()
    }


@pytest.mark.skipif(is_compiled(), reason="about the source")
def test_no_import_goes_in_a_circle() -> None:
    left = imports()
    assert len(left) > 30 and all("radixlab.cache" not in of for of in left.values())
    while free := [name for name, needs in left.items() if not needs & left.keys()]:
        for name in free:
            del left[name]
    assert left == {}


if __name__ == "__main__":
    for title, path in plain_path().items():
        print(f"{title}: {len(path)} calls in {len({file for file, _ in path})} files")
        for file, function in path:
            print(f"    {file:14} {function}")
