"""From a solution to the exercise for learners: the same notebook with gaps.

`### BEGIN SOLUTION` and `### END SOLUTION` enclose the learner's part, as in nbgrader.
"""

import copy
import re
from typing import Any

import nbformat

GAP = 'raise NotImplementedError("your code here")'
TOP_GAP = "..."  # outside a function, raising would stop the whole cell
_REGION = re.compile(
    r"^(?P<indent>[ \t]*)### BEGIN SOLUTION[ \t]*\n.*?^[ \t]*### END SOLUTION[ \t]*$",
    re.MULTILINE | re.DOTALL,
)


class MarkerError(ValueError):
    """A solution has an unpaired marker; the message names the cell."""


def handout(solution: Any) -> str:
    """Return the text of the exercise notebook that belongs to a solution.

    Raises
    ------
    MarkerError
        A region has no beginning or no end.
    """
    exercise = copy.deepcopy(solution)
    for number, cell in enumerate(exercise.cells, 1):
        if cell.cell_type == "code":
            cell.source = with_gaps(cell.source, f"cell {number}")
            cell.outputs, cell.execution_count = [], None
    return str(nbformat.writes(exercise, version=4)) + "\n"


def _gap(region: re.Match[str]) -> str:
    return region["indent"] + GAP if region["indent"] else TOP_GAP


def with_gaps(source: str, where: str = "the cell") -> str:
    r"""Replace each solution by a gap.

    >>> print(with_gaps("def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"))
    def f():
        raise NotImplementedError("your code here")
    """
    gapped = _REGION.sub(
        lambda found: found["indent"] + GAP if found["indent"] else TOP_GAP, source
    )
    if "### BEGIN SOLUTION" in gapped or "### END SOLUTION" in gapped:
        raise MarkerError(f"{where}: a solution's marker has no partner")
    return gapped
