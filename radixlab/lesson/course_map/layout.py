"""Where each box of the map is: a lesson stands below all that it builds on."""

from collections.abc import Sequence
from dataclasses import dataclass

from radixlab.grade.items import Exercise
from radixlab.grade.registry import EXERCISES
from radixlab.lesson.course import Lesson

BOX, GAP = (2.0, 0.74), 0.16
"""A lesson's width and height, and the gap between two; in inches."""
TASK_HEIGHT, ARROW = 0.27, 0.26
"""The height of an exercise below its lesson, and the space for arrows between two rows."""
TOP, BOTTOM = 0.06, 0.34
"""The space above the first row, and below the last one, where the legend is."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a box is: its left and lower edge and its size, in inches from the lower left."""

    x: float
    y: float
    width: float
    height: float


def tasks_of(lesson: Lesson) -> list[Exercise]:
    """Return the exercises of a lesson."""
    return [EXERCISES[id] for id in lesson.exercises if id in EXERCISES]


def depths(course: Sequence[Lesson]) -> dict[str, int]:
    """Return the row of each lesson: one below the lowest of those that it builds on.

    A link to a lesson that does not come before is ignored, so there is no cycle.
    """
    rows: dict[str, int] = {}
    for lesson in course:
        above = [rows[file] for file in lesson.builds_on if file in rows]
        rows[lesson.file] = 1 + max(above, default=-1)
    return rows


def arrows(course: Sequence[Lesson]) -> list[tuple[str, str]]:
    """Return pairs of files: a lesson, and one that builds on it directly, not through a third."""
    needs: dict[str, set[str]] = {}
    found = []
    for lesson in course:
        direct = {file for file in lesson.builds_on if file in needs}
        by_way = set().union(*(needs[file] for file in direct))
        needs[lesson.file] = direct | by_way
        found += [(file, lesson.file) for file in sorted(direct - by_way)]
    return found


def layout(course: Sequence[Lesson]) -> tuple[dict[str, Spot], tuple[float, float]]:
    """Return the spot of each lesson by its file and of each exercise by its id; and the size."""
    rows = depths(course)
    members = [
        [lesson for lesson in course if rows[lesson.file] == row]
        for row in range(1 + max(rows.values()))
    ]
    width = max(len(row) for row in members) * (BOX[0] + GAP) + GAP
    height = TOP + BOTTOM + sum(map(_height, members)) - ARROW
    spots: dict[str, Spot] = {}
    top = height - TOP
    for row in members:
        left = (width - len(row) * (BOX[0] + GAP) + GAP) / 2
        for column, lesson in enumerate(row):
            spots |= _spots(lesson, left + column * (BOX[0] + GAP), top - BOX[1])
        top -= _height(row)
    return spots, (width, height)


def _height(row: Sequence[Lesson]) -> float:
    return BOX[1] + TASK_HEIGHT * any(map(tasks_of, row)) + ARROW


def _spots(lesson: Lesson, x: float, y: float) -> dict[str, Spot]:
    """Return the spots of a lesson, whose lower left corner is given, and of its exercises."""
    tasks, spots = tasks_of(lesson), {lesson.file: Spot(x, y, *BOX)}
    for k, task in enumerate(tasks):
        wide = BOX[0] / len(tasks)
        spots[task.id] = Spot(x + k * wide, y - TASK_HEIGHT, wide, TASK_HEIGHT)
    return spots
