"""The learner's guesses in one JSON file that survives crashes, kills and two notebooks at once.

Knows how to keep them; asking and comparing is `question`'s part.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

Guess = int | float | str


class GuessBook:
    """Guesses by key, read from disk each time: another kernel may have written since."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def get(self, key: str) -> Guess | None:
        """Return the guess kept under `key`, or None."""
        if not self.path.exists():
            return None
        with _locked(self.path.with_suffix(".lock")):
            return self._read().get(key)

    def save(self, key: str, guess: Guess) -> None:
        """Keep one guess at once, with all that others wrote meanwhile.

        Raises
        ------
        OSError
            The folder cannot be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(self.path.with_suffix(".lock")):
            guesses = self._read() | {key: guess}
            _replace(self.path, json.dumps(guesses, indent=1, sort_keys=True, ensure_ascii=False))

    def _read(self) -> dict[str, Guess]:
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:  # not JSON, or not UTF-8
            found = None
        if isinstance(found, dict) and all(
            isinstance(v, int | float | str) for v in found.values()
        ):
            return found
        self._set_aside()
        return {}

    def _set_aside(self) -> None:
        number = 1
        while (aside := self.path.with_suffix(f".broken-{number}.json")).exists():
            number += 1
        os.replace(self.path, aside)
        print(f"{self.path.name} could not be read: it is kept as {aside.name}, a new one begins.")


def _replace(path: Path, text: str) -> None:
    """Write a whole file or nothing: a process killed half-way leaves the old one in place."""
    draft = path.with_suffix(".tmp")  # one name is enough: the lock admits one writer
    with draft.open("w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other processes and threads out; the system lifts the lock of a process that dies."""
    with path.open("a") as file:
        with suppress(OSError):  # some network file systems know no locks: last writer wins there
            _lock(file)
        yield


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[str]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)

else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)
