"""The current source of an object, numbered as in its file, so that lessons cannot be outdated.

This file knows how to find and number source lines. It does not know what they mean.
"""

import ast
import inspect
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import radixlab

Part = str | tuple[str, str]
"""A line of a listing, given by a text on it, or a run of lines, given by two such texts."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Source lines of a file."""

    path: str
    """The path relative to the folder above the package, with forward slashes on every system."""
    first_line: int
    lines: tuple[str, ...]
    kept: tuple[bool, ...] = ()
    """The lines to show; empty means all. A gap between shown lines is drawn as `⋮`."""

    def __str__(self) -> str:
        width = len(str(self.first_line + len(self.lines) - 1))
        body, gap = [], False
        for number, line in enumerate(self.lines, self.first_line):
            if self.kept and not self.kept[number - self.first_line]:
                gap = True
                continue
            if gap:
                body.append(f"{'⋮':>{width}}")
            gap = False
            body.append(f"{number:>{width}}  {line}".rstrip())
        return "\n".join([self.path, *body])

    def only(self, *parts: "Part") -> "Listing":
        """Keep the first line, which names the function, and these parts, in order.

        A part is one text, which selects the line with this text, or two texts, which select the
        lines from the first text to the next line with the second.

        Raises
        ------
        ValueError
            No line after the previous part has the text.
        """
        kept, start = [False] * len(self.lines), 1
        kept[0] = True
        for part in parts:
            first, last = (part, part) if isinstance(part, str) else part
            begin = _line_with(first, self.lines, start, self.lines[0].strip())
            end = _line_with(last, self.lines, begin, self.lines[0].strip())
            kept[begin : end + 1] = [True] * (end + 1 - begin)
            start = end + 1
        return replace(self, kept=tuple(kept))

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        # Markdown, not HTML: each front end colours the fence with its own theme, dark ones too.
        path, body = str(self).split("\n", 1)
        fence = "`" * 3
        while fence in body:
            fence += "`"
        markdown = f"`{path}`\n{fence}python\n{body}\n{fence}"
        return {"text/plain": str(self), "text/markdown": markdown}


def listing(obj: object) -> Listing:
    """Find the source of a class, function, method, property or module.

    Raises
    ------
    TypeError
        `obj` is anything else, or has no Python source.
    """
    target = _definition(obj)
    try:
        lines, number = inspect.getsourcelines(target)  # type: ignore[arg-type]  # raises if not
        file = inspect.getsourcefile(target)  # type: ignore[arg-type]
    except (TypeError, OSError):
        raise TypeError(
            f"show() takes a class, function, method, property or module with Python source, "
            f"not {obj!r}"
        ) from None
    text = textwrap.dedent("".join(lines)).rstrip("\n")
    first_line = max(number, 1)  # inspect numbers a module's lines from 0
    return Listing(_short_path(target, file), first_line, tuple(text.split("\n")))


def excerpt(file: str, name: str, first: str = "", last: str = "") -> Listing:
    """Find a function in a file of the package without importing it: torch may be missing.

    Returns the lines from the one with `first` to the next one with `last`; by default all lines.

    Raises
    ------
    ValueError
        The file has no such function, or the function no such line.
    """
    text = (Path(radixlab.__file__).parent / file).read_text(encoding="utf-8")
    named = (node for node in ast.walk(ast.parse(text)) if getattr(node, "name", None) == name)
    found = next((node for node in named if isinstance(node, ast.FunctionDef)), None)
    if found is None:
        raise ValueError(f"radixlab/{file} has no function {name!r}")
    start = min([found.lineno, *(line.lineno for line in found.decorator_list)])
    lines = text.splitlines()[start - 1 : found.end_lineno]
    begin = _line_with(first, lines, 0, name) if first else 0
    end = _line_with(last, lines, begin, name) if last else len(lines) - 1
    body = textwrap.dedent("\n".join(lines[begin : end + 1])).split("\n")
    return Listing(f"radixlab/{file}", start + begin, tuple(body))


def _line_with(text: str, lines: Sequence[str], start: int, name: str) -> int:
    for number in range(start, len(lines)):
        if text in lines[number]:
            return number
    raise ValueError(f"{name} has no line with {text!r}")


def show(obj: object, *parts: Part) -> None:
    """Print the current source of `obj`, numbered as in its file: `show(RadixTree.match_prefix)`.

    Also takes the result of `excerpt`. With `parts`, only the first line and these parts are shown:
    `show(RadixTree.find, "children.get", ("end =", "return Found"))`; see `Listing.only`.
    """
    found = obj if isinstance(obj, Listing) else listing(obj)
    found = found.only(*parts) if parts else found
    if "IPython" in sys.modules:
        from IPython.display import display

        display(found)
    else:
        print(found)


def _definition(obj: object) -> object:
    if isinstance(obj, property):
        obj = obj.fget
    elif isinstance(obj, staticmethod | classmethod):
        obj = obj.__func__
    return inspect.unwrap(obj) if callable(obj) else obj


def _short_path(target: object, file: str | None) -> str:
    """Return the path below the package's parent; code typed in a cell has none."""
    module = target if isinstance(target, ModuleType) else inspect.getmodule(target)
    if file is None or module is None or not Path(file).is_file():
        return "this notebook"
    depth = module.__name__.count(".") + (1 if Path(file).name == "__init__.py" else 0)
    return Path(*Path(file).parts[-1 - depth :]).as_posix()
