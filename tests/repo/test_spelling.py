"""The spelling checks find what they are for; test_words.py runs them over the whole prose."""

import pytest

from tests.repo.spelling import american, doubled, misspelt, mixed

pytest.importorskip("codespell_lib", reason="codespell is not installed: the extra `dev` brings it")


def test_a_misspelling_is_found_where_it_stands(tmp_path):
    lines = [("a", "A block of the cache."), ("b", "It recieves the adress."), ("c", "Evict it.")]
    assert misspelt(lines, tmp_path) == ["b: recieves ==> receives", "b: adress ==> address"]


@pytest.mark.parametrize("text", ["of the the block", "is\nis", "a block block"])
def test_a_doubled_word_is_found(text):
    assert len(doubled(text)) == 1


@pytest.mark.parametrize("text", ["he had had it", "import main main()", "the then", "why why(x)"])
def test_other_pairs_pass(text):
    assert doubled(text) == []


def test_an_american_word_is_found():
    assert mixed("Normalized, in colour; the color of normalized-x.", american()) == [
        "normalized ==> normalised"
    ]
    assert len(american()) > 500
