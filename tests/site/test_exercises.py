"""The page of an exercise shows the interfaces it asks for, and no more of the worked notebook."""

import shutil
from pathlib import Path

import pytest

from radixlab.site.record import asked, committed

ROOT = Path(__file__).parents[2]
EXERCISES = sorted((ROOT / "exercises").glob("*.ipynb"))


def code(recorded):
    return [cell for cell in recorded.notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
def test_every_interface_is_shown_and_nothing_else_is_taken(path) -> None:
    found = asked(path)
    texts = {cell.source: "".join(o.data["text/plain"] for o in cell.outputs)
             for cell in code(found) if cell.source.startswith("show(")}  # fmt: skip
    assert texts
    for source, text in texts.items():
        assert source.removeprefix("show(").removesuffix(")") in text
    for cell, own in zip(code(found), code(committed(path)), strict=True):
        assert cell.source == own.source
        assert cell.source in texts or cell.outputs == own.outputs


def test_without_the_worked_notebook_an_exercise_is_as_committed(tmp_path) -> None:
    (tmp_path / "exercises").mkdir()
    copy = shutil.copy(EXERCISES[0], tmp_path / "exercises")
    assert asked(Path(copy)) == committed(EXERCISES[0])


def test_a_cell_that_differs_from_the_worked_one_takes_nothing(tmp_path) -> None:
    for folder in ("exercises", "solutions"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    copy = tmp_path / "exercises" / "ex1_radix_tree.ipynb"
    copy.write_text(copy.read_text("utf-8").replace("show(PrefixTree)", "show(TreeStats)"), "utf-8")
    outputs = [cell.outputs for cell in code(asked(copy)) if cell.source.startswith("show(")]
    assert [bool(each) for each in outputs] == [False, True, True, True]
