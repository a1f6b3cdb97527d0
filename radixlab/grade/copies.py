"""The learner's copies of lessons and exercises in `work/`: made, refreshed, never overwritten.

A copy has no outputs, so no answer stands below its question. One small
file says from which version each was made. So a copy that nobody has touched follows the course. A
copy that was begun stays as it is, and its owner is told of the newer version.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radixlab.files import locked, replace_text
from radixlab.grade.relink import relink

WORK, LESSONS, EXERCISES = "work", "notebooks", "exercises"
KEPT = "kept"
"""Below `work/`: what a reset puts aside."""
_HANDED_OUT = {LESSONS: "[0-9]*.ipynb", EXERCISES: "ex*.ipynb"}

_NO_NOTEBOOK = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What reading or changing a notebook raises if the file holds something else."""

NEW, REFRESHED, SAME, BEHIND = "new", "refreshed", "same", "behind"


@dataclass(frozen=True, slots=True)
class Copy:
    """One notebook in `work/`."""

    path: Path
    state: str
    """`new`, `refreshed`, `same`, or `behind`: a newer version exists and this one was begun."""


def start(root: Path) -> list[Copy]:
    """Copy what is missing, refresh what was never touched, and leave everything else as it is."""
    work = root / WORK
    with locked(work / ".radixlab" / "copies.lock"):
        versions = _versions(root)
        copies = [_bring(source, work, versions) for source in handed_out(root)]
        _keep_versions(root, versions)
    return copies


def behind(path: Path) -> bool:
    """Tell whether a notebook is a learner's copy of something that has a newer version by now."""
    root = path.parent.parent
    source = next((s for s in handed_out(root) if s.name == path.name), None)
    if path.parent.name != WORK or source is None or not path.is_file():
        return False
    known = _versions(root).get(path.name)
    return known is not None and known != _version(as_copy(source))


def id_of(path: Path) -> str:
    """Return what names a notebook in `radixlab reset`: `02` a lesson, `8.5.1` an exercise."""
    from radixlab.grade.registry import EXERCISES as ALL

    exercise = next((task.id for task in ALL.values() if task.notebook == path.stem), None)
    return exercise or path.name.partition("_")[0]


def newer_line(path: Path) -> str:
    """Return the line for a learner whose copy has a newer version."""
    return (
        f"{path.name}: there is a newer version, and yours stays as it is. "
        f"`radixlab reset {id_of(path)}` takes the new one and keeps yours."
    )


def reset(path: Path) -> Path | None:
    """Replace `path` by a fresh copy; return where the old one is kept, if it was begun.

    Raises
    ------
    OSError
        A file cannot be read or written; the old copy is where it was.
    """
    root = path.parent.parent
    source = next(s for s in handed_out(root) if s.name == path.name)
    fresh = as_copy(source)
    with locked(root / WORK / ".radixlab" / "copies.lock"):
        kept = _put_aside(path) if path.exists() and _touched(path, _version(fresh)) else None
        _write(path, fresh)
        _keep_versions(root, _versions(root) | {path.name: _version(fresh)})
    return kept


def handed_out(root: Path) -> Iterator[Path]:
    """Yield the course's own lessons and exercises."""
    for folder, pattern in _HANDED_OUT.items():
        yield from sorted((root / folder).glob(pattern))


def as_copy(source: Path) -> dict[str, Any]:
    """Return a notebook as a learner gets it: no outputs, and links that work in `work/`."""
    document: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    for cell in document.get("cells", ()):
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    root = source.parent.parent
    own = set(handed_out(root))
    relink(
        document,
        source.parent,
        root / WORK,
        lambda file: root / WORK / file.name if file in own else file,
    )
    return document


def _bring(source: Path, work: Path, versions: dict[str, str]) -> Copy:
    path, document = work / source.name, as_copy(source)
    today, known = _version(document), versions.get(source.name)
    if not path.exists():
        state = NEW
    elif not path.is_file():
        state = BEHIND
    elif known is None or known == today or not _touched(path, today):
        # It was made before versions were kept, or a start was stopped before it noted this one.
        state = SAME
    else:
        state = BEHIND if _touched(path, known) else REFRESHED
    if state in (NEW, REFRESHED):
        _write(path, document)
    if state != BEHIND:
        versions[source.name] = today
    return Copy(path, state)


def _write(path: Path, document: dict[str, Any]) -> None:
    text = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    replace_text(path, text)


def _put_aside(path: Path) -> Path:
    folder = path.parent / KEPT
    folder.mkdir(exist_ok=True)
    number = 1
    while (kept := folder / f"{path.stem}-{number}.ipynb").exists():
        number += 1
    if path.is_dir():
        return path.rename(kept)
    content = path.read_bytes()
    try:
        document = json.loads(content.decode())
        relink(document, path.parent, folder, lambda file: file)
        _write(kept, document)
    except _NO_NOTEBOOK:  # kept as it is
        kept.write_bytes(content)
    return kept


def _touched(path: Path, version: str) -> bool:
    """Tell whether a copy holds anything but that version: other text, or outputs."""
    try:
        return _version(json.loads(path.read_text(encoding="utf-8"))) != version
    except (OSError, *_NO_NOTEBOOK):
        return True


def _version(document: dict[str, Any]) -> str:
    """Return a short name of what a notebook says; opening and saving it does not change that."""
    content = [
        (cell["cell_type"], "".join(cell["source"]).rstrip(), bool(cell.get("outputs")))
        for cell in document.get("cells", ())
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def _versions(root: Path) -> dict[str, str]:
    """Return the version that each copy was made from, by file name."""
    try:
        found = json.loads(_versions_file(root).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _keep_versions(root: Path, versions: dict[str, str]) -> None:
    if versions != _versions(root):
        text = json.dumps(versions, indent=1, sort_keys=True) + "\n"
        replace_text(_versions_file(root), text)


def _versions_file(root: Path) -> Path:
    return root / WORK / ".radixlab" / "copies.json"
