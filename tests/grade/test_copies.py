import json
import re
import shutil
import subprocess
import sys
from itertools import pairwise, product
from pathlib import Path
from urllib.parse import unquote

import nbformat
import nbformat.v4 as v4
import pytest

from radixlab.grade import copies
from radixlab.grade.relink import relink

ROOT = Path(__file__).parents[2]


def notebook(*sources, outputs=()):
    cells = [v4.new_markdown_cell("# Title", id="title")]
    for number, source in enumerate(sources):
        cell = v4.new_code_cell(source, id=f"c{number}", execution_count=number)
        cell.outputs = list(outputs)
        cells.append(cell)
    return v4.new_notebook(cells=cells)


ANSWER = v4.new_output("stream", text="the engine says 16")


def publish(root, *sources):
    """A version of the course: lesson 02 and exercise 8.5.1, both with outputs."""
    for name in ("notebooks/02_the_radix_tree.ipynb", "exercises/ex1_radix_tree.ipynb"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook(*sources, outputs=[ANSWER]), path)
    return root


@pytest.fixture
def course(tmp_path):
    return publish(tmp_path, "version = 1")


def states(root):
    return {copy.state for copy in copies.start(root)}


def edit(path, change):
    document = nbformat.read(path, as_version=4)
    change(document)
    nbformat.write(document, path)


def write_code(document):
    document.cells[1].source = "mine = 1"


def run_cells(document):
    document.cells[1].outputs = [ANSWER]


def add_cell(document):
    document.cells.append(v4.new_code_cell("mine"))


def delete_cell(document):
    del document.cells[1]


def open_and_save(document):
    document.metadata["language_info"] = {"name": "python", "version": "3.13"}
    document.cells[1].execution_count = None
    document.cells[1].metadata["trusted"] = True


def test_copies_have_no_outputs_and_are_made_once(course):
    made = copies.start(course)
    assert [(c.path.relative_to(course).as_posix(), c.state) for c in made] == [
        ("work/02_the_radix_tree.ipynb", "new"),
        ("work/ex1_radix_tree.ipynb", "new"),
    ]
    assert all("the engine says" not in c.path.read_text() for c in made)
    assert states(course) == {"same"}


BEGUN = [write_code, run_cells, add_cell, delete_cell]
UNTOUCHED = [open_and_save, lambda document: None]


@pytest.mark.parametrize(("change", "update"), list(product(BEGUN + UNTOUCHED, [True, False])))
def test_what_was_begun_stays_and_what_was_not_follows_the_course(course, change, update):
    paths = [copy.path for copy in copies.start(course)]
    for path in paths:
        edit(path, change)
    before = [path.read_bytes() for path in paths]
    if update:
        publish(course, "version = 2")
    behind = update and change in BEGUN
    expected = "behind" if behind else "refreshed" if update else "same"
    assert states(course) == {expected}
    assert [path.read_bytes() == text for path, text in zip(paths, before, strict=True)] == (
        [expected != "refreshed"] * 2
    )
    assert [copies.behind(path) for path in paths] == [behind] * 2
    assert states(course) == {"behind" if behind else "same"}
    assert ("version = 2" in paths[0].read_text()) == (expected == "refreshed")


def test_new_outputs_in_the_course_are_no_newer_version(course):
    (path, _) = (copy.path for copy in copies.start(course))
    edit(path, write_code)
    edit(course / "notebooks" / path.name, lambda d: d.cells[1].outputs.clear())
    assert states(course) == {"same"} and not copies.behind(path)


def test_a_copy_that_was_taken_away_is_made_again(course):
    (path, _) = (copy.path for copy in copies.start(course))
    path.unlink()
    assert states(course) == {"new", "same"} and path.exists()


@pytest.mark.parametrize(
    "text", ["", "mine", "{}", "[1]", '{"cells": 3}', "null", "\udcff", "[" * 10**5, "a\r\nb\r\n"]
)
def test_a_copy_that_is_no_notebook_stays_what_it_is(course, text):
    (path, _) = (copy.path for copy in copies.start(course))
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    publish(course, "version = 2")
    assert states(course) == {"behind", "refreshed"}
    kept = copies.reset(path)
    assert kept.read_bytes().strip() == text.encode("utf-8", "surrogateescape").strip()
    assert kept.read_bytes().count(b"\r") == text.count("\r")
    assert "version = 2" in path.read_text()


def test_a_folder_where_a_copy_should_be_is_told_of_and_put_aside(course):
    (path, _) = (copy.path for copy in copies.start(course))
    for number in (1, 2):
        path.unlink()
        path.mkdir()
        (path / "mine.txt").write_text("mine")
        publish(course, f"version = {number}")
        assert "behind" in states(course)
        kept = copies.reset(path)
        assert (kept / "mine.txt").read_text() == "mine"
        assert f"version = {number}" in path.read_text()
        assert states(course) == {"same"}


def test_a_start_that_was_stopped_half_way_leaves_nothing_behind(course, monkeypatch):
    copies.start(course)
    publish(course, "version = 2")
    with monkeypatch.context() as patch, pytest.raises(OSError):

        def stop(root, versions):
            raise OSError

        patch.setattr(copies, "_keep_versions", stop)
        copies.start(course)
    assert states(course) == {"same"}
    publish(course, "version = 3")
    assert states(course) == {"refreshed"}


def test_a_copy_from_before_versions_were_kept_is_its_owners(course):
    (path, _) = (copy.path for copy in copies.start(course))
    edit(path, write_code)
    (course / "work" / ".radixlab" / "copies.json").unlink()
    publish(course, "version = 2")
    assert states(course) == {"same"} and "mine = 1" in path.read_text()
    publish(course, "version = 3")
    assert "behind" in states(course) and "mine = 1" in path.read_text()


def test_a_reset_keeps_every_older_copy(course):
    (path, _) = (copy.path for copy in copies.start(course))
    assert copies.reset(path) is None  # nothing in it was the learner's
    for number in (1, 2):
        edit(path, write_code)
        publish(course, f"version = {number + 1}")
        kept = copies.reset(path)
        assert kept.relative_to(course).as_posix() == f"work/kept/02_the_radix_tree-{number}.ipynb"
        assert "mine = 1" in kept.read_text()
        assert f"version = {number + 1}" in path.read_text()
        assert not copies.behind(path)


@pytest.mark.parametrize(
    ("target", "moved"),
    [
        ("[a](03_next.ipynb)", "[a](03_next.ipynb)"),
        ("[a](03_next.ipynb#part-2)", "[a](03_next.ipynb#part-2)"),
        ("[a](../exercises/ex1.ipynb)", "[a](ex1.ipynb)"),
        ("[a](../README.md)", "[a](../README.md)"),
        ("![a](images/a%20b.png)", "![a](../notebooks/images/a%20b.png)"),
        ('<img src="images/a.png" width="3">', '<img src="../notebooks/images/a.png" width="3">'),
        ("<a href='04.ipynb'>", "<a href='../notebooks/04.ipynb'>"),
        ("[a](https://arxiv.org/abs/1)", "[a](https://arxiv.org/abs/1)"),
        ("[a](#part)", "[a](#part)"),
        ("![a](attachment:a.png)", "![a](attachment:a.png)"),
        ("a[0](b) is no link", "a[0](../notebooks/b) is no link"),
        ("(images/a.png)", "(images/a.png)"),
    ],
)
def test_links_lead_where_they_led(target, moved):
    own = {Path("/c/notebooks/03_next.ipynb"), Path("/c/exercises/ex1.ipynb")}
    document = {"cells": [{"cell_type": "markdown", "source": [f"See {target}\n", "and more"]}]}
    home = {path: Path("/c/work") / path.name for path in own}
    relink(document, Path("/c/notebooks"), Path("/c/work"), lambda file: home.get(file, file))
    assert "".join(document["cells"][0]["source"]) == f"See {moved}\nand more"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """The course's own notebooks and pictures, with a learner's copies."""
    root = tmp_path_factory.mktemp("checkout")
    for folder in ("notebooks", "exercises", "benchmarks", "docs"):
        shutil.copytree(ROOT / folder, root / folder)
    for file in ("README.md", "LICENSE"):
        shutil.copy(ROOT / file, root / file)
    copies.start(root)
    return root


def links(path):
    document = json.loads(path.read_text(encoding="utf-8"))
    prose = "\n".join("".join(c["source"]) for c in document["cells"] if c["cell_type"] != "code")
    found = re.findall(r"""\]\(([^)#\s]+)|(?:src|href)=["']([^"'#]+)""", prose)
    return [unquote(a or b) for a, b in found if ":" not in (a or b)]


COPIED = [source.name for source in copies.handed_out(ROOT)]


@pytest.mark.parametrize("name", COPIED)
def test_every_link_of_every_copy_leads_somewhere(checkout, name):
    path = checkout / "work" / name
    assert [link for link in links(path) if not (path.parent / link).exists()] == []


def test_lessons_lead_from_copy_to_copy(checkout):
    lessons = [name for name in COPIED if name[0].isdigit()]
    for name, following in pairwise(lessons):
        assert following in links(checkout / "work" / name)


def test_git_sees_nothing_of_a_learners_work():
    names = [f"work/{name}" for name in (*COPIED, "kept/a-1.ipynb", ".radixlab/copies.json")]
    command = ["git", "check-ignore", "--no-index", *names]
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("no git, or no checkout")
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.stdout.splitlines() == names


def test_two_starts_at_once_make_whole_copies(checkout):
    shutil.rmtree(checkout / "work")
    code = "import sys; from pathlib import Path; from radixlab.grade import copies\n"
    code += "print([c.state for c in copies.start(Path(sys.argv[1]))])"
    command = [sys.executable, "-c", code, str(checkout)]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = sorted(run.communicate()[0].strip() for run in runs)
    assert said == [str(["new"] * len(COPIED)), str(["same"] * len(COPIED))]
