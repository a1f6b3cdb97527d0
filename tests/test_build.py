"""The two builds of the cache: which one is under test, what is compiled, who may inherit."""

import ast
import importlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import hatch_build
import radixlab
from radixlab.build import COMPILED, PURE, cache_build, is_compiled
from radixlab.cache import (
    LRU,
    CacheConfig,
    EvictionPolicy,
    KVCacheManager,
    RadixTree,
    Sequence,
    check,
)
from radixlab.cache.node import Node

IS_COMPILED = os.environ.get("RADIXLAB_BUILD") == "compiled"
INSTALLED = Path(radixlab.__file__).parents[1]
ROOT = Path(__file__).parents[1]
MODULES = hatch_build.compiled_modules(INSTALLED)
only_compiled = pytest.mark.skipif(not IS_COMPILED, reason="only under `make test-fast`")
only_source = pytest.mark.skipif(IS_COMPILED, reason="looks at the checkout")


@pytest.mark.parametrize("file", MODULES)
def test_the_modules_under_test_are_those_of_the_build(file: str) -> None:
    name = file.removesuffix(".py").replace("/", ".")
    module = importlib.import_module(name)
    assert module.__file__ and Path(module.__file__).parents[file.count("/")] == INSTALLED
    assert module.__file__.endswith(".py") != IS_COMPILED
    assert is_compiled(name) == IS_COMPILED


def test_the_build_is_named() -> None:
    assert cache_build() == (COMPILED if IS_COMPILED else PURE)
    assert (INSTALLED == ROOT) != IS_COMPILED, "the compiled build must not be the checkout's"


@only_source
def test_the_checkout_holds_no_extension_module() -> None:
    assert not [file for file in (ROOT / "radixlab").rglob("*") if file.suffix in (".so", ".pyd")]


@pytest.mark.parametrize("pattern", hatch_build.LEFT_OUT)
def test_every_pattern_of_what_is_left_out_matches_a_file(pattern: str) -> None:
    files = (INSTALLED / hatch_build.COMPILED_FOLDER).rglob("*.py")
    assert any(hatch_build.matches(INSTALLED, file, pattern) for file in files)


def test_what_a_request_runs_through_is_compiled() -> None:
    assert {f"radixlab/cache/{name}.py" for name in ("manager", "tree", "allocator")} < set(MODULES)


def compiled_classes() -> set[str]:
    trees = [ast.parse((INSTALLED / file).read_text(encoding="utf-8")) for file in MODULES]
    return {n.name for tree in trees for n in ast.walk(tree) if isinstance(n, ast.ClassDef)}


def sources() -> Iterator[tuple[Path, str]]:
    """Yield every Python text from which a learner's process may inherit."""
    for folder in ("radixlab", "benchmarks"):
        for path in (ROOT / folder).rglob("*.py"):
            yield path, path.read_text(encoding="utf-8")
    for folder in ("notebooks", "exercises", "solutions"):
        for path in (ROOT / folder).glob("*.ipynb"):
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
                if cell["cell_type"] == "code":
                    yield path, "".join(cell["source"])


def imported_from_the_cache(tree: ast.AST) -> set[str]:
    """Name what a text imports from radixlab's cache: other classes may have the same names."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("radixlab.cache")
        for alias in node.names
    }


@only_source
def test_every_compiled_class_with_heirs_is_open_and_every_open_one_exists() -> None:
    classes, heirs = compiled_classes(), set()
    for path, text in sources():
        try:
            tree = ast.parse(text)
        except SyntaxError:  # a cell magic
            continue
        names = imported_from_the_cache(tree)
        if path.suffix == ".ipynb":
            names = classes  # cells import in one place and inherit in another
        if path.is_relative_to(ROOT / hatch_build.COMPILED_FOLDER):
            names = set()  # compiled together
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                heirs |= {b.id for b in node.bases if isinstance(b, ast.Name)} & names & classes
    assert heirs <= set(hatch_build.SUBCLASSED), "hatch_build.SUBCLASSED must name these"
    assert set(hatch_build.SUBCLASSED) <= classes, "hatch_build.SUBCLASSED names no such class"


@pytest.mark.parametrize("name", hatch_build.SUBCLASSED)
def test_opening_a_class_moves_no_line(name: str) -> None:
    (before,) = [
        text
        for file in MODULES
        if f"\n\nclass {name}" in (text := (INSTALLED / file).read_text(encoding="utf-8"))
    ]
    after = hatch_build.open_classes(before)
    lines, opened = before.splitlines(), after.splitlines()
    assert len(lines) == len(opened)
    differ = [i for i, pair in enumerate(zip(lines, opened, strict=True)) if pair[0] != pair[1]]
    assert len(differ) % 2 == 0 and all(not lines[i] for i in differ)


# ---- who may inherit, in either build


class Counting(KVCacheManager):
    """A manager as lessons write them."""

    num_released = 0

    def release(self, sequence: Sequence) -> None:
        self.num_released += 1
        super().release(sequence)


class Newest(EvictionPolicy):
    """A policy as lesson 05 writes it."""

    name, reason = "newest", "most recent"

    def __init__(self) -> None:
        self.leaves: list[Node] = []

    def on_evictable(self, node: Node) -> None:
        self.leaves.append(node)

    def victim(self) -> Node | None:
        self.leaves = [node for node in self.leaves if node.evictable]
        return max(self.leaves, key=lambda node: node.tick, default=None)


class CountedLRU(LRU):
    """One that changes one method of ours, as lesson 07 does."""

    num_asked = 0

    def victim(self) -> Node | None:
        self.num_asked += 1
        return super().victim()


class Locking(RadixTree):
    """A tree of which the engine's own calls must reach the changed method."""

    num_locks = 0

    def lock(self, node: Node, sequence_id: int | None = None) -> object:
        self.num_locks += 1
        return super().lock(node, sequence_id)


def lives(manager: KVCacheManager, num: int = 6) -> None:
    for first in range(num):
        sequence = manager.allocate([first, 1, 2, 3, 4, 5, 6, 7])
        manager.commit(sequence, 8)
        manager.release(sequence)
        check(manager)


@pytest.mark.parametrize("policy", [Newest, CountedLRU])
def test_a_learners_policy_is_asked_for_every_victim(policy: type[EvictionPolicy]) -> None:
    manager = Counting(CacheConfig(num_blocks=4, block_size=4), policy=policy())
    lives(manager)
    assert manager.num_released == 6 and manager.stats().evicted_blocks == 8
    assert getattr(manager.tree.policy, "num_asked", 1) > 0


def test_a_method_of_an_heir_is_what_the_engine_calls() -> None:
    tree = Locking(4)
    assert tree.match_prefix([1, 2, 3, 4]).node.id is not None
    tree.unlock(tree.lock(tree.match_prefix([1, 2, 3, 4]).node))
    assert tree.num_locks == 1


@only_compiled
def test_inheriting_from_a_closed_class_is_refused_clearly() -> None:
    heir = type("MyNode", (Node,), {})
    with pytest.raises(TypeError, match="interpreted classes cannot inherit from compiled"):
        heir(0, None, None, b"", np.empty(0, np.int32))
