"""The learner's exercise notebooks: where they are, and how a version is put back into one.

Making the copies is the part of `copies`.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from radixlab.files import replace_text
from radixlab.grade.copies import EXERCISES, WORK
from radixlab.grade.history import History
from radixlab.grade.items import Exercise
from radixlab.grade.submission import Part, Submission, SubmissionError, as_part, read


def notebook(root: Path, exercise: Exercise) -> Path:
    """Return the learner's notebook, or the one handed out where there is none yet.

    Raises
    ------
    SubmissionError
        There is neither.
    """
    for folder in (WORK, EXERCISES):
        path = root / folder / f"{exercise.notebook}.ipynb"
        if path.is_file():
            return path
    raise SubmissionError(f"no {exercise.notebook}.ipynb in {WORK}/ or {EXERCISES}/")


def put_back(path: Path, submission: Submission, home: Path | None = None) -> None:
    """Replace the graded cells of a notebook by a version's; what stood there is kept first.

    A part that the notebook has no cell for is added at the end.

    Raises
    ------
    SubmissionError, OSError
        The notebook cannot be read or written; it is as it was.
    """
    current = read(path, submission.exercise_id)
    if not current.is_empty:
        History(submission.exercise_id, home).keep(current)
    document = json.loads(path.read_text(encoding="utf-8"))
    missing = {part.name: part for part in submission.parts}
    for cell in document["cells"]:
        found = as_part("".join(cell["source"])) if cell["cell_type"] == "code" else None
        if found and found.exercise_id == submission.exercise_id and found.name in missing:
            _fill(cell, missing.pop(found.name))
    document["cells"] += [_cell(part) for part in missing.values()]
    replace_text(path, json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def _fill(cell: dict[str, Any], part: Part) -> None:
    cell["source"] = _text(part).splitlines(keepends=True)
    cell["outputs"], cell["execution_count"] = [], None


def _cell(part: Part) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": "code", "id": f"restored-{part.name or 'cell'}"}
    cell["metadata"] = {}
    _fill(cell, part)
    return cell


def _text(part: Part) -> str:
    return f"%%exercise {part.exercise_id}{f' {part.name}' if part.name else ''}\n{part.source}"


def learners(folder: Path) -> dict[str, Path]:
    """Return one learner's folder, or by name the subfolders that hold exercises.

    Raises
    ------
    SubmissionError
        There is no exercise anywhere.
    """
    if _has_exercises(folder):
        return {_name(folder.resolve()): folder}
    found = {_name(sub): sub for sub in _subfolders(folder) if _has_exercises(sub)}
    if not found:
        raise SubmissionError(f"no ex*.ipynb in {folder} or in a folder below it")
    return found


def _name(folder: Path) -> str:
    """Return its name as text that can be written: what is no UTF-8 is spelt out."""
    return os.fsencode(folder.name).decode("utf-8", "backslashreplace")


def _subfolders(folder: Path) -> Iterable[Path]:
    return sorted(sub for sub in folder.iterdir() if sub.is_dir() and not sub.name.startswith("."))


def _has_exercises(folder: Path) -> bool:
    return any(folder.glob("ex*.ipynb"))
