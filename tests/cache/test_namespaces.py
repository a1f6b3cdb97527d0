"""Two tenants never share; and a look-up compares tokens, so no hash can serve the wrong KV."""

import pytest

from radixlab.cache import CanaryError
from tests.cache.helpers import ADAPTER, SALT, Checked, drawn, run_request, start, text

TENANTS = [None, SALT, ADAPTER, ("salt", "y"), ("salt", ""), ("", "x")]


@pytest.mark.parametrize("mine", TENANTS)
@pytest.mark.parametrize("theirs", TENANTS)
def test_two_namespaces_never_share(mine, theirs):
    "K1 K2 (vLLM 44701, SGLang 24638): salt x is not adapter x"
    lab = Checked()
    run_request(lab, "ab.", namespace=theirs)
    assert lab.allocate(text("ab."), mine).hit_tokens == (8 if mine == theirs else 0)
    assert len(lab.peek(text("ab"), mine)) == (2 if mine == theirs else 0)


def test_each_namespace_has_a_tree_of_its_own():
    "K1"
    lab = Checked()
    for namespace, prompt in ((None, "ab"), (SALT, "ac"), (SALT, "ad"), (ADAPTER, "ab")):
        run_request(lab, prompt, namespace=namespace)
    drawings = [drawn(lab, namespace) for namespace in (None, SALT, ADAPTER)]
    assert drawings == ["ab", "a(c|d)", "ab"]


def test_running_twins_of_two_tenants_keep_their_blocks():
    "K1 M10: equal tokens of another tenant are no duplicates"
    lab = Checked()
    first, second = start(lab, "ab.", SALT), start(lab, "ab.", ADAPTER)
    assert not set(first.block_table.tolist()) & set(second.block_table.tolist())


def test_tenants_share_one_pool():
    "K1 E3"
    lab = Checked(num_blocks=4)
    run_request(lab, "abc", namespace=SALT)
    run_request(lab, "xyz", namespace=ADAPTER)
    assert (drawn(lab, SALT), drawn(lab, ADAPTER)) == ("a", "xyz")


def test_a_fork_stays_in_its_namespace():
    "K1 C1"
    lab = Checked()
    parent = lab.allocate(text("ab."), SALT)
    lab.write(parent)
    child = lab.fork(parent)
    lab.commit(child, 9)
    assert (drawn(lab, SALT, locks=True), drawn(lab)) == ("ab2", "")


def test_tenants_who_leave_nothing_leave_nothing():
    "K1 L9"
    lab = Checked()
    for i in range(20):
        lab.peek(text("a"), ("salt", str(i)))
        lab.release(lab.allocate(text("a."), ("salt", str(i))))
    assert (len(lab.tree.roots), lab.stats().num_nodes) == (0, 0)


def test_equal_blocks_after_different_prefixes_are_different_entries():
    "K4"
    lab = Checked()
    run_request(lab, "ax")
    run_request(lab, "bx")
    assert drawn(lab) == "ax|bx"
    assert lab.allocate(text("x.")).hit_tokens == 0


# ---- what a hash would do


def weak_hash(tokens: list[int]) -> int:
    """One byte of 8 bits: text("ad") and text("bc") collide."""
    return sum(tokens) % 256


def test_a_flat_map_with_a_weak_hash_serves_the_wrong_kv():
    "K3: the canary sees it"
    lab, flat_map = Checked(), {}
    first = start(lab, "ad.")
    flat_map[weak_hash(text("ad"))] = first.block_table[:2]
    second = lab.allocate(text("bc."))
    second.block_table[:2] = flat_map[weak_hash(text("bc"))]
    lab.canary.write(second, 8)
    with pytest.raises(CanaryError, match=r"97.* 98"):
        lab.canary.read(second)


def test_the_tree_does_not():
    "K3"
    lab = Checked()
    start(lab, "ad.")
    assert start(lab, "bc.").hit_tokens == 0
    assert drawn(lab) == "ad|bc"
