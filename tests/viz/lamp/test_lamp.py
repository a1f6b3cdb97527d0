"""The invariant lamp: dark on sound caches, lit by broken ones at the event that broke the rule."""

import ast
import inspect
import re
from typing import Any

import pytest

from radixlab.cache.rules import rules
from radixlab.lesson.props.autopsy import truth
from radixlab.observe import attach, event_rules, lamp, snapshot, standing_rules
from radixlab.observe.lamp import Lamp, first_fault
from tests.observe.lives import live, small_cache
from tests.viz.lamp.logs import TREES, random_play, suspect_log, tree_log

CONFIGS: tuple[dict[str, Any], ...] = (
    {},
    {"num_host_blocks": 0},
    {"partial_reuse_tokens": 1},
    {"explain": True, "num_host_blocks": 12},
)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_a_sound_engine_is_green_after_every_call(config):
    for seed in range(8):
        cache = small_cache(**config)
        light = Lamp(snapshot(cache))
        attach(cache, light.follow)
        for call in live(cache, seed):
            assert light.verdict() is None, (seed, call)


@pytest.mark.parametrize("name", TREES.right)
def test_a_right_tree_of_any_style_is_green(name):
    for seed in range(3):
        assert first_fault(*tree_log(TREES.right[name], random_play(seed))) is None


def test_a_view_that_opens_in_mid_run_is_green():
    for seed in range(6):
        cache = small_cache()
        calls = live(cache, seed)
        for _ in range(20):
            next(calls)
        light = Lamp(snapshot(cache))
        attach(cache, light.follow)
        assert [light.verdict() for _ in calls][-1] is None


SUSPECTS = {
    "A": ("L9", "RequestFinished"),
    "B": ("K2", "NodeLocked"),
    "C": ("M10", "NodeLocked"),
    "D": ("L4", "BlockRemoved"),
    "E": ("E6", "NodeLocked"),
    "F": ("L10", "BlocksAllocated"),
    "G": ("C6", "BlocksFreed"),
    "H": ("L1", "NodeUnlocked"),
}


@pytest.mark.parametrize("letter", SUSPECTS)
def test_a_suspect_lights_the_lamp(letter):
    start, events = suspect_log(letter)
    fault = first_fault(start, events)
    assert fault is not None, truth(letter)
    assert (fault.rule, type(events[fault.position - 1]).__name__) == SUSPECTS[letter]


def test_the_engine_behind_the_suspects_is_green():
    assert first_fault(*suspect_log(None)) is None


def one_half(tree):
    tree.insert([1, 1, 2, 2, 3, 3], [0, 1, 2])
    tree.lock(tree.match_prefix([1, 1, 2, 2, 3, 3]).node)
    return lambda: tree.match_prefix([1, 1, 9, 9])


def leaf_only(tree):
    tree.insert([1, 1, 2, 2], [0, 1])
    node = tree.insert([1, 1, 3, 3], [0, 2]).node
    return lambda: tree.lock(node)


def below_zero(tree):
    receipt = tree.lock(tree.insert([1, 1], [0]).node)
    tree.unlock(receipt)
    return lambda: tree.unlock(receipt)


def loses_the_suffix(tree):
    tree.insert([1, 1, 2, 2, 3, 3], [0, 1, 2])
    return lambda: tree.match_prefix([1, 1, 9, 9])


def overwrites(tree):
    tree.insert([1, 1, 2, 2], [0, 1])
    return lambda: tree.insert([1, 1, 2, 2], [2, 3])


def keyed_by_first_token(tree):
    tree.insert([1, 1], [0])
    return lambda: tree.insert([1, 2], [1])


def stores_a_ragged_tail(tree):
    tree.insert([1, 1], [0])
    return lambda: tree.insert([2, 2, 3], [1])


def one_id_too_many(tree):
    tree.insert([1, 1], [0])
    back = tree.insert([1, 1, 2, 2], [1, 2]).duplicate_block_ids
    return lambda: tree.insert([5, 5], back[-1:])  # whatever came back is used again


BROKEN = {
    one_half: ("L1", "node 1 has 0 locks, not at least 1"),
    leaf_only: ("L1", "node 1 has 0 locks, not at least 1"),
    below_zero: ("L2", "node 0 has -1 locks"),
    loses_the_suffix: ("M5", "node 0 lost blocks in a call of match_prefix, which does not evict"),
    overwrites: ("M9", "block 0 of node 0 was replaced by block 2"),
    keyed_by_first_token: ("M9", "node 0 lost blocks in a call of insert, which does not evict"),
    stores_a_ragged_tail: ("M12", "node 2 has 1 block and 1 token: these are not whole blocks"),
    one_id_too_many: ("M8", "block 2 is in node 1 and in node 2"),
}
"""A buggy tree of the zoo, the calls before its bug and the call with it; what the lamp says."""


@pytest.mark.parametrize("prepare", BROKEN, ids=lambda prepare: prepare.__name__)
def test_a_buggy_tree_of_the_zoo_lights_the_lamp_at_the_event_that_broke_it(prepare):
    lengths = []

    def play(tree):
        call = prepare(tree)
        lengths.append(tree.next_seq)
        call()

    start, events = tree_log(TREES.wrong[prepare.__name__], play)
    before = lengths[0]
    assert first_fault(start, events[:before]) is None
    fault = first_fault(start, events)
    assert fault is not None
    assert (fault.rule, fault.what) == BROKEN[prepare]
    assert before < fault.position <= len(events)
    assert first_fault(start, events[: fault.position - 1]) is None  # no event before it broke one
    assert first_fault(*tree_log(TREES.master, play)) is None


def test_every_rule_of_the_lamp_is_in_the_book():
    known = {rule.id for rule in rules()}
    sources = "".join(map(inspect.getsource, (lamp, event_rules, standing_rules)))
    texts = [n.value for n in ast.walk(ast.parse(sources)) if isinstance(n, ast.Constant)]
    named = {t for t in texts if isinstance(t, str) and re.fullmatch(r"[A-Z]\d{1,2}", t)}
    assert len(named) > 20 and named <= known


def test_after_a_fault_the_lamp_stays_red_and_costs_nothing():
    start, events = suspect_log("H")
    light = Lamp(start)
    for event in events:
        light.follow(event)
    assert light.fault is not None and light.position < len(events)
    fault = light.fault
    light.follow(events[0])
    assert light.fault is fault
    assert str(fault).splitlines() == [
        f"L1 broken at event {fault.position}: {fault.what}.",
        "The lock of a running request protects its node and every ancestor.",
    ]
