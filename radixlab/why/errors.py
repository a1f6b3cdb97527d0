"""What can be wrong with a log, as exceptions: the whole file, or one line of it."""

import json
import re

MOST_OF_KEY = 40
"""Characters of a key that are shown."""
_WORD = re.compile(rf"[\w$-]{{1,{MOST_OF_KEY}}}")


class WhyError(ValueError):
    """A mistake of the caller: a file that cannot be read, an option that makes no sense."""


class BadLineError(ValueError):
    """A line of a log that cannot be used; the message says why and quotes no text of a prompt."""


def kind(value: object) -> str:
    """Name the JSON type of a value, for a message that must not quote it.

    >>> kind(None), kind(True), kind(1.5), kind([])
    ('null', 'a boolean', 'a number', 'a list')
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, list) else "an object"


def name(path: tuple[str | int, ...]) -> str:
    """Write a path as it would stand in a program; a key that is not a word is quoted, and cut.

    >>> name(("messages", 4, "content"))
    'messages[4].content'
    >>> name(("tools", 0, "city of birth"))
    'tools[0]["city of birth"]'
    """
    return "".join(map(_step, path)).removeprefix(".")


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if _WORD.fullmatch(step):
        return f".{step}"
    shown = step if len(step) <= MOST_OF_KEY else f"{step[: MOST_OF_KEY - 1]}…"
    return f"[{json.dumps(shown, ensure_ascii=not shown.isprintable())}]"
