"""Peers and peer variants: driven right if they find what they should. No time is judged."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.peer_variants import SGLangManager, WholeLeafManager
from radixlab.bench.contenders import OURS, time_replay
from radixlab.bench.peers import find_peers
from radixlab.bench.tree import expanded
from radixlab.cache import CacheConfig, KVCacheManager, check
from radixlab.workloads import conversation_trace, open_workload, replay

ROOT = Path(__file__).parents[2]
SGLANG = {50_000: 0.045969, 250_000: 0.175968}
EXACT = {50_000: 0.045876, 250_000: 0.179513}
WHEELS = os.environ.get("RADIXLAB_PEERS")

needs_trace = pytest.mark.skipif(
    conversation_trace() is None, reason="no conversation trace (RADIXLAB_TRACES)"
)
needs_wheels = pytest.mark.skipif(
    not WHEELS, reason="no unpacked wheels (RADIXLAB_PEERS; benchmarks/peers/README.md)"
)


@pytest.fixture(scope="module")
def trace():
    return expanded(open_workload(str(conversation_trace()), 2000))


@needs_trace
@pytest.mark.parametrize(
    ("make", "rates"),
    [(KVCacheManager, EXACT), (WholeLeafManager, EXACT), (SGLangManager, SGLANG)],
)
def test_variants_reproduce_the_peers_hit_rates(make, rates, trace) -> None:
    found = {n: replay(make(CacheConfig(n)), trace.requests()).token_hit_rate for n in rates}
    assert {n: round(rate, 6) for n, rate in found.items()} == rates


def test_whole_leaves_go_and_the_rest_is_free() -> None:
    manager = WholeLeafManager(CacheConfig(8, 2))
    for prompt in ([1, 2, 3, 4, 5, 6, 7, 8, 9], [20, 21, 22, 23]):
        sequence = manager.allocate(prompt)
        manager.commit(sequence, len(prompt))
        manager.release(sequence)
    last = manager.allocate([30, 31, 32, 33, 34])  # 2 free, 1 missing: all 4 of the oldest go
    check(manager)
    assert manager.stats().evicted_blocks == 4 and manager.allocator.num_free == 3
    manager.release(last)


def test_a_split_makes_the_unmatched_half_look_used() -> None:
    survivors = []
    for make in (WholeLeafManager, SGLangManager):
        manager = make(CacheConfig(6, 2))
        for prompt in ([1, 2, 3, 4, 5, 6], [9, 9, 9, 9], [1, 2, 7]):  # the third splits the first
            sequence = manager.allocate(prompt)
            manager.commit(sequence, len(prompt) - len(prompt) % 2)
            manager.release(sequence)
            check(manager)
        manager.evict(1)
        survivors.append((len(manager.peek([1, 2, 3, 4, 5, 6])), len(manager.peek([9, 9, 9, 9]))))
    assert survivors == [(1, 2), (3, 0)]  # ours gives up what was not used, SGLang a newer entry


def test_ours_is_timed_on_what_the_replay_serves() -> None:
    workload, config = open_workload("document-qa", 40), CacheConfig(2_000)
    timing = time_replay(OURS.make(config, workload), config, workload)
    result = replay(KVCacheManager(config), workload.requests())
    assert timing.token_hit_rate == result.token_hit_rate > 0.4


def test_without_wheels_the_peers_are_not_run_and_say_why(tmp_path: Path) -> None:
    peers = find_peers(tmp_path)
    assert not peers.entries and len(peers.not_run) == 6
    assert peers.not_run["mini-sglang"] == "not on PyPI"
    assert "not unpacked" in peers.not_run["SGLang 0.5.23 RadixCache"]
    (everyone,) = find_peers(None).not_run.values()
    assert "benchmarks/peers/README.md" in everyone


def test_a_wheel_that_does_not_load_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "sglang-0.5.23.dist-info").mkdir()
    code = "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; "
    code += "from benchmarks.peers import load_peers; "
    code += "print(*(f'{peer.name}: {peer.not_run}' for peer in load_peers(Path(sys.argv[2]))))"
    run = subprocess.run(
        [sys.executable, "-c", code, str(ROOT), str(tmp_path)], capture_output=True, text=True
    )
    assert "SGLang 0.5.23 RadixCache: ModuleNotFoundError" in run.stdout, run.stderr


STUBS = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from benchmarks.peers.stubs import make_importable
finder = make_importable(Path(sys.argv[2]), ["engine.cache"])
import engine.cache.tree as tree
try:
    import not_installed_either
except ModuleNotFoundError:
    print(tree.answer, tree.Subclass().method(), bool(tree.kernels.fast), sorted(finder.stubbed))
"""
TREE = """
import not_installed
from engine.kernels import jit
import engine.kernels as kernels
from engine import cache
class Subclass(not_installed.Base, frozen=True):
    def method(self): return "own"
@jit
def answer_of(): return 42
@jit(static=True)
def other(): return None
answer = answer_of()
"""


def test_stubs_answer_the_peer_and_nobody_else(tmp_path: Path) -> None:
    package = tmp_path / "engine" / "cache"
    package.mkdir(parents=True)
    (tmp_path / "engine" / "__init__.py").write_text("raise SystemExit('must not run')")
    (tmp_path / "engine" / "kernels.py").write_text("raise SystemExit('must not run')")
    (package / "__init__.py").write_text("")
    (package / "tree.py").write_text(TREE)
    run = subprocess.run(
        [sys.executable, "-c", STUBS, str(ROOT), str(tmp_path)], capture_output=True, text=True
    )
    assert run.stdout == "42 own False ['engine.kernels', 'not_installed']\n", run.stderr


DRIVE = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from radixlab.bench.contenders import time_replay
from radixlab.bench.peers import find_peers
from radixlab.config import CacheConfig
from radixlab.workloads import conversation_trace, open_workload
workload, config = open_workload(str(conversation_trace()), 2000), CacheConfig(250_000)
peers = find_peers(Path(sys.argv[2]))
found = {e.name: time_replay(e.make(config, workload), config, workload) for e in peers.entries}
print(json.dumps([{n: round(t.token_hit_rate, 6) for n, t in found.items()}, peers.not_run]))
"""


@needs_trace
@needs_wheels
def test_every_peer_that_loads_finds_what_it_should(trace) -> None:
    run = subprocess.run(
        [sys.executable, "-c", DRIVE, str(ROOT), str(WHEELS)], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    found, not_run = json.loads(run.stdout.splitlines()[-1])
    without_limit = replay(KVCacheManager(CacheConfig(2_000_000)), trace.requests())
    rates = {
        "SGLang": SGLANG[250_000],
        "vLLM": EXACT[250_000],
        "Dynamo": round(without_limit.token_hit_rate, 6),  # an index, which evicts nothing
    }
    assert found == {name: rates[name.split()[0]] for name in found}
    if not found:
        pytest.skip(f"no peer could be loaded: {not_run}")
