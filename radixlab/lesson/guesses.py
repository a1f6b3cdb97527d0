"""The learner's guesses in one JSON file that survives crashes, kills and two notebooks at once.

This file stores guesses. `question.py` asks for them and compares them.
"""

import json
from pathlib import Path

from radixlab.files import locked, replace_text, set_aside

Guess = int | float | str


class GuessBook:
    """Guesses by key, read from disk each time, because another kernel may have written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def get(self, key: str) -> Guess | None:
        """Return the guess stored under `key`, or None."""
        return self.all().get(key)

    def all(self) -> dict[str, Guess]:
        """Return every guess by its key."""
        if not self.path.exists():
            return {}
        with locked(self.path.with_suffix(".lock")):
            return self._read()

    def save(self, key: str, guess: Guess) -> None:
        """Store one guess at once, and keep the guesses that other kernels wrote.

        Raises
        ------
        OSError
            The folder cannot be written.
        """
        with locked(self.path.with_suffix(".lock")):
            guesses = self._read() | {key: guess}
            text = json.dumps(guesses, indent=1, sort_keys=True, ensure_ascii=False)
            replace_text(self.path, text + "\n")

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
        aside = set_aside(self.path)
        print(f"{self.path.name} could not be read: it is kept as {aside.name}, a new one begins.")
        return {}
