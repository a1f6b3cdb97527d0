"""The rulebook: what must hold, why, which function enforces it, and which test proves it.

Every rule of the cache, and of the scheduler above it, is an entry of `rules.toml`. Code, tests,
graders and lessons cite a rule by its id, such as M8. This file reads the book and finds the source
line of a function. It does not import what the book names, and does not know what the rules mean.
"""

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import radixlab
from radixlab.cache.errors import CacheError
from radixlab.config import shown

BOOK = Path(__file__).with_name("rules.toml")


class RuleError(CacheError):
    """There is no rule with this id."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the book."""

    id: str
    """A letter for the subject and a number: M8."""
    sentence: str
    why: str
    """The paper, the thread or the bug of a real engine behind it."""
    functions: tuple[str, ...]
    """Dotted paths of the functions that enforce it, the first one first."""
    tests: tuple[str, ...]
    """The tests that prove it, as `file::name` below tests/. Others may cite it too."""
    mutants: tuple[str, ...]
    """Names of the engines in tests/mutants that break it."""
    starred: bool = False
    """Whether such an engine must exist."""

    @property
    def letter(self) -> str:
        """The subject; see `letters`."""
        return self.id[0]

    def __str__(self) -> str:
        return f"{self.id:3}  {self.sentence}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a function is defined."""

    file: str
    """Relative to the folder above the package."""
    line: int
    name: str
    """The function's name, with its class: `RadixTree.find`."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.name}"


def rule(id: str) -> Rule:
    """Return the rule with this id; raise `RuleError` for an unknown one, naming the nearest.

    >>> rule("M2").sentence
    'A match consists of whole blocks; less than one block in common counts as nothing.'
    """
    book = _book()
    if (found := book.get(id)) is not None:
        return found
    if (why := unused().get(id)) is not None:
        raise RuleError(f"{id} is not in use. {why}")
    raise RuleError(f"there is no rule {shown(id)}: {_near(str(id).upper())}")


def rules(letter: str | None = None) -> list[Rule]:
    """List all rules, or those of one letter, in the order of the book."""
    return [each for each in _book().values() if letter in (None, each.letter)]


def letters() -> dict[str, str]:
    """Map each letter to the subject that its rules are about."""
    return dict(_entries()["letters"])


def unused(letter: str | None = None) -> dict[str, str]:
    """Map the ids that were given once and are not in use to the reason, all or of one letter."""
    return {id: why for id, why in _entries()["unused"].items() if letter in (None, id[0])}


def of(function: Callable[..., object] | property | str) -> list[Rule]:
    """List the rules that a function enforces; it may be given by its dotted path.

    >>> [each.id for each in of("radixlab.cache.batch.match_batch")]
    ['S8']
    """
    name = function if isinstance(function, str) else _dotted(function)
    return [each for each in rules() if name in each.functions]


def place(function: str) -> Place | None:
    """Find the source of a function by its dotted path; None if there is no such source."""
    package = Path(radixlab.__file__).parent
    parts = function.split(".")
    for num in range(len(parts) - 1, 1, -1):
        stem, name = package.joinpath(*parts[1:num]), ".".join(parts[num:])
        for path in (stem.with_suffix(".py"), stem / "__init__.py"):
            if path.is_file() and name in (lines := _definitions(path)):
                return Place(path.relative_to(package.parent).as_posix(), lines[name], name)
    return None


def _near(id: str) -> str:
    """Name the ids that are nearest to one that does not exist."""
    parts = re.fullmatch(r"([A-Z])(\d{1,4})", id)
    if parts is None:
        return f"an id is one of the letters {' '.join(letters())} and a number, such as M8"
    number = int(parts[2])
    alike = [each.id for each in rules(parts[1])] or [
        each.id for each in rules() if each.id[1:] == parts[2]
    ]
    nearest = sorted(alike, key=lambda other: abs(int(other[1:]) - number))[:3]
    return f"the nearest are {', '.join(nearest)}" if nearest else _near("")


def _dotted(function: Any) -> str:
    """Return the dotted path of a function; a compiled method knows its class, not its module."""
    found: Any = function.fget if isinstance(function, property) else function
    module = getattr(found, "__module__", None) or found.__objclass__.__module__
    return f"{module}.{found.__qualname__}"


@cache
def _entries() -> dict[str, dict[str, Any]]:
    return tomllib.loads(BOOK.read_text(encoding="utf-8"))


@cache
def _book() -> dict[str, Rule]:
    entries = {id: entry for id, entry in _entries().items() if id not in ("letters", "unused")}
    return {id: _rule(id, **entry) for id, entry in entries.items()}


def _rule(id: str, **entry: Any) -> Rule:
    """Make a rule of an entry; a misspelt field raises `TypeError`."""
    lists = {name: tuple(value) for name, value in entry.items() if isinstance(value, list)}
    return Rule(id, **(entry | lists))


@cache
def _definitions(path: Path) -> dict[str, int]:
    """Map the functions of a file, with their classes, to the line of their `def`."""
    return dict(_walk(ast.parse(path.read_text(encoding="utf-8")), ""))


def _walk(parent: ast.AST, prefix: str) -> Iterator[tuple[str, int]]:
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, ast.FunctionDef):
            yield prefix + node.name, node.lineno
        elif isinstance(node, ast.ClassDef):
            yield from _walk(node, f"{prefix}{node.name}.")
