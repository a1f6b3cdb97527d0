"""The submissions in right/ and wrong/, and what a run of the checks in this process says of them.

A wrong one stands below the master's graded cells, as a later part of a submission would, and
replaces what it defines again.
"""

import json
from pathlib import Path
from types import SimpleNamespace

from radixlab.grade.ex2 import EXERCISE
from radixlab.grade.items import Failed, Trial

HERE = Path(__file__).parent
ITEMS = {item.id: item for item in EXERCISE.items}


def graded_cells(notebook):
    """The source of a notebook's graded cells, without their magic."""
    cells = ["".join(cell["source"]) for cell in json.loads(notebook.read_text("utf-8"))["cells"]]
    graded = [cell for cell in cells if cell.startswith(f"%%exercise {EXERCISE.id}")]
    return "\n\n".join(cell.partition("\n")[2] for cell in graded)


def read(folder):
    return {path.stem: path.read_text("utf-8") for path in sorted((HERE / folder).glob("*.py"))}


MASTER = graded_cells(HERE.parents[2] / "solutions" / f"{EXERCISE.notebook}.ipynb")
RIGHT = {"master": MASTER, **read("right")}
WRONG = {name: f"{MASTER}\n\n{text}" for name, text in read("wrong").items()}
LOSES = {
    name: text.splitlines()[0].removeprefix("# loses: ").split(", ")
    for name, text in read("wrong").items()
}
"""The items that each wrong submission names in its first line."""


def failure(text, item, seed=0):
    """What one check says of a submission: an exception, or None."""
    names = {"__name__": "submission"}
    exec(compile(text, "<submission>", "exec"), names)
    try:
        ITEMS[item].check(Trial(SimpleNamespace(**names), seed))
    except (Failed, ArithmeticError, LookupError, NotImplementedError, ValueError) as error:
        return error
    return None


def lost(text, seed=0):
    return [item for item in ITEMS if failure(text, item, seed)]
