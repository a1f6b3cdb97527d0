"""The questions of a lesson with their answers, read from the committed notebook.

Nothing is written twice: `predict` has printed the question, and `reveal` has printed what the
engine says. Both outputs are compared with a fresh run by every test of the notebooks.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from radixlab.lesson.calls import calls, keys
from radixlab.lesson.cells import Cell, cells_of, core_cells
from radixlab.lesson.guesses import Guess
from radixlab.lesson.question import Question

_ASKED, _OPTION = "Predict: ", "  ○ "
_TOLD = re.compile(r"^You made no guess; the engine says (.*)\.$", re.MULTILINE)
_NUMBER = re.compile(r"a number(?: of (.*))?")
_HEADING = re.compile(r"^#{1,3} (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a lesson, its answer, and what the lesson tells before it."""

    question: Question
    answer: Guess
    section: str
    """The heading under which the lesson asks it."""
    before: tuple[Cell, ...]
    """The cells of that section and of the one before it, up to the question."""


def asked(path: Path) -> list[Asked]:
    """Return the questions of a lesson's core path, in order; without those that tell no answer."""
    cells = core_cells(cells_of(path))
    answers = dict(_answers(cells))
    found = []
    for number, cell in enumerate(cells):
        for question in _questions(cell):
            answer = question.parse(answers.get(question.key, ""))
            if answer is not None:
                found.append(Asked(question, answer, *_before(cells, number)))
    return found


def _questions(cell: Cell) -> Iterator[Question]:
    if cell.cell_type != "code":
        return
    texts = cell.printed().split(_ASKED)[1:]
    for key, text in zip(keys(cell.source, "predict"), texts, strict=False):
        head, *options = text.rstrip().split("\n" + _OPTION)
        number = _NUMBER.fullmatch(options[0]) if len(options) == 1 else None
        if number:
            yield Question(key, head, unit=number[1] or "")
        else:
            yield Question(key, head, tuple(options))


def _answers(cells: Iterable[Cell]) -> Iterator[tuple[str, str]]:
    """Yield each key with what the engine has said, without its unit."""
    for cell in cells:
        if cell.cell_type != "code":
            continue
        told = _TOLD.findall(cell.printed())
        for call, text in zip(calls(cell.source, "reveal"), told, strict=False):
            if call.args and isinstance(call.args[0], ast.Constant):
                yield str(call.args[0].value), text.removesuffix(f" {_unit(call)}")


def _unit(call: ast.Call) -> str:
    named = [word.value for word in call.keywords if word.arg == "unit"]
    unit = (named or call.args[2:] or [ast.Constant("")])[0]
    return str(unit.value) if isinstance(unit, ast.Constant) else ""


def _before(cells: Sequence[Cell], number: int) -> tuple[str, tuple[Cell, ...]]:
    """Return the last heading before a cell, and the cells of two sections up to it."""
    begins = [k for k in range(number) if _HEADING.search(_text(cells[k]))]
    own, start = begins[-1:], begins[-2:][:1]
    title = _HEADING.findall(_text(cells[own[0]]))[-1] if own else ""
    first, *rest = cells[start[0] if start else 0 : number]
    heads = list(_HEADING.finditer(_text(first)))
    source = first.source[heads[-1].start() :] if heads else first.source
    before = (Cell(first.id, first.cell_type, source, first.outputs), *rest)
    return title.replace("*", ""), before


def _text(cell: Cell) -> str:
    return cell.source if cell.cell_type == "markdown" else ""
