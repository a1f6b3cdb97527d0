"""A class of 30 with hostile learners among them is graded whole, and each costs only itself."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from radixlab.grade.registry import EXERCISES
from tests.grade.attacks import CRASHES, FAILURES, FAKES, LOOPS

ROOT = Path(__file__).parents[2]
EX = EXERCISES["8.5.1"]
NAME = f"{EX.notebook}.ipynb"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the files are of POSIX systems")


def hand_in(folder, source):
    folder.mkdir(parents=True)
    cell = {"cell_type": "code", "source": f"%%exercise 8.5.1\n{textwrap.dedent(source)}"}
    (folder / NAME).write_text(json.dumps({"cells": [cell]}))


def tree(attack):
    """A tree that does something hostile when it is made."""
    body = textwrap.indent(textwrap.dedent(attack), " " * 8)
    return f"class RadixTree:\n    def __init__(self, block_size):\n{body}\n"


def grade(folder, *args, **variables):
    command = [sys.executable, "-P", "-m", "radixlab", "grade", "8.5.1", "--dir", str(folder)]
    env = os.environ | {"PYTHONPATH": str(ROOT), "RADIXLAB_HOME": str(folder / "home")} | variables
    done = subprocess.run([*command, *args], env=env, capture_output=True, text=True, cwd=folder)
    assert "Traceback" not in done.stderr + done.stdout
    return done


def rows_of(text):
    return {row["learner"]: row for row in csv.DictReader(io.StringIO(text))}


def odd(folder):
    """Hostile and careless learners whose work is not run at all."""
    (folder / "deep").mkdir()
    (folder / "deep" / NAME).write_text("[" * 100_000)
    (folder / "pipe").mkdir()
    os.mkfifo(folder / "pipe" / NAME)
    (folder / "link").mkdir()
    (folder / "link" / NAME).symlink_to(folder / "right" / NAME)
    (folder / "hard").mkdir()
    shutil.copy(folder / "right" / NAME, folder.parent / "other.ipynb")
    os.link(folder.parent / "other.ipynb", folder / "hard" / NAME)
    (folder / "folder" / NAME).mkdir(parents=True)
    (folder / "linked").symlink_to(folder / "right")
    hand_in(folder / "\x1b[2J=1+1\n", "")
    for n in range(16):
        (folder / f"empty {n:02}").mkdir()


RUN = {
    "syntax": "class RadixTree(:",
    "stub": tree("raise NotImplementedError"),
    "exit": "import os\nos._exit(0)",
    "prints": tree("print('\\x1b[2J' * 10**6)"),
    "huge": tree("self.match_prefix = lambda tokens: 'x' * (50 << 20)"),
    "nested": "import os\nfor n in range(3000):\n    os.mkdir('d'); os.chdir('d')",
}


def test_a_class_of_thirty_is_graded_whole(tmp_path):
    folder = tmp_path / "class"
    for name, source in RUN.items():
        hand_in(folder / name, source)
    shutil.copytree(ROOT / "solutions", folder / "right")
    odd(folder)
    done = grade(folder, "--csv", "points.csv", "--junit", "points.xml", TMPDIR=str(tmp_path))
    rows = rows_of((folder / "points.csv").read_text())
    assert len(rows) == 30 and done.returncode == 1
    status = {name: row["8.5.1 status"] for name, row in rows.items()}
    assert {status.pop(f"empty {n:02}") for n in range(16)} == {"not handed in"}
    unreadable = ("deep", "pipe", "link", "hard", "folder", "linked")
    assert {status.pop(name) for name in unreadable} == {"unreadable"}
    assert status.pop("right") == "graded" and rows["right"]["points"] == "25"
    assert status.pop("\\x1b[2J=1+1\\n") == "stub"
    assert status.pop("stub") == "stub"
    assert set(status.values()) == {"failed"} and len(status) == len(RUN) - 1
    assert "\x1b" not in done.stdout + done.stderr
    assert len([line for line in done.stderr.splitlines() if ": not graded: " in line]) == 6
    assert sorted(path.name for path in tmp_path.iterdir()) == ["class", "other.ipynb"]


ATTACKS = list({**CRASHES, **FAILURES, **LOOPS, **FAKES}.items())
SIZE = 10


@pytest.mark.soak
@pytest.mark.parametrize("first", range(0, len(ATTACKS), SIZE))
def test_any_attack_costs_its_author_alone(tmp_path, first):
    folder = tmp_path / "class"
    chosen = dict(ATTACKS[first : first + SIZE])
    for name, attack in chosen.items():
        body = f"def attack():\n{textwrap.indent(attack, '    ')}\nattack()"
        hand_in(folder / f"evil: {name}", tree(body))
    hand_in(folder / "a stub", tree("raise NotImplementedError"))
    shutil.copytree(ROOT / "solutions", folder / "the last")
    grade(folder, "--csv", "points.csv", TMPDIR=str(tmp_path))
    rows = rows_of((folder / "points.csv").read_text())
    assert {name: rows[f"evil: {name}"]["8.5.1 status"] for name in chosen} == dict.fromkeys(
        chosen, "failed"
    )
    assert rows["a stub"]["8.5.1 status"] == "stub"
    assert rows["the last"]["points"] == str(EX.points)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["class"]
