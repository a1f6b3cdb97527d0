"""Tables of a page: a figure stays on one line, and a sentence has room for several words."""

import pytest

pytest.importorskip("mistune", reason="mistune is not installed: the extra `dev` brings it")
pytest.importorskip("latex2mathml", reason="latex2mathml is not installed: `dev` brings it")

from radixlab.site.anchors import slug_of_document
from radixlab.site.markdown import Converter

FIGURES = {
    "29.4 (26.6 - 33.6)": ["29.4", "(26.6 - 33.6)"],
    "5,236 (4,319 - 6,187)": ["5,236", "(4,319 - 6,187)"],
    "1.2 ms (0.9 - 1.4)": ["1.2 ms", "(0.9 - 1.4)"],
    "≥ 50 %": ["≥ 50 %"],
    "**74.3 %**": ["<strong>74.3 %</strong>"],
    "**29 (27 - 34)**": ["<strong>29 (27 - 34)</strong>"],
    "2026-11-28": ["2026-11-28"],
}
WORDS = {
    "naive": "<td>",
    "SGLang 0.5.23": "<td>",
    "—": "<td>",
    "÷ floor ≤ 4 (beyond: 2.5): too few rounds to say": '<td class="sentence">',
    "`--backend NAME`; an entry point finds the plugin": '<td class="sentence">',
}
CODE = {
    "`--max-running`": '<code class="whole">--max-running</code>',
    "`a<b`": '<code class="whole">a&lt;b</code>',
    "`radixlab serve --replicas 3`": "<code>radixlab serve --replicas 3</code>",
    "`radixlab/lesson/props/production.py`": "<code>radixlab/lesson/props/production.py</code>",
}


def convert(text):
    return Converter(lambda target: target, slug_of_document)(text)


def last_cell(cell):
    drawn = convert(f"| what | found |\n|---|---|\n| it | {cell} |\n")
    return drawn[drawn.rindex("<td") : drawn.rindex("</td>")]


@pytest.mark.parametrize("cell, parts", FIGURES.items(), ids=[*FIGURES])
def test_a_figure_breaks_only_before_its_range(cell, parts) -> None:
    spans = (f'<span class="whole">{part}</span>' for part in parts)
    assert last_cell(cell) == "<td>" + " ".join(spans)


@pytest.mark.parametrize("cell, opening", WORDS.items(), ids=[*WORDS])
def test_words_of_a_cell_may_take_several_lines(cell, opening) -> None:
    found = last_cell(cell)
    assert found.startswith(opening) and "<span" not in found


@pytest.mark.parametrize("text, drawn", CODE.items(), ids=[*CODE])
def test_a_name_in_code_stays_on_one_line(text, drawn) -> None:
    assert drawn in convert(f"It is {text}.")
