"""What the tags of a notebook say of its sections, and the faults in them.

This file reads notebooks and runs nothing. `radixlab.lesson.sections` knows how sections are kept.
"""

import ast
import symtable
from collections.abc import Iterator
from typing import Any

from radixlab.lesson.calls import calls, parsed, without_magics
from radixlab.lesson.cells import core_cells
from radixlab.lesson.sections import Cell, Lesson, mark_of

KINDS = ("fresh", "step", "free")
"""The tags. A cell without one only reads the state of its section; its kind is `read`."""
_LABEL_LENGTH = 44


def lesson_of(notebook: Any) -> Lesson:
    """Return the lesson that a notebook's tags define."""
    found: Lesson = {}
    defined: dict[str, str] = {}
    section: str | None = None
    steps: list[str] = []
    for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
        kind = _kind(cell)
        if kind == "fresh":
            section, steps = cell["id"], []
        elif section is None:
            kind = "free"
        guarded = kind != "free"
        own = names_bound(cell.source)
        used = names_used(cell.source) & defined.keys()
        found[cell["id"]] = Cell(
            id=cell["id"],
            kind=kind,
            mark=mark_of(cell.source),
            label=_label(cell.source),
            section=section if guarded else None,
            before=tuple(steps) if guarded else (),
            needs={name: defined[name] for name in sorted(used)},
            raises="raises-exception" in cell.metadata.get("tags", ()),
        )
        if kind == "step":
            steps.append(cell["id"])
        defined |= dict.fromkeys(own, cell["id"])
    return found


def problems(notebook: Any) -> Iterator[str]:
    """Yield the faults of a lesson's tags, one line each."""
    lesson = lesson_of(notebook)
    core = {cell["id"] for cell in core_cells(notebook.cells)}
    code = {cell["id"]: cell for cell in notebook.cells if cell.cell_type == "code"}
    first = next((cell.id for cell in lesson.values() if cell.kind == "fresh"), None)
    marks: dict[str, str] = {}
    for cell in lesson.values():
        tags = [tag for tag in KINDS if tag in code[cell.id].metadata.get("tags", ())]
        if len(tags) > 1:
            yield f"cell {cell.id}: the tags {' and '.join(tags)} exclude each other"
        if "step" in tags and cell.section is None:
            yield f"cell {cell.id}: a step before the first fresh cell ({first})"
        if cell.section is not None and marks.setdefault(cell.mark, cell.id) != cell.id:
            yield f"cell {cell.id}: the text of cell {marks[cell.mark]} again; the guard needs two"
        yield from _strangers(cell, lesson)
        yield from _depth(cell, core)


def _strangers(cell: Cell, lesson: Lesson) -> Iterator[str]:
    """Name what a cell takes from a section that is not its own."""
    for name, giver in cell.needs.items():
        section = lesson[giver].section
        if section is not None and section != cell.section:
            yield f"cell {cell.id}: {name} comes from the section of {section} (cell {giver})"


def _depth(cell: Cell, core: set[str]) -> Iterator[str]:
    """Name what the core path takes from a section that may be skipped."""
    if cell.id in core:
        for name, giver in cell.needs.items():
            if giver not in core:
                yield f"cell {cell.id}: {name} comes from a section that may be skipped ({giver})"
        if cell.section is not None and cell.section not in core:
            yield f"cell {cell.id}: it continues a section that may be skipped ({cell.section})"
    elif cell.kind == "step" and cell.section in core:
        yield f"cell {cell.id}: a step that may be skipped, in a section of the core path"


def _kind(cell: Any) -> str:
    tags = cell.metadata.get("tags", ())
    for kind in KINDS:
        if kind in tags:
            return kind
    return "free" if any(calls(cell.source, "predict")) else "read"


def _label(source: str) -> str:
    line = next((line.strip() for line in source.split("\n") if line.strip()), "")
    return line if len(line) <= _LABEL_LENGTH else line[: _LABEL_LENGTH - 1].rstrip() + "…"


def names_bound(source: str) -> set[str]:
    r"""Return the names that a cell defines for the cells after it.

    >>> sorted(names_bound("import numpy as np\na, b = 1, 2\nfor c in (a, b): print(c)"))
    ['a', 'b', 'c', 'np']
    """
    return {
        symbol.get_name()
        for symbol in _table(source).get_symbols()
        if symbol.is_assigned() or symbol.is_imported()
    }


def names_used(source: str) -> set[str]:
    r"""Return the names that a cell takes from the cells before it, in its functions too.

    >>> sorted(names_used("def f(x):\n    return x + y\nz = f(1)"))
    ['y']
    """
    bound: set[str] = set()
    used = _globals(_table(source)) - names_bound(source)
    for statement in parsed(source).body:  # `total = total + 1` uses a name that it defines, too
        text = ast.unparse(statement)
        if isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr):
            used |= (_globals(_table(text)) & names_bound(source)) - bound
        bound |= names_bound(text)
    return used


def _table(source: str) -> symtable.SymbolTable:
    try:
        return symtable.symtable(without_magics(source), "cell", "exec")
    except SyntaxError:
        return symtable.symtable("", "cell", "exec")


def _globals(table: symtable.SymbolTable) -> set[str]:
    """Return the global names that a scope and those inside it refer to."""
    outer = table.get_type() == "module"
    found = {
        symbol.get_name()
        for symbol in table.get_symbols()
        if symbol.is_referenced() and (outer or symbol.is_global())
    }
    return found.union(*(_globals(child) for child in table.get_children()))
