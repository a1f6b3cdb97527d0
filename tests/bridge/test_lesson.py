"""What lesson 09 shows of the bridge: a record that can be made again, and a rehearsal."""

import json

import pytest

from radixlab.bridge.recorded import FILE, NAMES, recorded
from radixlab.bridge.rehearsal import NUM_REQUESTS, rehearse_policy, rehearse_tree
from tests.bridge.test_sglang import needs_wheels, run_with_wheels
from tests.grade.zoo import ZOOS

TREES, POLICIES = ZOOS["8.5.1"], ZOOS["8.5.4"]


def tree(text):
    return TREES.loaded(text).RadixTree


def policy(text):
    return POLICIES.loaded(text).MyPolicy


def test_the_record_says_what_it_is_and_fits_a_cell():
    lines = str(recorded()).splitlines()
    assert f"Recorded on {recorded().date}" in lines[0] and "nothing ran just now" in lines[0]
    assert max(map(len, lines)) <= 90 and sum("equal" in line for line in lines) == 2
    assert {*recorded().sglang["caches"], *recorded().vllm["policies"]} == set(NAMES)


def test_the_record_holds_what_the_bridge_promises():
    caches, policies = recorded().sglang["caches"], recorded().vllm["policies"]
    assert caches["radixlab-whole-leaves"] == caches["SGLang"]
    assert policies["RadixlabFlatLRU"] == policies["lru"]
    assert min(each["evicted_tokens"] for each in caches.values()) > 500
    assert min(each["equal_runs"] for each in caches.values()) >= 8  # without evictions all are
    ordered = ("RadixlabLRU", "RadixlabAdaptive", "RadixlabYours")
    orphaned = {name: policies[name]["orphaned_chunks"] for name in ("lru", *ordered)}
    assert all(orphaned[name] < orphaned["lru"] for name in ordered)


@needs_wheels
def test_the_record_is_what_the_script_makes():
    made = run_with_wheels("benchmarks/bridge_record.py")
    kept = json.loads(FILE.read_text(encoding="utf-8"))
    assert made == {name: kept[name] for name in made}


@pytest.mark.parametrize("seed", [0, 1])
def test_a_rehearsal_is_the_same_twice_and_right_parts_have_no_fault(seed):
    for rehearse, make in (
        (rehearse_tree, tree(TREES.master)),
        (rehearse_policy, policy(POLICIES.master)),
    ):
        first, second = rehearse(make, seed), rehearse(make, seed)
        assert first == second and first.ok and first.num_requests == NUM_REQUESTS
        assert first.found > 0 and first.found_by_ours > 0
        assert max(map(len, str(first).splitlines())) <= 90


def boom(*_):
    raise ValueError("not\nwritten yet")


BROKEN = {
    "a wrong tree": lambda: rehearse_tree(tree(TREES.wrong["whole_nodes"])),
    "a wrong policy": lambda: rehearse_policy(policy(POLICIES.wrong["gives_up"])),
    "a tree that cannot be made": lambda: rehearse_tree(boom),
    "a policy that cannot be made": lambda: rehearse_policy(boom),
    "an object that is no tree": lambda: rehearse_tree(lambda block_size: None),
    "an object that is no policy": lambda: rehearse_policy(lambda: None),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_part_ends_the_rehearsal_with_one_line(what):
    rehearsal = BROKEN[what]()
    assert not rehearsal.ok and rehearsal.num_requests < NUM_REQUESTS
    assert rehearsal.fault.startswith(("your tree: ", "policy yours: "))
    assert "\n" not in rehearsal.fault and "out of service" in str(rehearsal)
