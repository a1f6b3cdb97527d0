import re

import pytest

from radixlab.lesson.props.sharing import SharingCalculator, blocks_with_sharing, count_blocks


def widths(html):
    return [float(share) for share in re.findall(r"\* ([\d.]+)\)", html)]


def test_the_text_is_what_notebooks_compare():
    text = (
        "100 requests of 500 shared + 100 own tokens, blocks of 16:\n"
        "3800 blocks become 731 (81% saved); the engine agrees"
    )
    assert str(SharingCalculator(100, shared=500, own=100, block_size=16)) == text


def test_one_is_singular():
    one = SharingCalculator(num_requests=1, shared=1, own=0, block_size=1)
    assert str(one).startswith(
        "1 request of 1 shared + 0 own tokens, blocks of 1:\n1 block becomes 1 "
    )
    assert "0% saved: 1 block instead of 1<" in one.to_html()


def test_static_output_is_the_text_alone(monkeypatch):
    monkeypatch.setenv("RADIXLAB_STATIC", "1")
    calculator = SharingCalculator()
    assert calculator._repr_mimebundle_() == {"text/plain": str(calculator)}


def test_bars_are_as_long_as_their_numbers():
    html = SharingCalculator(100, shared=500, own=100, block_size=16).to_html()
    assert widths(html) == [1.0, round(731 / 3800, 4)]
    assert "81% saved: 731 blocks instead of 3,800" in html and "<b>3,800</b>" in html


def test_a_moved_slider_changes_what_is_shown():
    calculator = SharingCalculator(100, shared=500, own=100, block_size=16)
    *sliders, shown = calculator._box().children
    assert [s.description for s in sliders] == [
        "requests", "shared tokens", "own tokens", "block size",
    ]  # fmt: skip
    sliders[0].value = 1
    assert shown.value == calculator.to_html() and "1 request of 500" in shown.value


@pytest.mark.parametrize("sizes", [(1, 1, 0, 1), (3, 40, 8, 4), (7, 13, 5, 4), (2, 3, 0, 64)])
def test_the_engine_counts_what_the_formula_says(sizes):
    assert blocks_with_sharing(*sizes) == count_blocks(*sizes)
