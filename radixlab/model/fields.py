"""The values of a JSON file by name and type, and facts that a file states more than once.

This file knows how to read a value and how to refuse one. It does not know what the names mean.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radixlab.model.errors import BadFileError

MOST = 2**31 - 1
"""The largest integer that a file may state."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The values of a JSON object by name and type; `null` counts as absent.

    A value of the wrong type, or an absent value without a default, raises `BadFileError`.
    """

    path: Path
    values: dict[str, Any]

    def integer(self, name: str, default: int | None = None, most: int = MOST) -> int:
        """Return an integer; a value above `most` raises `BadFileError` too."""
        value = int(self._value(name, int, default))
        if value > most:
            raise BadFileError(f"{self.path}: {name} is {value!s:.20}: it cannot be above {most}")
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """Return a finite number; integers are allowed."""
        value = self._value(name, (int, float), default)
        if not abs(value) <= 1e300:
            raise BadFileError(f"{self.path}: {name} cannot be {value!s:.20}")
        return float(value)

    def flag(self, name: str) -> bool:
        """Return true or false; absent is false."""
        return bool(self._value(name, bool, False))

    def text(self, name: str, default: str | None = None) -> str:
        """Return a string."""
        return str(self._value(name, str, default))

    def several(self, name: str) -> list[Any]:
        """Return a list; absent is empty."""
        return list(self._value(name, list, []))

    def under(self, name: str) -> "Fields":
        """Return the object under this name; absent is empty."""
        return Fields(self.path, self._value(name, dict, {}))

    def agreed(self, facts: Mapping[str, Any]) -> Any:
        """Return the value that all sources of a fact state; None if all are absent.

        Two different values raise a `BadFileError` that names both sources.
        """
        stated = {source: value for source, value in facts.items() if value is not None}
        sources = list(stated)
        for source in sources[1:]:
            if stated[source] != stated[sources[0]]:
                raise BadFileError(
                    f"{self.path}: {sources[0]} is {shown(stated[sources[0]])}, but {source} is "
                    f"{shown(stated[source])}: keep the one that is meant"
                )
        return stated[sources[0]] if sources else None

    def _value(self, name: str, kind: Any, default: Any) -> Any:
        value = self.values.get(name)
        value = default if value is None else value
        if value is None:
            raise BadFileError(f"{self.path}: {name} is missing")
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise BadFileError(f"{self.path}: {name} cannot be {value!r:.80}")
        return value


def shown(value: object) -> str:
    """Show a value of a file in one short line."""
    text = " ".join(str(value).split())
    return text if len(text) <= 80 else text[:79] + "…"
