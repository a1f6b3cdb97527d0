"""The submissions in right/ and wrong/, and what a run of the checks in this process says of them.

A wrong one stands below the reference in one source, as a later part of a submission would, and
replaces what it defines again.
"""

from pathlib import Path
from types import SimpleNamespace

from radixlab.grade.ex2 import EXERCISE
from radixlab.grade.items import Failed, Trial

HERE = Path(__file__).parent
RIGHT = sorted((HERE / "right").glob("*.py"))
WRONG = sorted((HERE / "wrong").glob("*.py"))
ITEMS = {item.id: item for item in EXERCISE.items}
REFERENCE = (HERE / "right" / "reference.py").read_text(encoding="utf-8")


def source(path):
    text = path.read_text(encoding="utf-8")
    return f"{REFERENCE}\n\n{text}" if path in WRONG else text


def loses(path):
    """The items that a wrong submission names in its first line."""
    first = path.read_text(encoding="utf-8").splitlines()[0]
    return first.removeprefix("# loses: ").split(", ")


def failure(text, item, seed=0):
    """What one check says of a submission: an exception, or None."""
    names = {"__name__": "submission"}
    exec(compile(text, "<submission>", "exec"), names)
    try:
        ITEMS[item].check(Trial(SimpleNamespace(**names), seed))
    except (Failed, ArithmeticError, LookupError, NotImplementedError, ValueError) as error:
        return error
    return None


def lost(text, items=tuple(ITEMS), seed=0):
    return [item for item in items if failure(text, item, seed)]
