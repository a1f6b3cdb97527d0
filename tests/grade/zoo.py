"""The submissions of every exercise in right/ and wrong/, and what the checks say of them here.

A wrong one stands below the master's graded cells, as a later part of a submission would, and
replaces what it defines again; or it says `# alone` in its second line, and stands by itself.
"""

import json
import sys
from pathlib import Path
from types import ModuleType

from radixlab.grade.items import Failed, Trial
from radixlab.grade.judge import grade
from radixlab.grade.registry import EXERCISES
from radixlab.grade.submission import Part, Submission

HERE = Path(__file__).parent
SOLUTIONS = HERE.parents[1] / "solutions"


def graded_cells(notebook, exercise_id):
    """The source of a notebook's graded cells, without their magic."""
    cells = ["".join(cell["source"]) for cell in json.loads(notebook.read_text("utf-8"))["cells"]]
    graded = [cell for cell in cells if cell.startswith(f"%%exercise {exercise_id}")]
    return "\n\n".join(cell.partition("\n")[2] for cell in graded)


class Zoo:
    def __init__(self, exercise, folder):
        self.exercise = exercise
        self.items = {item.id: item for item in exercise.items}
        self.master = graded_cells(SOLUTIONS / f"{exercise.notebook}.ipynb", exercise.id)
        self.right = {"master": self.master, **_read(folder / "right")}
        texts = _read(folder / "wrong")
        self.wrong = {name: self._whole(text) for name, text in texts.items()}
        self.loses = {name: _named(text) for name, text in texts.items()}
        """The items that each wrong submission names in its first line."""

    def _whole(self, text):
        return text if text.splitlines()[1] == "# alone" else f"{self.master}\n\n{text}"

    @staticmethod
    def loaded(text):
        """Run a submission in this process; its names, as attributes."""
        learner = ModuleType("submission")
        sys.modules["submission"] = learner  # dataclasses look their module up
        exec(compile(text, "<submission>", "exec", dont_inherit=True), learner.__dict__)
        return learner

    def failure(self, text, item, seed=0):
        """What one check says of a submission, run in this process: an exception, or None."""
        try:
            share = self.items[item].check(Trial(self.loaded(text), seed))
        except (Failed, ArithmeticError, LookupError, NotImplementedError, ValueError) as error:
            return error
        if share is None or share == 1:
            return None
        return Failed(f"{share:.2f} of the points")

    def report(self, text):
        """What a learner is told: the submission runs in a box."""
        return grade(
            self.exercise, Submission(self.exercise.id, (Part(self.exercise.id, None, text),))
        )

    def lost(self, text, seed=0):
        return [item for item in self.items if self.failure(text, item, seed)]


def _read(folder):
    return {path.stem: path.read_text("utf-8") for path in sorted(folder.glob("*.py"))}


def _named(text):
    return text.splitlines()[0].removeprefix("# loses: ").split(", ")


ZOOS = {
    exercise.id: Zoo(exercise, HERE / exercise.notebook.partition("_")[0])
    for exercise in EXERCISES.values()
}
