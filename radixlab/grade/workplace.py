"""Where learners' exercise notebooks are, and how a version is put back into one.

This file knows folders and file names. It follows no link below a learner's folder. `copies` makes
the copies.
"""

import json
import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from radixlab.files import replace_text
from radixlab.grade.cells import SubmissionError, source_of
from radixlab.grade.copies import EXERCISES, KEPT, WORK
from radixlab.grade.history import History, is_number
from radixlab.grade.items import Exercise
from radixlab.grade.render import one_line
from radixlab.grade.submission import Part, Submission, as_part, read

_MOST_FILES, _MOST_FOLDERS_DEEP = 2_000, 12
_MOST_NAMED = 5
_SKIPPED = {"__MACOSX", "__pycache__", "node_modules"}
_HANDED_IN = (".7z", ".gz", ".ipynb", ".py", ".rar", ".tar", ".tgz", ".xz", ".zip")
"""Files in the place of a learner's folder that end so are somebody's work."""
_NOT_LEARNERS = {WORK, EXERCISES, KEPT, "solutions"}
"""Folders of the course, beside somebody's own notebooks."""


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


def hand_in(folder: Path, exercise: Exercise) -> Submission:
    """Read what a learner's folder holds of an exercise; the submission says what is wrong.

    The notebook with the exercise's own name counts. Where there is none, the only file that looks
    like it counts, and the submission says so. Of several, the one in `work/` counts, or the only
    one that is a notebook.
    """
    if folder.is_symlink():
        return _absent(exercise, "unreadable", "the folder is a link, and links are not followed")
    if folder.is_file():
        return _absent(exercise, "unreadable", "it is a file: put what it holds into a folder")
    try:
        os.scandir(folder).close()
    except OSError as error:
        return _absent(exercise, "unreadable", f"the folder cannot be read: {error.strerror}")
    own = folder / f"{exercise.notebook}.ipynb"
    files = list(_files(folder))
    alike = [path for path in files if path != own and _looks_like(path.name, exercise)]
    names = [one_line(path.relative_to(folder).as_posix()) for path in alike]
    if own in files or os.path.lexists(own):
        more = [f"{name} was not graded: {own.name} was" for name in names[:_MOST_NAMED]]
        return _graded(own, exercise, more)
    if not alike:
        alike = [path for path in files if _holds(path, exercise)]
        names = [one_line(path.relative_to(folder).as_posix()) for path in alike]
    if chosen := _chosen(alike, own.name):
        name = names[alike.index(chosen)]
        more = [f"{other} was not graded: {name} was" for other in names if other != name]
        more = [f"there is no {own.name}: {name} was taken", *more[:_MOST_NAMED]]
        return _graded(chosen, exercise, more)
    if alike:
        several = ", ".join(names[:_MOST_NAMED])
        why = f"there is no {own.name}, and several files look like it: {several}"
        return _absent(exercise, "unreadable", why)
    if why := _not_understood(folder, files, exercise):
        return _absent(exercise, "unreadable", why)
    return _absent(exercise, "not handed in", f"there is no {own.name}")


def _chosen(alike: list[Path], name: str) -> Path | None:
    """Return the one that counts of files that look like an exercise; None if that is not clear."""
    for some in (
        alike,
        [path for path in alike if path.parent.name == WORK and path.name == name],
        [path for path in alike if path.name.casefold().endswith(".ipynb")],
    ):
        if len(some) == 1:
            return some[0]
    return None


def _not_understood(folder: Path, files: list[Path], exercise: Exercise) -> str:
    """Say what was handed in where nothing looks like the exercise; nothing if that is nothing."""
    if len(files) >= _MOST_FILES // 2:
        return f"it holds {len(files):,} files and more: hand in the notebooks alone"
    notebooks = [path for path in files if path.name.casefold().endswith(".ipynb")]
    if files and not notebooks:
        names = ", ".join(path.relative_to(folder).as_posix() for path in files[:_MOST_NAMED])
        return f"there is no notebook; it holds {names}"
    for path in notebooks:
        if _is_exercise(path):
            continue
        try:
            doubts = read(path, exercise.id).doubts
        except SubmissionError as error:
            return str(error)
        if doubts and "it is of exercise" not in doubts[0]:
            return f"{path.name}: {doubts[0]}"
    return ""


def _absent(
    exercise: Exercise, kind: Literal["not handed in", "unreadable"], why: str
) -> Submission:
    return Submission(exercise.id, (), absent=kind, why=one_line(why))


def _graded(path: Path, exercise: Exercise, doubts: list[str]) -> Submission:
    try:
        found = read(path, exercise.id)
    except SubmissionError as error:
        return replace(_absent(exercise, "unreadable", str(error)), doubts=tuple(doubts))
    doubts += [f"{path.name}: {doubt}" for doubt in found.doubts]
    if not found.parts:
        why = f"{path.name} has no cell that begins with `%%exercise {exercise.id}`"
        why = "; ".join([why, *found.doubts[:1]])
        return replace(_absent(exercise, "unreadable", why), doubts=tuple(doubts[1:]))
    return replace(found, doubts=tuple(map(one_line, doubts)))


def _holds(path: Path, exercise: Exercise) -> bool:
    if not path.name.casefold().endswith(".ipynb"):
        return False
    try:
        return bool(read(path, exercise.id).parts)
    except SubmissionError:
        return False


def _looks_like(name: str, exercise: Exercise) -> bool:
    """Tell whether somebody may have meant the exercise's notebook: `Ex1_radix_tree (1).ipynb`."""
    return _letters(exercise.notebook) in _letters(name)


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", name).casefold())


def _files(folder: Path) -> Iterator[Path]:
    """Yield files, and folders that are named like a notebook or unreadable; follow no link."""
    num_seen, waiting = 0, [(folder, 0)]
    for place, deep in waiting:  # the list grows while we go through it
        try:
            entries = _entries(place)
        except OSError:  # somebody's work may be in it
            yield place
            continue
        for entry in entries:
            num_seen += 1
            if num_seen > _MOST_FILES:
                return
            if entry.name == KEPT:
                continue
            if not entry.is_dir(follow_symlinks=False) or entry.name.endswith(".ipynb"):
                yield place / entry.name
            elif deep < _MOST_FOLDERS_DEEP:
                waiting.append((place / entry.name, deep + 1))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        entries = list(islice(found, _MOST_FILES + 1))
    return sorted((e for e in entries if _counts(e.name)), key=lambda entry: entry.name)


def _counts(name: str) -> bool:
    return not name.startswith(".") and name not in _SKIPPED


def learners(folder: Path) -> dict[str, Path]:
    """Return folders by learner: the folder itself, if it is one learner's, or its subfolders.

    A subfolder without an exercise is a learner who handed in nothing; a link or an archive in the
    place of a folder is a learner whose work cannot be read.

    Raises
    ------
    SubmissionError
        There is no exercise anywhere, or one beside the folders of several learners.
    """
    subfolders = sorted(sub for sub in folder.iterdir() if _is_learner(sub))
    if has_exercises(folder):
        _require_one_learner(folder, subfolders)
        return {_name(folder.resolve()): folder.resolve()}
    if not any(_is_exercise(path) for sub in subfolders for path in _files(sub)):
        raise SubmissionError(f"no ex*.ipynb in {folder} or in a folder below it")
    found: dict[str, Path] = {}
    for sub in subfolders:
        name = _name(sub)
        while name in found:  # names that differ in what cannot be shown
            name += "'"
        found[name] = sub
    return found


def _is_learner(path: Path) -> bool:
    if not _counts(path.name):
        return False
    return path.is_dir() or path.is_symlink() or path.name.casefold().endswith(_HANDED_IN)


def _require_one_learner(folder: Path, subfolders: list[Path]) -> None:
    """Refuse a class in whose folder a notebook lies: its learners would be taken for one."""
    own = [sub for sub in subfolders if sub.is_dir() and sub.name not in _NOT_LEARNERS]
    others = [sub for sub in own if any(_is_exercise(path) for path in _files(sub))]
    if len(others) > 1:
        names = ", ".join(_name(sub) for sub in others[:_MOST_NAMED])
        raise SubmissionError(
            f"{folder} holds an ex*.ipynb, and so do folders in it ({names}): for a class, move "
            f"the first away; for one learner, name a folder without the others"
        )


def has_exercises(folder: Path) -> bool:
    """Tell whether exercises lie in the folder itself."""
    return any(_is_exercise(path) for path in folder.iterdir() if not path.is_dir())


def _is_exercise(path: Path) -> bool:
    name = path.name.casefold()
    return ".ipynb" in name and re.search(r"(?<![^\W_])ex_?\d", name) is not None


def _name(folder: Path) -> str:
    """Return its name as text that can be written: what cannot be shown is spelt out."""
    return one_line(os.fsencode(folder.name).decode("utf-8", "backslashreplace"))


def num_tries(folder: Path, exercise_id: str) -> int | None:
    """Count the versions that a learner ran, where the history was handed in with the notebooks."""
    for home in (folder / ".radixlab", folder / WORK / ".radixlab"):
        history = home / "history" / exercise_id
        links = (folder, home.parent, home, home / "history", history)
        if any(os.path.islink(path) for path in links) or not os.path.isdir(history):
            continue
        numbers = [int(path.stem) for path in history.glob("[0-9]*.json") if is_number(path.stem)]
        return max(numbers, default=0)
    return None


def put_back(path: Path, submission: Submission, home: Path | None = None) -> int | None:
    """Replace the graded cells of a notebook by a version's; what stood there is kept first.

    The notebook then holds that version and nothing else: a part that the version lacks becomes
    empty, and a part that the notebook has no cell for is added at the end. Returns the number
    under which the notebook's own answers were kept; None if they are that version already.

    Raises
    ------
    SubmissionError, OSError
        The notebook cannot be read or written; it is as it was.
    """
    current = read(path, submission.exercise_id)
    if current.sources == submission.sources:
        return None
    kept = 0
    if not current.is_empty:
        kept = History(submission.exercise_id, home).keep(current, aside=True)
    document = json.loads(path.read_bytes())
    parts = {part.name: part for part in submission.parts}
    missing = dict(parts)
    for cell in document["cells"]:
        found = as_part(source_of(cell) or "") if _is_code(cell) else None
        if isinstance(found, Part) and found.exercise_id == submission.exercise_id:
            empty = replace(found, source="# This part was not in the version that was restored.\n")
            _fill(cell, parts.get(found.name, empty))
            missing.pop(found.name, None)
    document["cells"] += [_cell(part) for part in missing.values()]
    replace_text(path, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    return kept


def _is_code(cell: Any) -> bool:
    return isinstance(cell, dict) and cell.get("cell_type") == "code"


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
