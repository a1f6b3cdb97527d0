"""The engine without its emit statements: complete, silent, and otherwise the same."""

import ast
from pathlib import Path

import pytest

from radixlab import cache
from radixlab.bench.silent import silent_engine, strip_emits, without_emits
from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.workloads import open_workload

SOURCES = sorted(Path(cache.__file__).parent.rglob("*.py"))


def emit_calls(tree: ast.AST) -> list[str]:
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    names = (getattr(func, "attr", getattr(func, "id", "")) for func in calls)
    return [name for name in names if name in {"emit", "_emit"}]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_emit_call_is_left(path: Path) -> None:
    assert emit_calls(strip_emits(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_the_text_for_the_compiler_has_no_emit_call_either_and_no_line_moves(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    text = without_emits(source)
    assert emit_calls(ast.parse(text)) == [] and text.count("\n") == source.count("\n")
    told = {line for line in source.splitlines() if "type: ignore" in line and "emit" not in line}
    assert told <= set(text.splitlines())  # what mypy must know is still there


def test_there_was_something_to_strip() -> None:
    assert sum(len(emit_calls(ast.parse(p.read_text(encoding="utf-8")))) for p in SOURCES) > 15


def test_branches_without_a_listener_stay() -> None:
    source = "def f(self):\n    if self.emit and x:\n        self.emit(1)\n    else:\n        y()\n"
    assert ast.unparse(strip_emits(source)) == "def f(self):\n    y()"
    alone = "def f(emit):\n    if emit:\n        emit(1)\n"
    assert ast.unparse(strip_emits(alone)) == "def f(emit):\n    pass"


def test_the_copy_is_another_engine_that_hears_nothing() -> None:
    heard: list[object] = []
    engine = silent_engine()
    manager = engine.KVCacheManager(CacheConfig(64, 4), emit=heard.append)
    sequence = manager.allocate(list(range(9)))
    manager.commit(sequence, 9)
    manager.release(sequence)
    assert heard == [] and manager.tree.num_blocks == 2
    assert engine.KVCacheManager is not KVCacheManager
    assert type(manager.tree).__module__.startswith("radixlab_silent")


def test_the_copy_finds_and_evicts_the_same() -> None:
    workload, config = open_workload("document-qa", 30), CacheConfig(2_000)
    results = []
    for engine in (cache, silent_engine()):
        manager = engine.KVCacheManager(config)
        for request in workload.requests():
            sequence = manager.allocate(request.prompt)
            manager.commit(sequence, sequence.num_tokens)
            manager.release(sequence)
        stats = manager.stats()
        results.append((stats.hit_tokens, stats.evicted_blocks, stats.num_nodes))
    assert results[0] == results[1] and results[0][1] > 0
