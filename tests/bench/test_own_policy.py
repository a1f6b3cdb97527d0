"""A policy from a learner's file: right ones replay, and each wrong one is one line that says why.

Families: files that cannot be read or run, names that are no policy, policies that break in the
middle of a replay, and victims that may not be one.
"""

import json
import textwrap
from pathlib import Path

import pytest

from radixlab.bench.own_policy import OwnPolicyError, names_a_file, open_policy
from radixlab.cache.eviction import POLICIES
from radixlab.config import CacheConfig
from radixlab.workloads import GENERATORS, make_manager, replay
from tests.test_cli import Run, run

__all__ = ["run"]

ENGINE = """
from radixlab.cache.eviction import LeafHeap
from radixlab.cache.protocols import EvictionPolicy

class Mine(EvictionPolicy):
    name, reason = "mine", "least recent"
    def __init__(self):
        self.leaves = LeafHeap(lambda node: node.tick)
    def on_evictable(self, node):
        self.leaves.push(node)
    def victim(self):
        return self.leaves.first()
"""
"""LRU as lesson 05 writes a policy."""
EXERCISE = """
import heapq

class Mine:
    def __init__(self):
        self.heap, self.rank = [], {}
    def on_evictable(self, node):
        self.rank[node.id] = node.tick
        heapq.heappush(self.heap, (node.tick, node.id, node))
    def on_protected(self, node):
        self.rank.pop(node.id, None)
    on_remove = on_protected
    def victim(self):
        while self.heap and self.rank.get(self.heap[0][1]) != self.heap[0][0]:
            heapq.heappop(self.heap)
        return self.heap[0][2] if self.heap else None
"""
"""LRU as exercise 8.5.4 writes a policy."""
SETTING = ("replay", "scan-polluted", "--limit", "40", "--num-blocks", "800")


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    def write(text: str, name: str = "mine.py") -> None:
        (tmp_path / name).write_text(textwrap.dedent(text), encoding="utf-8")

    return write


@pytest.mark.parametrize("text", [ENGINE, EXERCISE], ids=["engine", "exercise"])
@pytest.mark.parametrize("workload", ["scan-polluted", "multi-turn-chat", "tenants"])
def test_lru_of_ones_own_finds_what_lru_finds(write, text: str, workload: str) -> None:
    write(text)
    requests, config = list(GENERATORS[workload](120, 3)), CacheConfig(900)
    mine = replay(open_policy("mine.py:Mine").manager(config), requests)
    lru = replay(make_manager("lru", config), requests)
    assert mine.by_request == lru.by_request and mine.evicted_blocks == lru.evicted_blocks > 0


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_every_policy_of_the_engine_passes_the_guard_unchanged(write, name: str) -> None:
    write(f"from radixlab.cache.eviction import POLICIES\ndef make(): return POLICIES[{name!r}]()")
    requests, config = list(GENERATORS["phase-shift"](60, 1)), CacheConfig(700)
    guarded = replay(open_policy("mine.py:make").manager(config), requests)
    assert guarded.by_request == replay(make_manager(name, config), requests).by_request


def test_files_of_one_name_and_their_folders(write, run: Run, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "helper_of_mine.py").write_text("KEY = 1\n")
    write("from helper_of_mine import KEY\n" + ENGINE)
    write(ENGINE, "other/mine.py")
    done = run(*SETTING, "--policy", "mine.py:Mine,lru", "--policy", "other/mine.py:Mine", "--json")
    assert (done.code, done.err) == (0, "")
    runs = json.loads(done.out)["runs"]
    assert [r["policy"] for r in runs] == ["mine.py:Mine", "lru", "other/mine.py:Mine"]
    assert len({r["hit_tokens"] for r in runs}) == 1


def test_what_the_file_prints_is_not_in_the_json(write, run: Run) -> None:
    write("print('loading')\n" + ENGINE + "        print('never')\n" + "\nMine.on_hit = print\n")
    done = run(*SETTING, "--policy", "mine.py:Mine", "--json")
    assert done.code == 0 and "loading" in done.err
    assert json.loads(done.out)["runs"][0]["policy"] == "mine.py:Mine"


def test_a_misspelt_hook_is_noted(write, run: Run) -> None:
    write(EXERCISE + "    def on_insrt(self, node, tick): pass\n    def on_my_own(self): pass\n")
    done = run(*SETTING, "--policy", "mine.py:Mine")
    says = "note: mine.py:Mine: on_insrt is never called; did you mean on_insert?\n"
    assert (done.code, done.err) == (0, says)


WRONG_FILES = {
    "no name": (ENGINE, "mine.py", "mine.py: name the class too, such as mine.py:Mine"),
    "an empty name": (ENGINE, "mine.py:", "such as mine.py:Mine"),
    "no such file": (ENGINE, "other.py:Mine", "other.py: No such file or directory"),
    "a folder": (ENGINE, ".:Mine", ".: Is a directory"),
    "a file in no folder": (ENGINE, "no/such.py:Mine", "no/such.py: No such file or directory"),
    "a notebook": (ENGINE, "work/ex4.ipynb:Mine", "is a notebook; copy the class into a .py file"),
    "no such name": (ENGINE, "mine.py:Mien", "mine.py has no Mien; did you mean Mine?"),
    "another name": (ENGINE, "mine.py:Xyz", "mine.py has no Xyz; did you mean Mine?"),
    "no policy in it": ("x = 1", "mine.py:Mine", "has no Mine; no class in it has a method victim"),
    "an empty file": ("", "mine.py:Mine", "has no Mine; no class"),
    "syntax": ("x = 1\nclass Mine\n    pass", "mine.py:Mine", "mine.py, line 2: SyntaxError: exp"),
    "indentation": ("class Mine:\n  a = 1\n   b = 2", "mine.py:Mine", "line 3: IndentationError:"),
    "tabs": ("if 1:\n\tx = 1\n        y = 2", "mine.py:Mine", "line 3: TabError:"),
    "no encoding": ("# coding: nonsense\nx = 1", "mine.py:Mine", "SyntaxError: "),
    "null bytes": ("x = '\0'", "mine.py:Mine", "mine.py: SyntaxError: source code string"),
    "a fault at import": ("x = 1\ny = 1 / 0", "mine.py:Mine", "mine.py, line 2: ZeroDivisionError"),
    "no such module": ("import nosuchmodule", "mine.py:Mine", "mine.py, line 1: ModuleNotFound"),
    "an exit": ("import sys\nsys.exit('bye')", "mine.py:Mine", "mine.py, line 2: SystemExit: bye"),
    "an odd exception": (
        "class E(BaseException):\n  def __str__(self): raise self\nraise E", "mine.py:Mine",
        "mine.py, line 3: E: E()",
    ),
    "no end": ("def f(): f()\nf()", "mine.py:Mine", "mine.py, line 1: RecursionError"),
    "a value": ("Mine = 3", "mine.py:Mine", "mine.py:Mine is 3; name a class, or a function"),
    "a module": ("import math as Mine", "mine.py:Mine", "name a class, or a function"),
    "a constructor that wants more": (
        "class Mine:\n  def __init__(self, size): pass", "mine.py:Mine",
        "mine.py:Mine() failed: TypeError:",
    ),
    "a constructor that fails": (
        "class Mine:\n  def __init__(self):\n    self.x = self.y\n  def victim(self): ...",
        "mine.py:Mine", "mine.py:Mine() failed: mine.py, line 3: AttributeError",
    ),
    "a constructor that exits": (
        "class Mine:\n  def __init__(self): raise SystemExit\n", "mine.py:Mine",
        "mine.py:Mine() failed: mine.py, line 2: SystemExit",
    ),
    "nothing made": ("def make(): pass", "mine.py:make", "None has no method victim()"),
    "a number made": ("def make(): return 3", "mine.py:make", "3 has no method victim()"),
    "a class made": ("class A: ...\ndef make(): return A", "mine.py:make", "it is the class A; ca"),
    "no victim": ("class Mine:\n  def evict(self): ...", "mine.py:Mine", "it has no method victim"),
    "victim inherited": (
        ENGINE.replace("def victim", "def victims"), "mine.py:Mine", "it has no method victim()"
    ),
    "victim is no method": ("class Mine:\n  victim = 3", "mine.py:Mine", "it has no method victim"),
    "victim that wants more": (
        EXERCISE.replace("def victim(self)", "def victim(self, n)"), "mine.py:Mine",
        "victim cannot be called as victim()",
    ),
    "deaf": ("class Mine:\n  def victim(self): ...", "mine.py:Mine", "it has no hook such as"),
    "a hook that wants less": (
        "class Mine:\n  def on_hit(self, node): ...\n  def victim(self): ...", "mine.py:Mine",
        "on_hit cannot be called as on_hit(node, tick)",
    ),
    "a hook that wants more": (
        "class Mine:\n  def on_remove(self, node, tick): ...\n  def victim(self): ...",
        "mine.py:Mine", "on_remove cannot be called as on_remove(node)",
    ),
    "a hook that is none": (
        "class Mine:\n  on_insert = 3\n  def victim(self): ...", "mine.py:Mine",
        "on_insert is 3, not a method on_insert(node, tick)",
    ),
    "no name of its own": (
        ENGINE.replace("name, reason =", "_, reason ="), "mine.py:Mine", "it has no name; write"
    ),
    "no reason": (
        ENGINE.replace("name, reason =", "name, _ ="), "mine.py:Mine", "it has no reason; write"
    ),
    "blocks at once": (
        ENGINE + "    max_blocks = 0\n", "mine.py:Mine", "max_blocks is 0; it must be None"
    ),
    "an object that hides everything": (
        "class Mine:\n  def __getattr__(self, name): raise ValueError(name)", "mine.py:Mine",
        "mine.py:Mine is not a policy: mine.py, line 2: ValueError: victim",
    ),
    "a file that hides everything": (
        "def __getattr__(name): raise ValueError(name)", "mine.py:Mine",
        "mine.py, line 1: ValueError: Mine",
    ),
    "an object whose class lies": (
        "class Mine:\n  __class__ = property(lambda self: 1 / 0)", "mine.py:Mine",
        "mine.py:Mine is not a policy: ",
    ),
    "no file before the colon": (ENGINE, ":Mine", "':Mine' names no file; write FILE.py:NAME"),
    "a colon alone": (ENGINE, ":", "':' names no file; write FILE.py:NAME"),
    "a device": (ENGINE, "/dev/zero:Mine", "/dev/zero is not a file"),
    "one object for all": (
        EXERCISE + "\none = Mine()\ndef make(): return one", "mine.py:make",
        "returned the same object again",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_FILES)
def test_what_is_wrong_with_a_file_is_one_line(write, run: Run, name: str) -> None:
    text, policy, says = WRONG_FILES[name]
    write(text)
    done = run(*SETTING, "--policy", f"lru,{policy}")
    if name == "one object for all":  # the first time it is a good one
        assert done.code == 2 and [line.split()[0] for line in done.out.splitlines()[5:7]] == [
            *("lru", "mine.py:make")
        ]
    else:
        assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ") and done.err.count("\n") == 1
    assert says in done.err


def exercise(body: str) -> str:
    """LRU that goes wrong after a while."""
    return (
        EXERCISE.replace("def victim(self):", "def right(self):")
        + "    asked = hits = 0\n    gone = []\n    def victim(self):\n        self.asked += 1\n"
        + f"        {body}\n"
    )


def engine(body: str) -> str:
    """The same in the engine's own terms."""
    return (
        ENGINE.replace("def victim(self):", "def right(self):")
        + "    asked = 0\n    def victim(self):\n        self.asked += 1\n"
        + f"        {body}\n"
    )


RAISES = "return self.right() if self.asked < 9 else 1 / 0  # here"
BROKEN = {
    "raises": (exercise(RAISES), "line {here}: ZeroDivisionError: division by zero"),
    "raises, engine": (engine(RAISES), "line {here}: ZeroDivisionError: division by zero"),
    "exits": (exercise("raise SystemExit(0)  # here"), "line {here}: SystemExit: 0"),
    "exits, engine": (engine("raise SystemExit(0)  # here"), "line {here}: SystemExit: 0"),
    "raises in several lines": (exercise("raise ValueError('a\\nb')"), "ValueError: a b"),
    "hides its text": (
        exercise("raise type('E', (Exception,), {'__str__': None})()"), "E: E()"
    ),
    "raises deep in the library": (
        exercise("import json; json.loads('{')  # here"),
        "line {here}: JSONDecode",
    ),
    "recurses": (exercise("return self.victim()"), "RecursionError"),
    "no victim": (exercise("return None"), "victim() returned None while"),
    "no victim, engine": (engine("return None"), "victim() returned None while"),
    "an id": (exercise("return self.right().id"), "victim() must return a node, and returned"),
    "an id, engine": (engine("return self.right().id"), "must return a node, and returned"),
    "text": (engine("return 'x'"), "must return a node, and returned 'x'"),
    "a class": (engine("return type(self)"), "must return a node, and returned"),
    "itself": (engine("return self"), "must return a node, and returned"),
    "a parent": (exercise("return self.right().parent or 3"), "victim() "),
    "a parent, engine": (
        engine("n = self.right(); return n.parent if n.parent.parent else n"),
        "which is locked or has children",
    ),
    "a leaf that was one, engine": (
        engine(
            "stale = [n for n in self.kept if not n.evictable]; "
            "return stale[0] if stale else self.right()"
        ).replace(
            "self.leaves.push(node)",
            "self.leaves.push(node); self.kept += [node] * (node not in self.kept)",
        )
        + "    kept = []\n    def on_remove(self, node): self.kept.remove(node)\n",
        "which is locked or has children",
    ),
    "a node that is gone": (
        exercise("self.gone.append(self.right()); return self.gone[0]"),
        "which is not in the tree any more",
    ),
    "a node that is gone, engine": (
        engine("self.first = getattr(self, 'first', None) or self.right(); return self.first"),
        "which is not in the tree any more",
    ),
    "a look-alike": (
        engine("n = self.right(); return __import__('types').SimpleNamespace(id=n.id)"),
        "must return a node, and returned",
    ),
    "a hook that raises": (
        exercise("return self.right()") + "    def on_hit(self, n, tick): {}[n.key]  # here\n",
        "line {here}: KeyError",
    ),
    "a hook that raises, engine": (
        ENGINE + "    def on_hit(self, node, tick): {}[node.id]  # here\n", "line {here}: KeyError"
    ),
    "a split that raises, engine": (
        ENGINE + "    def on_split(self, upper, lower): assert upper is lower  # here\n",
        "line {here}: AssertionError",
    ),
    "a field that is not there": (exercise("return self.heap[0][2].prefix"), "has no attribute"),
    "a node that is written to": (exercise("self.right().tick = 0"), "AttributeError"),
    "an answer for later": (
        exercise("yield self.right()"), "must return a node, and returned"
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", BROKEN)
def test_a_policy_that_breaks_is_one_line_and_the_others_results_stay(
    write, run: Run, name: str
) -> None:
    text, says = BROKEN[name]
    lines = [number for number, line in enumerate(text.splitlines(), 1) if "# here" in line]
    says = says.format(here=lines[0] if lines else "")
    write(text)
    alone = run(*SETTING, "--policy", "lru,slru", "--json")
    beside = run(*SETTING, "--policy", "lru,mine.py:Mine,slru", "--json")
    assert beside.code == 2 and beside.err.count("\n") == 1
    assert beside.err.startswith("error: mine.py:Mine failed at request ") and says in beside.err
    assert "Traceback" not in beside.err
    found, wanted = json.loads(beside.out), json.loads(alone.out)
    assert without_times(found["runs"]) == without_times(wanted["runs"])
    (failed,) = found["failed"]
    assert failed["policy"] == "mine.py:Mine" and says in failed["error"]
    assert 0 < failed["finished_requests"] < 40


def without_times(runs: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{k: v for k, v in run.items() if k != "cpu_us_per_request"} for run in runs]


def test_a_hook_that_breaks_where_nothing_is_evicted_is_seen_too(write, run: Run) -> None:
    write(EXERCISE + "    def on_hit(self, node, tick): 1 / 0\n")
    done = run(*SETTING[:4], "--num-blocks", "100000", "--policy", "mine.py:Mine,lru")
    assert done.code == 2 and "line 17: ZeroDivisionError" in done.err
    assert "failed after the last request" in done.err  # it hears in batches, the last at the end


TAMPERS = {
    "an orphan": "node.parent = None",
    "a parent without children": "node.parent.children.clear()",
    "on the host": "node.resident = False",
    "a field of its own": "node.lock_ref = 1",
}


@pytest.mark.parametrize("harm", TAMPERS.values(), ids=TAMPERS)
def test_a_policy_that_changes_the_tree_is_not_believed(write, run: Run, harm: str) -> None:
    hear = "    num = 0\n    def on_evictable(self, node):\n        self.num += 1\n"
    write(
        ENGINE.replace("def on_evictable", "def push")
        + f"{hear}        if self.num == 5: {harm}\n        self.push(node)\n"
    )
    done = run(*SETTING, "--policy", "mine.py:Mine,lru", "--json")
    report = json.loads(done.out)
    assert done.code == 2 and done.err.count("\n") == 1
    assert [one["policy"] for one in report["failed"]] == ["mine.py:Mine"]
    assert [one["policy"] for one in report["runs"]] == ["lru"]


def test_a_table_shows_the_failure_in_its_row(write, run: Run) -> None:
    write(exercise("return None"))
    done = run(*SETTING, "--policy", "mine.py:Mine,lru,belady")
    mine, lru, belady = done.out.splitlines()[5:8]
    assert mine.split() == ["mine.py:Mine", "-", "-", "-", "failed", "-", "-", "-"]
    assert lru.split()[5] == "0%" and belady.split()[5] == "100%"


def test_in_a_sweep_a_policy_that_fails_in_one_cache_runs_in_the_others(write, run: Run) -> None:
    write(exercise(RAISES))
    pools = ("--pool-sizes", "100000,1000")
    done = run(*SETTING, *pools, "--policy", "mine.py:Mine,lru", "--json")
    report = json.loads(done.out)
    assert [f["num_blocks"] for f in report["failed"]] == [800, 1000]
    assert [r["num_blocks"] for r in report["runs"] if r["policy"] != "lru"] == [100000]
    assert done.err.count("\n") == 1 and done.err.endswith("(and in 1 other run)\n")


@pytest.mark.parametrize("text", ["", "def Mine(): "], ids=["at import", "at construction"])
def test_an_interrupt_while_the_file_is_loaded_is_no_fault_of_it(write, run, text: str) -> None:
    write("def stop(): raise KeyboardInterrupt\n" + text + "stop()\n")
    done = run(*SETTING, "--policy", "lru,mine.py:Mine")
    assert (done.code, done.out, done.err) == (130, "", "\ninterrupted\n")


def test_an_interrupt_shows_what_was_finished(write, run: Run) -> None:
    write(exercise("raise KeyboardInterrupt"))
    done = run(*SETTING, "--policy", "lru,mine.py:Mine,slru", "--json")
    report = json.loads(done.out)
    assert (done.code, done.err) == (130, "\ninterrupted\n") and report["interrupted"]
    assert [r["policy"] for r in report["runs"]] == ["lru"]


def test_a_picture_is_drawn_of_the_first_policy_that_came_to_the_end(write, run: Run) -> None:
    write(exercise("return None"))
    picture = ("--dot", "tree.dot")
    assert run(*SETTING, "--policy", "mine.py:Mine,lru", *picture).code == 2
    assert "digraph" in Path("tree.dot").read_text(encoding="utf-8")
    Path("tree.dot").unlink()
    done = run(*SETTING, "--policy", "mine.py:Mine", *picture)
    assert done.code == 2 and "no picture: no policy that has a tree" in done.err


def test_a_plot_shows_those_that_came_to_the_end(write, run: Run) -> None:
    pytest.importorskip("matplotlib", reason="pictures need matplotlib")
    write(ENGINE)
    write(exercise("return None"), "bad.py")
    pools = ("--plot", "race.svg", "--pool-sizes", "600,1000")
    done = run(*SETTING, "--policy", "lru,mine.py:Mine,bad.py:Mine", *pools)
    assert done.code == 2 and done.err.count("\n") == 1 and "bad.py:Mine failed" in done.err
    assert [line.split()[1] for line in done.out.splitlines()[5:14]] == [
        *("600", "600", "600", "800", "800", "800", "1,000", "1,000", "1,000")
    ]
    assert Path("race.svg").stat().st_size > 5_000


@pytest.mark.parametrize("twice", ["mine.py:Mine,./mine.py:Mine", "mine.py:Mine, mine.py:Mine"])
def test_a_policy_twice_is_refused(write, run: Run, twice: str) -> None:
    write(ENGINE)
    done = run(*SETTING, "--policy", "lru", "--policy", twice)
    assert done.code == 2 and "is named twice" in done.err and done.err.count("\n") == 1


def test_a_word_is_a_file_by_its_looks() -> None:
    files = ("a.py:B", "a:B", "a.py", "./a", "x/y.ipynb", "C:\\a.py:B")
    assert all(map(names_a_file, files)) and not any(map(names_a_file, [*POLICIES, "belady", ""]))


def test_a_factory_that_fails_later_fails_its_run_alone(write) -> None:
    write(
        EXERCISE
        + "\nnum = 0\ndef make():\n  global num\n  num += 1\n  return Mine() if num < 2 else 1/0"
    )
    own = open_policy("mine.py:make")
    with pytest.raises(OwnPolicyError, match=r"mine.py:make\(\) failed: mine.py, line 22: ZeroDiv"):
        own.manager(CacheConfig(10))
