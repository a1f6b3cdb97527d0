"""The record that lesson 09 shows where Ray is missing."""

import pytest

from radixlab.bench.replicas_recorded import recorded


@pytest.fixture(scope="module")
def found():
    return recorded()


def test_it_says_when_it_was_made_and_fits_a_notebook(found):
    text = str(found)
    assert text.startswith(f"recorded on {found.date} ") and "nothing ran just now" in text
    assert max(map(len, text.splitlines())) <= 90
    assert all(found.table(title) in text and title in found.table(title) for title in found.tables)


def test_what_the_course_says_of_it_holds(found):
    events = found.router("prefix, by events")
    control = found.router("round robin (Ray's)")
    assert events["hits"] >= 1.5 * control["hits"] and events["load"] <= 1.5
    assert all(row["failed"] == 0 for row in found.tables["Replicas behind one router"])
    story = {row["what"]: row["found"] for row in found.tables["Ray's affinity router"]}
    assert [found for what, found in story.items() if "after 5 s" in what] == ["timeout"] * 2
    assert story["of these known afterwards"] == story["characters of one prompt"]
    death = {row["what"]: row["found"] for row in found.tables["A replica dies"]}
    assert death["failed"] == 0 and death["answered"] == death["prompts sent"]
    assert death["replicas that died"] == 1
