"""A broken engine is the real one with a line or two changed.

An edit names a function of the engine and what to write instead of a piece of its source. Its code
object is swapped while the edit is applied, so that it is broken for everyone, whoever imported it.
An edit that does not fit the source any more raises: no mutant goes stale in silence.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any


@dataclass(frozen=True)
class Edit:
    """In the source of `function`, written as if it stood at top level, put new pieces for old."""

    function: FunctionType
    pieces: dict[str, str]

    def fits(self) -> bool:
        """Whether each piece is in the source, once."""
        source = textwrap.dedent(inspect.getsource(self.function))
        return all(source.count(old) == 1 for old in self.pieces)

    def code(self) -> CodeType:
        """Compile the changed source; raise `LookupError` for a piece that does not fit."""
        source = textwrap.dedent(inspect.getsource(self.function))
        for old, new in self.pieces.items():
            if (count := source.count(old)) != 1:
                name = self.function.__qualname__
                raise LookupError(f"{name} has {old!r} {count} times, not once: mend the mutant")
            source = source.replace(old, new)
        module = ast.parse(source)
        definition = module.body[0]
        assert isinstance(definition, ast.FunctionDef)
        definition.decorator_list = []  # of a property, the getter alone is wanted
        ast.increment_lineno(module, self.function.__code__.co_firstlineno - 1)
        made: dict[str, Any] = {}
        code = compile(module, self.function.__code__.co_filename, "exec")
        exec(code, self.function.__globals__, made)
        return made[definition.name].__code__


@contextmanager
def applied(edits: list[Edit]) -> Iterator[None]:
    """Break the engine inside the block; mend it at the end."""
    with ExitStack() as mended:
        for edit in edits:
            mended.callback(setattr, edit.function, "__code__", edit.function.__code__)
            edit.function.__code__ = edit.code()
        yield


@dataclass(frozen=True)
class Mutant:
    """A broken engine: the rule it breaks, its name, its story, its edits."""

    rule: str
    name: str
    story: str
    edits: Callable[[], list[Edit]]


MUTANTS: dict[str, Mutant] = {}


def breaks(rule: str) -> Callable[[Callable[[], list[Edit]]], Callable[[], list[Edit]]]:
    """Register a function that returns the edits of a mutant; its docstring is the story."""

    def register(edits: Callable[[], list[Edit]]) -> Callable[[], list[Edit]]:
        assert edits.__name__ not in MUTANTS, edits.__name__
        mutant = Mutant(rule, edits.__name__, inspect.getdoc(edits) or "", edits)
        MUTANTS[mutant.name] = mutant
        return edits

    return register
