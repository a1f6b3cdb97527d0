"""The glossary's terms stand in bold where it says, and its page is made from them."""

import re

import pytest

from radixlab.lesson.publish.glossary import PAGE, ROOT, Term, cells_of, page, terms

TERMS = terms()
LEAST_WORDS, MOST_SENTENCES = 5, 2


def problems(term, folder=ROOT / "notebooks"):
    """Say why a term's link leads nowhere, or not to the word."""
    notebook = folder / f"{term.lesson}.ipynb"
    if not notebook.is_file():
        return [f"there is no lesson {term.lesson}"]
    found = {cell["id"]: cell for cell in cells_of(notebook)}.get(term.cell)
    if found is None or found["cell_type"] != "markdown":
        return [f"{term.lesson} has no text cell {term.cell}"]
    if f"**{term.written}**" not in "".join(found["source"]):
        return [f"{term.written} is not bold in {term.lesson}, {term.cell}"]
    return []


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
def test_a_term_stands_in_bold_where_its_link_leads(term):
    assert problems(term) == []


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
def test_a_meaning_is_one_or_two_sentences(term):
    assert term.text.endswith(".") and len(term.text.split()) >= LEAST_WORDS
    assert len(re.findall(r"\.(?:\s|$)", term.text)) <= MOST_SENTENCES


def test_no_term_is_there_twice():
    keys = [term.key for term in TERMS]
    assert keys == sorted(set(keys))


def test_no_other_name_means_two_things():
    names = [name.casefold() for term in TERMS for name in {term.name, *term.also}]
    assert sorted(names) == sorted(set(names))


def test_the_page_is_made_from_the_terms():
    assert PAGE.read_text(encoding="utf-8") == page(TERMS)


@pytest.mark.parametrize(
    "wrong",
    [
        Term("slot", "", "99_no_lesson", "title-00"),
        Term("slot", "", "01_from_paged_to_radix_attention", "no-cell"),
        Term("slot", "", "01_from_paged_to_radix_attention", "imports-01"),
        Term("slot", "", "01_from_paged_to_radix_attention", "title-00"),
    ],
    ids=["no lesson", "no cell", "code", "not bold"],
)
def test_a_wrong_link_is_seen(wrong):
    assert problems(wrong)
