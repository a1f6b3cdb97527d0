"""What a learner ran: the last versions of every exercise, kept before anything else happens.

This file knows folders and sources; `workplace` puts a version back into a notebook.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from radixlab.files import locked, replace_text
from radixlab.grade.submission import Part, Submission
from radixlab.home import learner_home

MAX_VERSIONS = 20
MOST_POINTS = 1_000
"""No exercise has as many; a file that says more was not written here."""


@dataclass(frozen=True, slots=True)
class Version:
    """One submission as it was."""

    number: int
    when: str
    submission: Submission
    points: float | None = None
    """What it earned; None where its grading did not finish."""
    aside: bool = False
    """Whether it was kept without a run, because another version replaced it in the notebook."""

    @property
    def num_lines(self) -> int:
        """Lines of code in all its parts."""
        return sum(len(part.source.splitlines()) for part in self.submission.parts)


class History:
    """The versions of one exercise, one file each; no number is used twice."""

    def __init__(self, exercise_id: str, home: Path | None = None) -> None:
        self._exercise_id = exercise_id
        self._folder = (home or learner_home()) / "history" / exercise_id

    def keep(self, submission: Submission, *, aside: bool = False) -> int:
        """Add a version, unless it is the last one again; forget the oldest. Return its number.

        The version that earned most is never forgotten.

        Raises
        ------
        OSError
            The folder cannot be written.
        """
        with locked(self._folder / ".lock"):
            numbers = self._numbers()
            last = self._read(numbers[-1]) if numbers else None
            if last and last.submission.sources == submission.sources:
                return last.number
            parts = [
                {"name": part.name, "source": part.source, "place": part.place}
                for part in submission.parts
            ]
            when = datetime.now().isoformat(" ", "seconds")
            record = {"when": when, "parts": parts, "aside": aside}
            number = numbers[-1] + 1 if numbers else 1
            replace_text(self._path(number), json.dumps(record, indent=1, ensure_ascii=False))
            numbers.append(number)
            best = self.best() if len(numbers) > MAX_VERSIONS else None
            for old in numbers[:-MAX_VERSIONS]:
                if best is None or best.number != old:
                    self._path(old).unlink(missing_ok=True)
            return number

    def note(self, number: int, points: float) -> None:
        """Keep what a version earned.

        Raises
        ------
        OSError
            The folder cannot be written.
        """
        with locked(self._folder / ".lock"):
            if self._read(number):
                record = json.loads(self._path(number).read_text(encoding="utf-8"))
                record["points"] = points
                replace_text(self._path(number), json.dumps(record, indent=1, ensure_ascii=False))

    def best(self) -> Version | None:
        """Return the latest of those that earned most; None where none was graded."""
        graded = [v for v in self.versions() if v.points is not None]
        return max(graded, key=lambda v: (v.points, v.number), default=None)

    def wanted(self) -> Version | None:
        """Return what to restore: the best version, else the latest that was not put aside."""
        versions = self.versions()
        kept = [version for version in versions if not version.aside] or versions
        return self.best() or (kept[-1] if kept else None)

    def versions(self) -> list[Version]:
        """Return those that are kept, the oldest first; one that cannot be read is left out."""
        found = [self._read(number) for number in self._numbers()]
        return [version for version in found if version]

    def _numbers(self) -> list[int]:
        files = self._folder.glob("*.json")
        return sorted({int(file.stem) for file in files if is_number(file.stem)})

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:04d}.json"

    def _read(self, number: int) -> Version | None:
        try:
            record = json.loads(self._path(number).read_text(encoding="utf-8"))
            parts = tuple(
                Part(self._exercise_id, part["name"], part["source"], part["place"])
                for part in record["parts"]
            )
            texts = [record["when"], *(text for p in parts for text in (p.source, p.place))]
            texts += [part.name for part in parts if part.name is not None]
            if not parts or not all(re.fullmatch(r"[\w-]+", p.name) for p in parts if p.name):
                return None
            "".join(texts).encode()  # half a character could not be written to a notebook
            points = record.get("points")
            if points is not None and not are_points(points):
                return None
            submission = Submission(self._exercise_id, parts)
            return Version(number, record["when"], submission, points, bool(record.get("aside")))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None


def are_points(value: Any) -> bool:
    """Tell whether a value from a file can be points: a number in their range, so never NaN."""
    return type(value) in (int, float) and 0 <= value <= MOST_POINTS


def is_number(stem: str) -> bool:
    """Tell whether a file named so is a version."""
    return re.fullmatch("[0-9]{1,9}", stem) is not None
