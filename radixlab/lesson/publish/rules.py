"""Rules for notebooks before they are committed. This file reads notebooks and runs none."""

import ast
import re
from collections.abc import Iterator
from typing import Any

from radixlab.lesson.calls import calls, keys
from radixlab.lesson.publish import pace, tags

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
MAX_IGNORED = 0.15
"""The share of code cells whose outputs nbval need not compare."""
MAX_CELL_LINES = 12
MAX_WIDTH = 88
"""Characters in a line of code that fit a page of 1,400 pixels beside JupyterLab's side bar."""
MAX_PRINTED = 90
"""Characters in a printed line that fit a page of 900 pixels; JupyterLab breaks words in two."""

FORBIDDEN = {  # in code: with each of these nbval fails, or compares nothing
    "clear_output": r"\bclear_output\b",
    "an update by display_id": r"\bdisplay_id\b|\bupdate_display\b",
    "an Output widget": r"\bOutput\(",
    "interact": r"@interact|\binteract(ive|_manual|ive_output)?\(",
    "a trailing ;": r";[ \t]*(#.*)?$",
}
MACHINE_PATH = re.compile(r"(?<![\w.:/])/(root|tmp|home|Users|work|opt|private)/\w|\b[A-Z]:\\\w")


def violations(notebook: Any, *, lesson: bool = True) -> list[str]:
    """Return one line per broken rule; none if the notebook can be committed.

    Parameters
    ----------
    notebook
        A notebook as nbformat 4 reads it.
    lesson
        Lessons also say how long they take, keep their cells short and end with three things to
        remember.
    """
    found = [*_ids(notebook), *_whole(notebook), *_guesses(notebook)]
    for number, cell in enumerate(notebook.cells):
        found += [f"cell {number}: {line}" for line in _cell(cell)]
    if lesson:
        found += _lesson(notebook)
    return found


def is_ignored(cell: Any) -> bool:
    """Whether nbval runs the cell without comparing its outputs."""
    return bool({"nbval-ignore-output", "nbval-skip"} & _tags(cell)) or bool(
        re.search(r"^#\s*NBVAL_(IGNORE_OUTPUT|SKIP)\s*$", cell.source, re.MULTILINE)
    )


def _tags(cell: Any) -> set[str]:
    return set(cell.metadata.get("tags", ()))


def _code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _ids(notebook: Any) -> Iterator[str]:
    ids = [cell.get("id") for cell in notebook.cells]
    if not all(ids) or len(set(ids)) < len(ids):
        yield "cell ids are missing or not unique"


def _whole(notebook: Any) -> Iterator[str]:
    if "widgets" in notebook.metadata:
        yield "metadata.widgets holds widget state"
    code = _code(notebook)
    ignored = sum(is_ignored(cell) for cell in code)
    if ignored > MAX_IGNORED * len(code):
        yield f"{ignored} of {len(code)} code cells are not compared, over {MAX_IGNORED:.0%}"


def _guesses(notebook: Any) -> Iterator[str]:
    asked, revealed = [], set()
    for cell in _code(notebook):
        asked += [key for call in calls(cell.source, "predict") for key in _left_open(call)]
        revealed |= set(keys(cell.source, "reveal"))
    for key in asked:
        if key not in revealed:
            yield f"the guess {key!r} is asked for and never revealed"
    for key in sorted(set(asked)):
        if asked.count(key) > 1:
            yield f"the guess {key!r} is asked for twice"


def _left_open(question: ast.Call) -> Iterator[str]:
    """Yield the key of each question whose answer is not told at once."""
    told = len(question.args) > 2 or any(word.arg == "answer" for word in question.keywords)
    if not told and question.args and isinstance(question.args[0], ast.Constant):
        yield str(question.args[0].value)


def _cell(cell: Any) -> Iterator[str]:
    if MACHINE_PATH.search(cell.source):
        yield "the text names a path of one machine"
    if cell.cell_type != "code":
        return
    if cell.execution_count is None:
        yield "it never ran, so nbval compares nothing"
    widest = max(map(len, cell.source.split("\n")))
    if widest > MAX_WIDTH:
        yield f"a line of code is {widest} characters wide, over {MAX_WIDTH}"
    for name, pattern in FORBIDDEN.items():
        if re.search(pattern, cell.source, re.MULTILINE):
            yield f"the code uses {name}"
    for output in cell.outputs:
        yield from _output(
            output, raises="raises-exception" in _tags(cell), ignored=is_ignored(cell)
        )


def _output(output: Any, *, raises: bool, ignored: bool) -> Iterator[str]:
    if output.output_type == "error" and not raises:
        yield f"the output is an error ({output.ename}) and no tag says raises-exception"
    if output.get("name") == "stderr" and not (raises or ignored):
        yield "the output holds stderr"
    data = output.get("data", {})
    if WIDGET_VIEW in data:
        yield "the output holds a widget view, which nobody else can open"
    if data and "text/plain" not in data:
        yield "the output has no text/plain, so nbval has nothing to compare"
    if "image/png" in data and not output.metadata.get("image/png", {}).get("alt"):
        yield "the picture has no alt text, so a screen reader says nothing of it"
    text = "\n".join(_texts(output))
    if MACHINE_PATH.search(text):
        yield "the output names a path of one machine"
    if re.search(r"\b0x[0-9a-f]{8,}\b", text):
        yield "the output shows an object's address"


def _texts(output: Any) -> Iterator[str]:
    yield output.get("text", "")
    yield from output.get("traceback", ())
    for mime, content in output.get("data", {}).items():
        if mime.startswith("text/"):
            yield content


def _printed(cell: Any) -> Iterator[str]:
    """Yield the lines that a cell prints; for a question a learner sees a box instead."""
    for output in cell.get("outputs", ()):
        for line in output.get("text", "").split("\n"):
            if not line.startswith("Predict: "):
                yield line


def _lesson(notebook: Any) -> Iterator[str]:
    if not pace.has_line(notebook):
        yield f"the line under the title is not {pace.line(notebook)!r}: make notebooks"
    yield from tags.problems(notebook)
    for number, cell in enumerate(notebook.cells):
        length = len(cell.source.splitlines())
        if cell.cell_type == "code" and length > MAX_CELL_LINES:
            yield f"cell {number}: {length} lines; over {MAX_CELL_LINES} belong in the package"
        widest = max(map(len, _printed(cell)), default=0)
        if widest > MAX_PRINTED:
            yield f"cell {number}: a printed line is {widest} characters wide, over {MAX_PRINTED}"
    prose = [cell.source.lower() for cell in notebook.cells if cell.cell_type == "markdown"]
    if not any("three things to remember" in text for text in prose[-3:]):
        yield "it does not end with three things to remember"
