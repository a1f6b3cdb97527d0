"""The submissions of every exercise in right/, wrong/ and cheats/, and what the checks say of them.

A wrong one or a cheat stands below the master's graded cells, as a later part of a submission
would, and replaces what it defines again. Where its second line says `# alone` it stands by itself,
and where that says `# below` and the name of a wrong one, below that.
"""

import json
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType

from radixlab.grade.items import Failed, Trial
from radixlab.grade.judge import grade
from radixlab.grade.registry import EXERCISES
from radixlab.grade.submission import Part, Submission

HERE = Path(__file__).parent
SOLUTIONS = HERE.parents[1] / "solutions"
BESIDE = os.path.join("radixlab", "exercise")
"""Where code of ours lies that runs beside the learner's, in the box."""


def graded_cells(notebook, exercise_id):
    """The source of a notebook's graded cells, without their magic."""
    cells = ["".join(cell["source"]) for cell in json.loads(notebook.read_text("utf-8"))["cells"]]
    graded = [cell for cell in cells if cell.startswith(f"%%exercise {exercise_id}")]
    return "\n\n".join(cell.partition("\n")[2] for cell in graded)


class Zoo:
    def __init__(self, exercise, folder):
        self.exercise, self.folder = exercise, folder
        self.items = {item.id: item for item in exercise.items}
        self.master = graded_cells(SOLUTIONS / f"{exercise.notebook}.ipynb", exercise.id)
        self.right = {"master": self.master, **read_submissions(folder / "right")}
        self.wrong, self.loses = self._below_the_master(folder / "wrong", "# loses: ")
        """The items that each wrong submission names in its first line, and so for each cheat."""
        self.cheats, self.earns = self._below_the_master(folder / "cheats", "# earns: ")

    def _below_the_master(self, folder, names):
        texts = read_submissions(folder)
        whole = {name: self._whole(text) for name, text in texts.items()}
        first_lines = {name: text.splitlines()[0] for name, text in texts.items()}
        return whole, {name: _named(line, names) for name, line in first_lines.items()}

    def _whole(self, text):
        word, _, name = text.splitlines()[1].removeprefix("# ").partition(" ")
        if word == "alone":
            return text
        return f"{self.wrong[name] if word == 'below' else self.master}\n\n{text}"

    @staticmethod
    def loaded(text):
        """Run a submission in this process; its names, as attributes."""
        learner = ModuleType("submission")
        sys.modules["submission"] = learner  # dataclasses look their module up
        exec(compile(text, "<submission>", "exec", dont_inherit=True), learner.__dict__)
        return learner

    def failures(self, text, items, seed=0):
        """What checks say of a submission, run in this process: an exception for each, or None."""
        trial = Trial(self.loaded(text), seed)
        return {item: self._failure(trial, item) for item in items}

    def _failure(self, trial, item):
        try:
            share = self.items[item].check(trial)
        except Failed as error:
            return error
        except Exception as error:
            if not is_theirs(error):
                raise  # the check itself: the learner would be told that the grader failed
            return error
        if share is None or share == 1:
            return None
        return Failed(f"{share:.2f} of the points")

    def failure(self, text, item, seed=0):
        """What one check says."""
        return self.failures(text, [item], seed)[item]

    def lost(self, text, seed=0):
        """The items that do not earn all their points."""
        return [item for item, failure in self.failures(text, self.items, seed).items() if failure]

    def report(self, text, seed=0, only=None):
        """What a learner is told: the submission runs in a box."""
        part = Part(self.exercise.id, None, text)
        return grade(self.exercise, Submission(self.exercise.id, (part,)), seed, only)


def is_theirs(error):
    """Whether the submission's own code raised, or what runs beside it in the box."""
    files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    return any(file == "<submission>" or BESIDE in file for file in files)


def read_submissions(folder):
    """The texts in a folder, by name."""
    return {path.stem: path.read_text("utf-8") for path in sorted(folder.glob("*.py"))}


def _named(line, names):
    assert line.startswith(names), line
    return [item for item in line.removeprefix(names).split(", ") if item != "nothing"]


ZOOS = {
    exercise.id: Zoo(exercise, HERE / exercise.notebook.partition("_")[0])
    for exercise in EXERCISES.values()
}
