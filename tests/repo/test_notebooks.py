import copy
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from radixlab.lesson import sections
from radixlab.lesson.build import clean, execute, name_cells, read
from radixlab.lesson.publish import pace
from radixlab.lesson.publish.handout import handout
from radixlab.lesson.publish.rules import is_ignored, violations
from radixlab.lesson.publish.tags import lesson_of

ROOT = Path(__file__).parents[2]
LESSONS = sorted(ROOT.glob("notebooks/*.ipynb"))
NOTEBOOKS = sorted([*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("solutions/*.ipynb")])


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def load(path):
    return read(path.read_text(encoding="utf-8"))


def nbval(notebooks, folder):
    """Run nbval with this repository's settings on copies of notebooks.

    Returns
    -------
    dict
        Of each notebook, by name: the outcomes of its cells, in order; and all that was said.
    """
    for name, notebook in notebooks.items():
        (folder / f"{name}.ipynb").write_text(nbformat.v4.writes(notebook), encoding="utf-8")
    options = ["-c", str(ROOT / "pyproject.toml"), "-p", "no:cacheprovider", "-p", "conftest"]
    # No summary at the end: where CI is set, pytest repeats each whole message there.
    options += ["-p", "no:schemathesis", "-v", "-rN", "--nbval"]
    command = [sys.executable, "-m", "pytest", *options, str(folder)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    outcomes = {
        name: re.findall(rf"{name}\.ipynb::Cell \d+ ([A-Z]+)", run.stdout) for name in notebooks
    }
    return outcomes, run.stdout + run.stderr


def compared_text(cell):
    """The first text of a cell that nbval compares, as the dict and key that hold it."""
    if cell.cell_type == "code" and not is_ignored(cell):
        for output in cell.outputs:
            if "text/plain" in output.get("data", {}):
                return output.data, "text/plain"
            if output.output_type == "stream":
                return output, "text"
    return None


def corrupted(notebook):
    """The notebook up to its first compared output, with one character of that output changed."""
    bad = copy.deepcopy(notebook)
    number, (holder, key) = next(
        (i, found) for i, cell in enumerate(bad.cells) if (found := compared_text(cell))
    )
    text = holder[key]
    holder[key] = ("#" if text[0] != "#" else "@") + text[1:]
    bad.cells = bad.cells[: number + 1]
    return bad


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    cells = [nbformat.v4.new_code_cell("blocks = 16"), nbformat.v4.new_code_cell("print(blocks)")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    name_cells(notebook)
    execute(notebook, tmp_path_factory.mktemp("tiny"))
    clean(notebook)
    return notebook


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_a_committed_notebook_keeps_the_rules(path):
    assert violations(load(path), lesson=path.parent.name == "notebooks") == []


@pytest.mark.parametrize("path", LESSONS, ids=name_of)
def test_the_guard_knows_the_sections_of_today(path):
    kept = sections.FOLDER / f"{path.stem}.json"
    assert kept.read_text(encoding="utf-8") == sections.write(lesson_of(load(path)))


def test_the_guard_knows_no_other_lessons():
    assert list(sections.lessons()) == [path.stem for path in LESSONS]


def test_the_core_paths_fit_into_an_afternoon():
    core = {name_of(path): pace.minutes(load(path))[0] for path in LESSONS}
    assert {name: minutes for name, minutes in core.items() if minutes > 25} == {}
    assert sum(core.values()) <= 190, core


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_links_and_pictures_lead_somewhere(path):
    prose = "\n".join(cell.source for cell in load(path).cells if cell.cell_type == "markdown")
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose)
    local = [target for target in targets if ":" not in target]
    assert [target for target in local if not (path.parent / target).exists()] == []


def bare_machine():
    """A notebook whose outputs are true if the kernel sees the machine that nbval promises."""
    source = (
        "import os\nprint([os.environ[k] for k in ('RADIXLAB_STATIC', 'CUDA_VISIBLE_DEVICES')])"
    )
    more = "print('radixlab-nbval-' in os.environ['RADIXLAB_HOME'])"
    cells = [nbformat.v4.new_code_cell(text, execution_count=1) for text in (source, more)]
    for cell, text in zip(cells, ("['1', '']\n", "True\n"), strict=True):
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)]
    return nbformat.v4.new_notebook(cells=cells)


@pytest.fixture(scope="module")
def checked(tiny, tmp_path_factory):
    """One run of nbval over true and changed outputs."""
    notebooks = {"true": tiny, "changed": corrupted(tiny), "bare": bare_machine()}
    real = [path for path in NOTEBOOKS if any(map(compared_text, load(path).cells))]
    notebooks["real"] = corrupted(load(real[0]))
    return nbval(notebooks, tmp_path_factory.mktemp("checked"))


def test_nbval_is_green_on_a_true_output(checked):
    outcomes, said = checked
    assert outcomes["true"] == ["PASSED"] * 2, said


@pytest.mark.parametrize("name", ["changed", "real"])
def test_nbval_is_red_on_one_changed_character(checked, name):
    outcomes, said = checked
    assert {*outcomes[name][:-1]} <= {"PASSED"} and outcomes[name][-1:] == ["FAILED"], said
    assert said.count("Cell outputs differ") == 2


def test_a_notebook_under_nbval_sees_the_bare_machine(checked):
    outcomes, said = checked
    assert outcomes["bare"] == ["PASSED"] * 2, said


def test_without_torch_lesson_06_is_skipped_and_says_why(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['torch'] = None")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    lesson = "notebooks/06_paged_attention.ipynb"
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "--nbval"]
    run = subprocess.run(
        [*command, lesson], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert f"{lesson}: torch is not installed: the extra `model` brings it" in run.stdout
    assert run.returncode == 0 and "passed" not in run.stdout


@pytest.mark.parametrize("path", sorted(ROOT.glob("solutions/*.ipynb")), ids=name_of)
def test_an_exercise_is_its_solution_with_gaps(path):
    exercise = ROOT / "exercises" / path.name
    assert exercise.read_text(encoding="utf-8") == handout(load(path))


def test_every_exercise_has_a_solution():
    solutions = {path.name for path in ROOT.glob("solutions/*.ipynb")}
    assert {path.name for path in ROOT.glob("exercises/*.ipynb")} == solutions
