"""Odd notebooks and paths: each is graded, or refused with one clear line; none is a silent 0."""

import json
import os
import socket
import sys

import pytest

from radixlab.grade.cells import MAX_BYTES, SubmissionError
from radixlab.grade.registry import EXERCISES
from radixlab.grade.submission import PARTS, read
from radixlab.grade.workplace import hand_in, learners, num_tries

EX = EXERCISES["8.5.1"]
NAME = f"{EX.notebook}.ipynb"
CODE = "x = 1\ny = 2"
MAGIC = "%%exercise 8.5.1\n"
GRADED = "graded"


def cell(source, kind="code", **more):
    return {"cell_type": kind, "id": "a", "metadata": {}, "source": source, **more}


def document(*cells):
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def text(*cells):
    return json.dumps(document(*cells))


SOURCES = {
    "as it should be": (MAGIC + CODE, GRADED),
    "blank lines above": ("\n \n" + MAGIC + CODE, GRADED),
    "spaces before it": ("  " + MAGIC + CODE, GRADED),
    "spaces behind it": (f"%%exercise 8.5.1  \n{CODE}", GRADED),
    "a tab": (f"%%exercise\t8.5.1\n{CODE}", GRADED),
    "a no-break space": (f"%%exercise\u00a08.5.1\n{CODE}", GRADED),
    "a zero-width space": (f"%%exercise 8.5.1\u200b\n{CODE}", GRADED),
    "a byte order mark in the cell": (f"\ufeff{MAGIC}{CODE}", GRADED),
    "full-width digits": (f"%%exercise \uff18.\uff15.\uff11\n{CODE}", GRADED),
    "CRLF": ((MAGIC + CODE).replace("\n", "\r\n"), GRADED),
    "CR": ((MAGIC + CODE).replace("\n", "\r"), GRADED),
    "a list of lines": ([MAGIC, "x = 1\n", "y = 2"], GRADED),
    "a list of CRLF lines": (["%%exercise 8.5.1\r\n", "x = 1\r\n", "y = 2"], GRADED),
    "a comment above": ("# mine\n" + MAGIC + CODE, "its line 2 says"),
    "another magic above": ("%%time\n" + MAGIC + CODE, "its line 2 says"),
    "in the middle": ("x = 1\n" + MAGIC + "y = 2", "its line 2 says"),
    "a letter in the id": (f"%%exercise 8.5.l\n{CODE}", "no exercise '8.5.l'"),
    "commas in the id": (f"%%exercise 8,5,1\n{CODE}", "no exercise '8,5,1'"),
    "a zero in the id": (f"%%exercise 8.5.01\n{CODE}", "no exercise '8.5.01'"),
    "a dot behind the id": (f"%%exercise 8.5.1.\n{CODE}", "no exercise '8.5.1.'"),
    "an id that is not there": (f"%%exercise 9.9.9\n{CODE}", "no exercise '9.9.9'"),
    "no id": (f"%%exercise\n{CODE}", "it names no exercise"),
    "a note behind the id": (
        f"%%exercise 8.5.1 # mine\n{CODE}",
        "only the name of a part may stand",
    ),
    "two words behind the id": (f"%%exercise 8.5.1 my tree\n{CODE}", "not 'my tree'"),
    "one percent sign": (f"%exercise 8.5.1\n{CODE}", "its first line says"),
    "three percent signs": (f"%%%exercise 8.5.1\n{CODE}", "its first line says"),
    "a space in the magic": (f"% %exercise 8.5.1\n{CODE}", "its first line says"),
    "a space behind it": (f"%% exercise 8.5.1\n{CODE}", "its first line says"),
    "a capital": (f"%%Exercise 8.5.1\n{CODE}", "its first line says"),
    "capitals": (f"%%EXERCISE 8.5.1\n{CODE}", "its first line says"),
    "a plural": (f"%%exercises 8.5.1\n{CODE}", "its first line says"),
    "misspelt": (f"%%excercise 8.5.1\n{CODE}", "its first line says"),
    "no space before the id": (f"%%exercise8.5.1\n{CODE}", "its first line says"),
    "commented out": (f"# %%exercise 8.5.1\n{CODE}", "its first line says"),
    "as nbconvert writes it": (
        f"get_ipython().run_cell_magic('exercise', '8.5.1', {CODE!r})",
        "its first line says",
    ),
    "no magic at all": (CODE, "has no cell that begins with `%%exercise 8.5.1`"),
    "another exercise's": (f"%%exercise 8.5.2\n{CODE}", "it belongs to exercise 8.5.2"),
    "half of a character": (f"{MAGIC}x = '\ud83d'", "a lone surrogate"),
    "no source": (None, "no readable source"),
    "a number as source": (3, "no readable source"),
    "lines that are no text": ([MAGIC, 3], "no readable source"),
}

FILES = {
    "a byte order mark": (text(cell(MAGIC + CODE)).encode("utf-8-sig"), GRADED),
    "UTF-16": (text(cell(MAGIC + CODE)).encode("utf-16"), GRADED),
    "CRLF in the file": (
        json.dumps(document(cell(MAGIC + CODE)), indent=1).replace("\n", "\r\n").encode(),
        GRADED,
    ),
    "not a number in the metadata": (text(cell(MAGIC + CODE, score=float("nan"))).encode(), GRADED),
    "locked and trusted": (
        text(cell(MAGIC + CODE, editable=False, trusted=True, deletable=False)).encode(),
        GRADED,
    ),
    "a cell that is null": (text(None, cell(MAGIC + CODE)).encode(), GRADED),
    "outputs of another kind": (text(cell(MAGIC + CODE, outputs=3)).encode(), GRADED),
    "Latin-1": (
        json.dumps(document(cell(f"{MAGIC}x = 'é'")), ensure_ascii=False).encode("latin-1"),
        "is not UTF-8",
    ),
    "empty": (b"", "is empty"),
    "nothing but zeros": (bytes(64), "is not a notebook"),
    "half a file": (text(cell(MAGIC + CODE)).encode()[:-9], "is not a notebook"),
    "nested 100,000 deep": (b"[" * 100_000, "nested too deep"),
    "a number of 5,000 digits": (b'{"cells": [' + b"1" * 5_000 + b"]}", "is not a notebook"),
    "cells null": (b'{"cells": null}', "has no list of cells"),
    "cells twice": (b'{"cells": [], "cells": []}', "it holds 'cells' twice"),
    "a list": (b"[]", "has no list of cells"),
    "the format of 2014": (
        b'{"worksheets": [{"cells": [{"cell_type": "code", "input": "%%exercise 8.5.1"}]}]}',
        "format of 2014",
    ),
    "a raw cell": (text(cell(MAGIC + CODE, "raw")).encode(), "its type is 'raw'"),
    "a markdown cell": (text(cell(MAGIC + CODE, "markdown")).encode(), "its type is 'markdown'"),
    "a cell of no type": (b'{"cells": [{"source": "%%exercise 8.5.1"}]}', "no readable source"),
    "a picture of 20 MB": (b"x" * (MAX_BYTES + 1), "at most 20,000,000 are read"),
    "Python source": (f"# {MAGIC}{CODE}".encode(), "is not a notebook"),
}


def lines_of(found):
    return [found.why, *found.doubts] if found.absent else list(found.doubts)


def check(found, says):
    """It is graded as it stands, or one line says why not."""
    if says is GRADED:
        assert not found.absent
        assert [part.source for part in found.parts] == [CODE]
    else:
        assert found.absent == "unreadable" and not found.parts
        assert says in found.why
    assert all(line.isprintable() and len(line) < 400 for line in lines_of(found))


@pytest.mark.parametrize(("source", "says"), SOURCES.values(), ids=SOURCES)
def test_a_cell_is_graded_or_named(tmp_path, source, says):
    (tmp_path / NAME).write_text(text(cell(source)))
    check(hand_in(tmp_path, EX), says)


@pytest.mark.parametrize(("source", "says"), SOURCES.values(), ids=SOURCES)
def test_an_odd_cell_beside_a_good_one_is_named_too(tmp_path, source, says):
    (tmp_path / NAME).write_text(text(cell(source), cell(MAGIC + CODE)))
    found = hand_in(tmp_path, EX)
    assert [part.source for part in found.parts] == [CODE]
    assert len(found.doubts) == (source != CODE)
    assert all("cell 1 was not graded" in doubt for doubt in found.doubts)


@pytest.mark.parametrize(("content", "says"), FILES.values(), ids=FILES)
def test_a_file_is_graded_or_named(tmp_path, content, says):
    (tmp_path / NAME).write_bytes(content)
    check(hand_in(tmp_path, EX), says)


def good(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text(cell(MAGIC + CODE)))


def folder_of_its_name(home):
    (home / NAME).mkdir()


def fifo(home):
    os.mkfifo(home / NAME)


def unix_socket(home):
    here = os.getcwd()
    os.chdir(home)  # a socket's path must be short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(NAME)
    finally:
        os.chdir(here)


def link_out(home):
    good(home.parent / "other" / NAME)
    (home / NAME).symlink_to(home.parent / "other" / NAME)


def link_inside(home):
    good(home / "mine.ipynb")
    (home / NAME).symlink_to("mine.ipynb")


def link_to_nothing(home):
    (home / NAME).symlink_to("nowhere")


def link_to_itself(home):
    (home / NAME).symlink_to(NAME)


def hard_link(home):
    good(home.parent / "other" / NAME)
    os.link(home.parent / "other" / NAME, home / NAME)


def linked_subfolder(home):
    good(home.parent / "other" / NAME)
    (home / "work").symlink_to(home.parent / "other")


PATHS = {
    "a folder": (folder_of_its_name, "is a folder"),
    "a pipe": (fifo, "is not a file"),
    "a socket": (unix_socket, "is not a file"),
    "a link out of the folder": (link_out, "is a link"),
    "a link inside the folder": (link_inside, "is a link"),
    "a link to nothing": (link_to_nothing, "is a link"),
    "a link to itself": (link_to_itself, "is a link"),
    "a hard link": (hard_link, "is a hard link"),
    "a second download": (lambda home: good(home / "ex1_radix_tree (1).ipynb"), GRADED),
    "a copy": (lambda home: good(home / "ex1_radix_tree-Copy1.ipynb"), GRADED),
    "another case": (lambda home: good(home / "Ex1_Radix_Tree.IPYNB"), GRADED),
    "spaces for lines": (lambda home: good(home / "ex1 radix tree.ipynb"), GRADED),
    "another suffix": (lambda home: good(home / "ex1_radix_tree.ipynb.txt"), GRADED),
    "a student's number before it": (lambda home: good(home / "0815_ex1_radix_tree.ipynb"), GRADED),
    "another name": (lambda home: good(home / "homework.ipynb"), GRADED),
    "a subfolder": (lambda home: good(home / "submission" / "work" / NAME), GRADED),
    "Python source": (
        lambda home: (home / "ex1_radix_tree.py").write_text(CODE),
        "ex1_radix_tree.py is not a notebook",
    ),
    "beside its PDF": (
        lambda home: [good(home / "ex1 radix tree.ipynb"), good(home / "ex1_radix_tree.pdf")],
        GRADED,
    ),
    "the whole course": (
        lambda home: [good(home / at / NAME) for at in ("exercises", "solutions", "work")],
        GRADED,
    ),
    "seven folders deep": (
        lambda home: good(home / "a" / "b" / "c" / "d" / "e" / "f" / NAME),
        GRADED,
    ),
    "an archive": (
        lambda home: (home / "work.zip").write_bytes(b"PK"),
        "there is no notebook; it holds work.zip",
    ),
    "another name, cut off": (
        lambda home: (home / "homework.ipynb").write_text("{"),
        "homework.ipynb is not a notebook",
    ),
    "another name, misspelt": (
        lambda home: (home / "homework.ipynb").write_text(text(cell("%%exercise 8.5.l\n"))),
        "homework.ipynb: cell 1 was not graded: there is no exercise",
    ),
    "more files than are looked at": (
        lambda home: [(home / f"{number}.txt").touch() for number in range(2_100)],
        "hand in the notebooks alone",
    ),
    "two that look like it": (
        lambda home: [good(home / f"ex1_radix_tree ({n}).ipynb") for n in (1, 2)],
        "several files look like it: ex1_radix_tree (1).ipynb, ex1_radix_tree (2).ipynb",
    ),
}


@pytest.mark.skipif(sys.platform == "win32", reason="these are files of POSIX systems")
@pytest.mark.parametrize(("make", "says"), PATHS.values(), ids=PATHS)
def test_a_path_is_graded_or_named(tmp_path, make, says):
    home = tmp_path / "ada"
    home.mkdir()
    make(home)
    found = hand_in(home, EX)
    check(found, says)
    if says is GRADED:
        assert f"there is no {NAME}: " in found.doubts[0]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_linked_folder_is_nobodys_work(tmp_path):
    home = tmp_path / "ada"
    home.mkdir()
    linked_subfolder(home)
    assert hand_in(home, EX).why == "there is no notebook; it holds work"
    (tmp_path / "bob").symlink_to(tmp_path / "other")
    assert "the folder cannot be read" in hand_in(tmp_path / "nobody", EX).why
    assert "the folder is a link" in hand_in(tmp_path / "bob", EX).why


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
@pytest.mark.parametrize(("at", "mode", "says"), [
    ("sub", 0, "there is no notebook; it holds sub"),
    (".", 0o444, "cannot be read: Permission denied"),
])  # fmt: skip
def test_a_folder_that_cannot_be_entered_is_named(tmp_path, at, mode, says):
    home = tmp_path / "ada"
    good(home / at / NAME)
    (home / at).chmod(mode)
    found = hand_in(home, EX)
    (home / at).chmod(0o755)
    check(found, says)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path):
    good(tmp_path / NAME)
    (tmp_path / NAME).chmod(0)
    check(hand_in(tmp_path, EX), "cannot be read: Permission denied")


def test_the_exercises_own_name_wins_and_the_others_are_named(tmp_path):
    good(tmp_path / NAME)
    good(tmp_path / "ex1_radix_tree (1).ipynb")
    found = hand_in(tmp_path, EX)
    assert len(found.parts) == 1
    assert found.doubts == (f"ex1_radix_tree (1).ipynb was not graded: {NAME} was",)


def test_the_later_of_two_cells_counts_and_the_earlier_is_named(tmp_path):
    (tmp_path / NAME).write_text(text(cell(MAGIC + "x = 0"), cell(MAGIC + CODE)))
    found = hand_in(tmp_path, EX)
    assert [part.source for part in found.parts] == [CODE]
    assert found.doubts == (f"{NAME}: cell 1 was not graded: cell 2 holds the same part",)


def test_a_part_of_the_learners_own_is_graded_and_said(tmp_path):
    own = [cell(f"%%exercise 8.5.1 {name}\n{CODE}") for name in ("helpers", "tree")]
    (tmp_path / NAME).write_text(text(*own))
    found = hand_in(tmp_path, EX)
    assert [part.name for part in found.parts] == ["helpers", "tree"] and not found.missing
    assert found.doubts[0].endswith("cell 1 is graded as the part helpers; parts handed out: none")


def test_the_magic_twice_in_one_cell_is_named(tmp_path):
    (tmp_path / NAME).write_text(text(cell(f"{MAGIC}x = 1\n{MAGIC}y = 2")))
    assert "holds `%%exercise` twice" in hand_in(tmp_path, EX).doubts[0]


def test_every_part_that_is_handed_out_is_known_and_nothing_there_is_in_doubt():
    root = os.path.join(os.path.dirname(__file__), "..", "..")
    for exercise in EXERCISES.values():
        for folder in ("exercises", "solutions"):
            found = read_from(root, folder, exercise)
            assert found.doubts == () and found.missing == []
            assert [part.name for part in found.parts if part.name] == list(PARTS[exercise.id])
    assert list(PARTS) == list(EXERCISES)


def read_from(root, folder, exercise):
    from pathlib import Path

    return read(Path(root) / folder / f"{exercise.notebook}.ipynb", exercise.id)


def test_a_class_names_everybody_and_those_who_handed_in_nothing(tmp_path):
    good(tmp_path / "ada" / NAME)
    (tmp_path / "bob").mkdir()
    good(tmp_path / "\x1b[31mcyd\n" / NAME)
    good(tmp_path / "__MACOSX" / NAME)
    found = learners(tmp_path)
    assert list(found) == ["\\x1b[31mcyd\\n", "ada", "bob"]
    assert hand_in(found["bob"], EX).absent == "not handed in"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_the_folder_that_is_named_may_be_a_link(tmp_path):
    good(tmp_path / "work" / NAME)
    (tmp_path / "link").symlink_to(tmp_path / "work")
    ((_, folder),) = learners(tmp_path / "link").items()
    assert hand_in(folder, EX).parts


def test_tries_are_counted_where_the_history_was_handed_in(tmp_path):
    history = tmp_path / "work" / ".radixlab" / "history" / "8.5.1"
    history.mkdir(parents=True)
    for number in (3, 12):
        (history / f"{number:04d}.json").write_text("{}")
    assert num_tries(tmp_path, "8.5.1") == 12
    assert num_tries(tmp_path, "8.5.2") is None


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_nobody_vanishes_from_a_class(tmp_path):
    good(tmp_path / "ada" / NAME)
    good(tmp_path / "kept" / NAME)
    (tmp_path / "bob.zip").write_bytes(b"PK")
    good(tmp_path / "cyd.ipynb")
    (tmp_path / "dan").symlink_to("nowhere")
    (tmp_path / "points.csv").write_text("learner")
    found = learners(tmp_path)
    assert list(found) == ["ada", "bob.zip", "cyd.ipynb", "dan", "kept"]
    for name in ("bob.zip", "cyd.ipynb", "dan"):
        check(hand_in(found[name], EX), "it is a" if name != "dan" else "is a link")


def test_a_class_with_a_notebook_in_its_own_folder_is_refused(tmp_path):
    for name in ("work", "exercises", "ada"):
        good(tmp_path / name / NAME)
    good(tmp_path / NAME)
    assert list(learners(tmp_path)) == [tmp_path.name]
    good(tmp_path / "bob" / NAME)
    with pytest.raises(SubmissionError, match=r"and so do folders in it \(ada, bob\)"):
        learners(tmp_path)


def test_tries_are_not_counted_where_they_cannot_be(tmp_path):
    good(tmp_path / "ada" / NAME)
    (tmp_path / "ada" / ".radixlab").write_text("")
    (tmp_path / "bob").symlink_to("nowhere")
    assert num_tries(tmp_path / "ada", EX.id) is num_tries(tmp_path / "bob", EX.id) is None
