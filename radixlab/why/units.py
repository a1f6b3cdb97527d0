"""A prompt is a sequence of units: all tools together, the system prompt, and every message."""

import re
from dataclasses import dataclass

from radixlab.why.request import Path, Request

MESSAGES = frozenset(("messages", "input"))
_ROLE = re.compile(r"\s*<\|(\w+)")


@dataclass(frozen=True, slots=True)
class Unit:
    """A message, all tools, or another field of a body, as a stretch of the prompt."""

    path: Path
    role: str
    """`system`, `user`, `assistant`, …; the field's name where there is no role."""
    start: int
    end: int


def units_of(request: Request, text: str) -> list[Unit]:
    """Return the units of a prompt, in order."""
    if request.token_ids is not None:
        return [Unit(("token_ids",), "prompt", 0, len(text))]
    units: list[Unit] = []
    key: Path = ()  # of the unit that is being collected
    role, start, position = "", 0, 0
    for path, part in request.parts:
        here = path[:2] if path[0] in MESSAGES else path[:1]
        if here != key:
            if key:
                units.append(Unit(key, role, start, position))
            key, role, start = here, _role(here, part), position
        position += len(part)
    return [*units, Unit(key, role, start, position)] if key else units


def _role(key: Path, part: str) -> str:
    if key[0] == "instructions":
        return "system"
    found = _ROLE.match(part) if key[0] in MESSAGES else None
    role = found[1] if found else str(key[0])
    return "system" if role == "developer" else role
