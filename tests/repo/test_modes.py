"""Every notebook, run as people run notebooks: twice, out of order, after a restart, in part.

A checked cell shows what is committed, or one line that says why it did not run. `make soak` runs
each lesson in all modes; the default run takes one mode a lesson, by its number, and leaves out the
cells that nobody compares, and the three lessons that run a model.
"""

import pytest

from radixlab.lesson.build import read
from tests.repo.modes import MODES, ROOT, faults, without_idle_cells

pytest.importorskip("ipykernel", reason="ipykernel is not installed: the extra `lab` brings it")

LESSONS = sorted(ROOT.glob("notebooks/*.ipynb"))
RUN_A_MODEL = ("06", "08", "09")
LONG = ("00", "05")
"""They take long, and others run in a like mode."""
SOLUTIONS = sorted(ROOT.glob("solutions/*.ipynb"))


def load(path):
    return read(path.read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    for name in ("CONFIG", "DATA", "RUNTIME"):
        monkeypatch.setenv(f"JUPYTER_{name}_DIR", str(tmp_path / name))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))


def drawn():
    names = list(MODES)
    for number, path in enumerate(LESSONS):
        if path.stem[:2] in RUN_A_MODEL:
            continue
        mode = names[number % len(names)]
        marks = [pytest.mark.soak] if path.stem[:2] in LONG else []
        yield pytest.param(path, mode, id=f"{path.stem[:2]}-{mode}", marks=marks)


@pytest.mark.parametrize(("path", "mode"), list(drawn()))
def test_a_lesson_shows_right_numbers_in_the_mode_drawn_for_it(path, mode):
    with_ids = int(path.stem[:2]) % 2 == 0  # JupyterLab says which cell runs, nbclient does not
    found, _ = faults(without_idle_cells(load(path)), path.parent, MODES[mode], with_ids=with_ids)
    assert found == []


@pytest.mark.soak
@pytest.mark.parametrize("with_ids", [True, False], ids=["ids", "no-ids"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem[:2])
def test_a_lesson_shows_right_numbers_in_every_mode(path, mode, with_ids):
    found, _ = faults(load(path), path.parent, MODES[mode], with_ids=with_ids)
    assert found == []


@pytest.mark.soak
@pytest.mark.parametrize("mode", ["all-twice", "restart"])
@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_a_solution_shows_the_same_when_it_is_run_again(path, mode):
    found, _ = faults(load(path), path.parent, MODES[mode])
    assert found == []
