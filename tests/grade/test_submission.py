"""Which cells are graded: by their magic, in order of first appearance, the last of each part."""

import json

import pytest

from radixlab.grade.cells import SubmissionError
from radixlab.grade.submission import Part, Submission, as_part, read


def notebook(path, *sources):
    cells = [{"cell_type": "code", "source": source} for source in sources]
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    return path


def names_and_sources(submission):
    return [(part.name, part.source) for part in submission.parts]


def test_parts_come_in_order_of_first_appearance_and_the_last_of_each_counts(tmp_path):
    path = notebook(
        tmp_path / "ex.ipynb",
        "%%exercise 8.5.2 report\nx = 1",
        "%%exercise 8.5.2 samples\ny = 1",
        "print('not graded')",
        "%%exercise 8.5.2 report\nx = 2",
    )
    expected = [("report", "x = 2"), ("samples", "y = 1")]
    assert names_and_sources(read(path, "8.5.2")) == expected


def test_a_cell_without_a_part_name_is_a_part_too(tmp_path):
    path = notebook(tmp_path / "ex.ipynb", "%%exercise 8.5.1\nx = 1", "%%exercise 8.5.1\nx = 2")
    assert names_and_sources(read(path, "8.5.1")) == [(None, "x = 2")]


def test_cells_of_another_exercise_are_left_out(tmp_path):
    path = notebook(tmp_path / "ex.ipynb", "%%exercise 8.5.2\nx = 1")
    assert read(path, "8.5.1").is_empty


def test_the_place_of_a_part_is_said(tmp_path):
    path = notebook(tmp_path / "ex.ipynb", "import math", "%%exercise 8.5.1\nx = 1")
    assert read(path, "8.5.1").parts[0].place == "cell 2"


@pytest.mark.parametrize("cell", ["", "x = 1", "%%time\nx = 1", "x = 50 % exponent", "# exercise"])
def test_other_cells_are_not_graded(cell):
    assert as_part(cell) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3}', "\x00"])
def test_a_file_that_holds_something_else_is_one_clear_error(tmp_path, text):
    path = tmp_path / "ex.ipynb"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SubmissionError, match=r"^ex\.ipynb is (not a notebook|empty)"):
        read(path, "8.5.1")


def test_a_source_of_lines_is_read_like_one_of_text(tmp_path):
    path = notebook(tmp_path / "ex.ipynb", ["%%exercise 8.5.1\n", "x = 1\n", "y = 2"])
    assert names_and_sources(read(path, "8.5.1")) == [(None, "x = 1\ny = 2")]


def test_lines_are_counted_as_the_cell_shows_them():
    submission = Submission("8.5.1", (Part("8.5.1", None, "x = 1\n  y = 2"),))
    assert [submission.line("<8.5.1>", n) for n in range(5)] == ["", "", "x = 1", "y = 2", ""]
