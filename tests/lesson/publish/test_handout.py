import pytest

from radixlab.lesson.publish.handout import GAP, MarkerError, with_gaps

CLASS = """class Tree:
    def match(self):
        ### BEGIN SOLUTION
        if self:
            return 1
        ### END SOLUTION

    def insert(self):
        ### BEGIN SOLUTION
        return 2
        ### END SOLUTION
"""


def test_each_region_becomes_one_gap_at_its_depth():
    gapped = with_gaps(CLASS)
    assert gapped.count(f"        {GAP}\n") == 2
    assert "return" not in gapped
    compile(gapped, "gapped", "exec")


def test_a_region_outside_a_function_raises_nothing():
    gapped = with_gaps("GUESS = None\n### BEGIN SOLUTION\nGUESS = 42\n### END SOLUTION\n")
    names = {}
    exec(gapped, names)
    assert names["GUESS"] is None


@pytest.mark.parametrize("marker", ["### BEGIN SOLUTION", "### END SOLUTION"])
def test_a_marker_without_its_partner_is_an_error(marker):
    with pytest.raises(MarkerError, match="cell 3: a solution's marker has no partner"):
        with_gaps(f"def f():\n    {marker}\n    pass", "cell 3")
