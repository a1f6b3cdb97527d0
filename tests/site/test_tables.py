"""Tables of a page: a figure stays on one line, and a sentence has room for several words."""

import pytest

pytest.importorskip("mistune", reason="mistune is not installed: the extra `dev` brings it")
pytest.importorskip("latex2mathml", reason="latex2mathml is not installed: `dev` brings it")

from radixlab.site.anchors import slug_of_document
from radixlab.site.markdown import Converter

CELLS = {
    "29.4 (26.6 - 33.6)": "figure",
    "5,236 (4,319 - 6,187)": "figure",
    "1.2 ms (0.9 - 1.4)": "figure",
    "≥ 50 %": "figure",
    "**74.3 %**": "figure",
    "2026-11-28": "figure",
    "naive": None,
    "SGLang 0.5.23": None,
    "—": None,
    "": None,
    "`match`": None,
    "÷ floor ≤ 4 (beyond: 2.5): too few rounds to say": "sentence",
    "the longest cached prefix, in whole blocks": "sentence",
}


@pytest.mark.parametrize("align", ["---", "---:", ":---:"])
@pytest.mark.parametrize("cell, kind", CELLS.items(), ids=[*CELLS])
def test_what_a_cell_of_a_table_is(cell, kind, align) -> None:
    convert = Converter(lambda target: target, slug_of_document)
    drawn = convert(f"| what | found |\n|---|{align}|\n| it | {cell} |\n")
    last = drawn.rpartition("<td")[2]
    assert last.startswith(f' class="{kind}"') if kind else "class" not in last.partition(">")[0]
