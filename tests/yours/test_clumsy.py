"""Parts that are clumsy or hostile: one short sentence each, a sound cache, right answers."""

import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from radixlab.cache import CacheConfig, KVCacheManager, check
from radixlab.cache.eviction import LRU
from radixlab.grade.progress import Progress
from radixlab.yours.board import scoreboard
from radixlab.yours.fault import PartFault
from radixlab.yours.manager import OwnManager
from radixlab.yours.parts import OwnPart, Parts, as_policy, worked
from radixlab.yours.races import Figures, race
from tests.cache.helpers import numbers_agree
from tests.yours.lives import live, own
from tests.yours.test_trees import PROMPTS, served

TREE, POLICY = worked("tree"), worked("policy")
HUGE = 2**900


def walks(**change):
    """Return a tree whose `walk` shows each field as its function of the node makes it."""

    def walk(self):
        for view in TREE.walk(self):
            names = ("id", "parent_id", "tokens", "block_ids", "lock_ref")
            shown = {name: getattr(view, name) for name in names}
            shown |= {name: make(view) for name, make in change.items()}
            yield SimpleNamespace(**shown)

    return type("Tree", (TREE,), {"walk": walk})


def answers(method, **change):
    """Return a tree that answers other fields."""

    def answer(self, *arguments):
        found = getattr(TREE, method)(self, *arguments)
        return replace(found, **{name: make(found) for name, make in change.items()})

    return type("Tree", (TREE,), {method: answer})


def evicts(make):
    return type("Tree", (TREE,), {"evict": lambda self, num: make(TREE.evict(self, num))})


FINE = {
    "NumPy's numbers": walks(
        lock_ref=lambda v: np.int8(v.lock_ref),
        block_ids=lambda v: np.array(v.block_ids),
        tokens=lambda v: np.array(v.tokens),
    ),
    "generators": walks(block_ids=lambda v: iter(v.block_ids), tokens=lambda v: iter(v.tokens)),
    "ids that cannot be hashed": walks(id=lambda v: [v.id], parent_id=lambda v: [v.parent_id]),
    "an array evicted": evicts(np.array),
    "an iterator evicted": evicts(iter),
    "a set evicted": evicts(set),
}
FAULTY = {
    "a float for lock_ref": (walks(lock_ref=lambda v: float(v.lock_ref)), "T5"),
    "a text for lock_ref": (walks(lock_ref=lambda v: str(v.lock_ref)), "T5"),
    "NaN for lock_ref": (walks(lock_ref=lambda v: float("nan")), "T5"),
    "a huge lock_ref": (walks(lock_ref=lambda v: HUGE), "L2"),
    "a negative lock_ref": (walks(lock_ref=lambda v: v.lock_ref - 1), "L1"),
    "no tokens": (walks(tokens=lambda v: None), "T5"),
    "text for tokens": (walks(tokens=lambda v: "ab" * len(v.block_ids)), "M8"),
    "floats for block ids": (walks(block_ids=lambda v: [float(b) for b in v.block_ids]), "T5"),
    "texts for block ids": (walks(block_ids=lambda v: ["x" for _ in v.block_ids]), "T5"),
    "no block ids": (walks(block_ids=lambda v: None), "T5"),
    "huge block ids": (walks(block_ids=lambda v: [HUGE] * len(v.block_ids)), "T5"),
    "its own parent": (walks(parent_id=lambda v: v.id), "T5"),
    "a huge id found": (answers("match_prefix", block_ids=lambda f: [*f.block_ids, HUGE]), "M2"),
    "a huge id kept": (answers("insert", block_ids=lambda f: [HUGE] * len(f.block_ids)), "M9"),
    "a text for a count": (answers("insert", num_cached_blocks=lambda f: "x"), "M9"),
    "a huge id evicted": (evicts(lambda ids: [HUGE] * len(ids)), "E4"),
    "NaN evicted": (evicts(lambda ids: [float("nan")] * len(ids)), "E4"),
    "text evicted": (evicts(lambda ids: "abc"), "E4"),
    "not callable": (3, "M3"),
}


@pytest.mark.parametrize("name", FINE)
def test_numbers_of_any_kind_are_fine(name):
    policy = (None, LRU)[list(FINE).index(name) % 2]
    assert live(own(FINE[name], policy and policy()), 0, num_operations=40).fault is None


@pytest.mark.parametrize("name", FAULTY)
def test_a_strange_answer_ends_in_one_short_sentence(name):
    tree, rules = FAULTY[name]
    policy = (None, LRU)[list(FAULTY).index(name) % 2]
    cache = live(own(tree, policy and policy()), 1, num_operations=80)
    check(cache)
    (fault,) = cache.faults
    assert fault.rule in rules.split() and fault.part == "tree"
    assert "\n" not in fault.line and len(fault.line) < 300
    assert numbers_agree(fault.line), fault.line
    config = CacheConfig(16, 2)
    mine = OwnManager(config, policy=policy, make_tree=tree)
    assert served(mine, PROMPTS) == served(KVCacheManager(config), PROMPTS)


def raises(*_):
    raise RuntimeError("not today")


class NoId:
    @property
    def id(self):
        raise ValueError("no id")


def lru(**change):
    return type("Mine", (LRU,), change)


class NotMade(POLICY):
    def __init__(self):
        raise RuntimeError("not made")


def copied(self):
    node = LRU.victim(self)
    twin = object.__new__(type(node))
    for kind in type(node).__mro__:
        for name in getattr(kind, "__slots__", ()):
            if hasattr(node, name) and not name.startswith("__"):
                setattr(twin, name, getattr(node, name))
    return twin


POLICIES = {
    "an id that cannot be hashed": lru(victim=lambda self: SimpleNamespace(id=[])),
    "an id that raises": lru(victim=lambda self: NoId()),
    "a copy of the node": lru(victim=copied),
    "a hook that raises when looked up": lru(on_insert=property(raises)),
    "None for a hook": lru(on_insert=None),
    "a text for max_blocks": lru(max_blocks="three"),
    "max_blocks below 1": lru(max_blocks=-1),
    "no max_blocks at all": lru(max_blocks=0),
    "half a block": lru(max_blocks=1.5),
    "a max_blocks that raises": lru(max_blocks=property(raises)),
    "a constructor that raises": NotMade,
    "a constructor with arguments": type("Mine", (LRU,), {"__init__": lambda self, size: None}),
    "a number": 3,
    "the name of one": "lru",
    "no victim": object,
    "a part that makes nothing": OwnPart("policy", lambda: None),
}
GOOD = {
    "a class": LRU,
    "a class of 8.5.4": POLICY,
    "an object": LRU(),
    "an object of 8.5.4": POLICY(),
    "one with a host": as_policy(POLICY()),
    "a part": OwnPart("policy", POLICY),
    "a function": lambda: LRU(),
    "NumPy's max_blocks": lru(max_blocks=np.int64(2)),
}


@pytest.mark.parametrize("name", POLICIES)
def test_a_strange_policy_ends_in_one_sentence_and_lru_rules(name):
    tree = (None, TREE)[list(POLICIES).index(name) % 2]
    cache = live(own(tree, POLICIES[name]), 1, num_operations=80)
    check(cache)
    (fault,) = cache.faults
    assert (fault.part, fault.rule) == ("policy", "E3")
    assert "\n" not in fault.line and cache.ruling.policy is None


@pytest.mark.parametrize("name", GOOD)
def test_a_policy_may_be_given_in_any_way(name):
    cache = live(own(None, GOOD[name]), 0)
    assert cache.fault is None and cache.ruling.policy is not None


def test_a_race_goes_on_without_a_policy_that_cannot_be_made_and_it_is_told():
    parts = Parts(policy=NotMade)
    found = race("agent", parts)
    assert found.hit_rate == found.base and [fault.rule for fault in found.faults] == ["E3"]
    told = []
    OwnManager(CacheConfig(16), policy=parts.policy, tell=told.append)
    assert len(told) == 1 and told[0].startswith("Your policy broke rule E3")


def test_parts_take_classes_and_refuse_what_makes_nothing():
    assert Parts(TREE, POLICY).tree == OwnPart("tree", TREE)
    with pytest.raises(TypeError, match="policy must be a class, a function or None"):
        Parts(policy=POLICY())


def figures(workload, parts):
    return Figures(workload, 0.5, 5, 1.0, 0.1, 0.9)


@pytest.mark.parametrize(
    "engines, workloads, said",
    [
        ({"x": Parts()}, ("few-shots",), "workload 'few-shots' is not one of scan-polluted"),
        ({"x": Parts()}, (), "one or more of scan-polluted"),
        ({"x": Parts()}, "agent", "one or more of scan-polluted"),
        ({"x": OwnPart("tree", TREE)}, ("agent",), "engine 'x' must be Parts"),
        ({"the bound": Parts()}, ("agent",), "choose another name"),
    ],
)
def test_what_cannot_race_is_refused_before_the_first_race(engines, workloads, said):
    raced = []
    with pytest.raises((TypeError, ValueError), match=said):
        scoreboard(engines, workloads, lambda *arguments: raced.append(arguments))
    assert not raced


def test_details_of_no_engine_name_those_there_are():
    with pytest.raises(ValueError, match="engine 'yours' is not one of x"):
        scoreboard({"x": Parts()}, ("agent",), figures).details()


def test_a_home_that_cannot_be_written_costs_no_scoreboard(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RADIXLAB_HOME", str(tmp_path / "file"))
    monkeypatch.delenv("RADIXLAB_STATIC", raising=False)
    assert scoreboard({"yours": Parts()}, ("agent",), figures).entries[0].mean == 0.5
    assert "was not kept with your progress" in capsys.readouterr().out


def test_the_board_says_where_the_engines_own_part_served():
    fault = PartFault("tree", "E4", "evict(1)", "nothing came")
    broke = Figures("agent", 0.5, 5, 1.0, 0.1, 0.9, (fault,))
    board = str(scoreboard({"x": Parts(), "y": Parts()}, ("agent",), lambda *_: broke))
    said = "the tree broke E4; from there on the engine's own part served"
    assert board.endswith(f"x: {said}\ny: {said}")
    assert "broke" not in str(scoreboard({"x": Parts()}, ("agent",), figures))


def test_a_long_fault_is_cut():
    fault = PartFault("tree", "E6", "evict(1)", f"block {HUGE} is not there, {HUGE}")
    assert fault.what.endswith("…") and len(fault.line) < 300


RECURSES = """
from radixlab.guarded_call import CallFailed, Watch
def deeper(_): return sorted([1], key=deeper)
try: Watch().call(deeper, 1)
except CallFailed as error: print(error)
"""


def test_a_recursion_through_c_ends_in_a_sentence_and_not_the_kernel():
    done = subprocess.run(
        [sys.executable, "-c", RECURSES], capture_output=True, text=True, check=True
    )
    assert "raised RecursionError" in done.stdout


def test_progress_holds_no_engine_after_a_refusal(tmp_path, monkeypatch):
    monkeypatch.setenv("RADIXLAB_HOME", str(tmp_path))
    with pytest.raises(ValueError):
        scoreboard({"yours": Parts()}, ())
    assert Progress(tmp_path).load_engine() is None
