"""No layout of any argument gives a silently wrong result. (Triton: interpreted.py.)"""

import pytest

pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")

from tests.attention.layouts import Case, faults, merges


@pytest.mark.parametrize("sizes", [{}, {"kv_heads": 1, "group": 1}], ids=["GQA", "one head"])
@pytest.mark.parametrize("backend", ["reference", "cpu"])
def test_every_layout_of_every_argument_is_right_or_refused(backend, sizes):
    assert faults(Case(**sizes).variants(backend)) == {}


def test_every_layout_of_a_partial_result_is_right_or_refused():
    assert faults(merges()) == {}
