"""Whether a cell may run now: run twice or out of order, it would show wrong numbers.

A section of a lesson begins at a fresh cell. A later cell of the section may run only if the steps
since the fresh cell are exactly the steps above it, in order, each once. This file knows cells and
their runs. `kernel.py` knows notebooks and kernels.
"""

from collections.abc import Callable, Mapping

from radixlab.lesson.sections import Cell, Lesson, mark_of


class Guard:
    """The cells that ran in one kernel, and thus the cells that may run next.

    Parameters
    ----------
    lessons
        All lessons by name.
    name
        The lesson for which this kernel was started, if known.
    """

    def __init__(self, lessons: Mapping[str, Lesson], name: str | None = None) -> None:
        self._lessons = lessons
        self._name = name if name in lessons else None
        self._section: str | None = None  # only one is open, because sections reuse names
        self._steps: list[str] = []
        self._own = False  # the learner changed a cell of the section, so nothing in it is refused
        self._ids_are_ours = False  # the front end names the running cell

    def refusal(
        self, source: str, cell_id: str | None, is_defined: Callable[[str], bool]
    ) -> str | None:
        """Return the line to print instead of running a cell, or None if it may run."""
        cell = self._find(source, cell_id)
        if cell is None:
            return None
        lesson = self._lessons[self._name or ""]
        if cell.kind in ("step", "read") and not self._is_next(cell):
            start = lesson[cell.section or ""]
            place = f"“{start.label}” (cell {start.id})"
            return f"This cell continues a section. Run it again from {place} on."
        for name, giver in cell.needs.items():
            if not is_defined(name):
                place = f"“{lesson[giver].label}” (cell {giver})"
                return f"This cell needs {name}, which is not defined yet. Run {place} first."
        return None

    def begin(self, source: str, cell_id: str | None) -> None:
        """Record that a cell starts: until it succeeds, its section is not trusted."""
        cell = self._find(source, cell_id)
        if cell is None:
            self._begin_own(cell_id)
        elif cell.kind == "fresh":
            self._section, self._steps, self._own = None, [], False

    def end(self, source: str, cell_id: str | None, *, succeeded: bool) -> None:
        """Record how a cell ended; a failed cell may have done half of its work."""
        cell = self._find(source, cell_id)
        if cell is None:
            return
        whole = succeeded or cell.raises
        if cell.kind == "fresh" and whole:
            self._section, self._steps, self._own = cell.id, [], False
        elif cell.kind == "step" and cell.section == self._section:
            self._steps.append(cell.id)
            if not whole and not self._own:
                self._section = None

    def _is_next(self, cell: Cell) -> bool:
        if cell.section != self._section:
            return False
        return self._own or self._steps == list(cell.before)

    def _begin_own(self, cell_id: str | None) -> None:
        """Record a cell that the learner wrote or changed."""
        changed = self._changed(cell_id)
        if changed is None:
            # An added cell is allowed. Without ids, it could also be a changed step.
            self._own |= not self._ids_are_ours
        elif changed.kind == "fresh":
            self._section, self._steps, self._own = changed.id, [], True
        elif changed.kind == "step" and changed.section == self._section:
            self._own = True

    def _changed(self, cell_id: str | None) -> Cell | None:
        if not self._ids_are_ours or self._name is None or cell_id is None:
            return None
        return self._lessons[self._name].get(cell_id)

    def _find(self, source: str, cell_id: str | None) -> Cell | None:
        """Recognise a cell by its text; by its id if several cells have this text."""
        mark = mark_of(source)
        here = {
            name: [cell for cell in lesson.values() if cell.mark == mark]
            for name, lesson in self._lessons.items()
        }
        found = {name: cells for name, cells in here.items() if cells}
        name = self._name if self._name in found else None
        if name is None and len(found) == 1:
            (name,) = found
        if name is None:
            return None
        self._turn_to(name)
        cell = next((cell for cell in found[name] if cell.id == cell_id), found[name][0])
        self._ids_are_ours |= cell.id == cell_id
        return cell

    def _turn_to(self, name: str) -> None:
        """Switch to another lesson in the same kernel; it starts without any state."""
        if name != self._name:
            self._name, self._section, self._steps, self._own = name, None, [], False
