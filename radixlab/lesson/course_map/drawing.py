"""The map as a picture for light and dark pages: boxes, arrows, and a legend."""

import textwrap
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from radixlab.grade.items import Exercise
from radixlab.lesson.course import Lesson
from radixlab.lesson.course_map.layout import Spot, arrows, layout, tasks_of
from radixlab.lesson.standing import Standing, State
from radixlab.viz.palette import INK, PAPER, SOFT, TEXT

TOUCH = 0.01
"""An exercise this close under a lesson belongs to it."""
INSET, TITLE, TEXT_SIZE, TITLE_WIDTH = 0.1, 9.0, 8.5, 24
"""The distance of texts from the edge; two sizes of text; how many letters of a title fit."""
DPI = 160
FILL = {
    State.OPEN: PAPER,
    State.BEGUN: "#fff3cd",
    State.DONE: "#b7e4c7",
    State.KNOWN: "#b7e4c7",
}
SIGN = {State.OPEN: "○", State.BEGUN: "◐", State.DONE: "●", State.KNOWN: "★"}
"""A sign for each state, because colours alone do not reach everybody."""


def drawing(course: Sequence[Lesson], standing: Standing) -> Figure:
    """Draw lessons, exercises, arrows and the legend."""
    spots, size = layout(course)
    figure = Figure(figsize=size, dpi=DPI)
    figure.patch.set_alpha(0)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, size[0]), ylim=(0, size[1]))
    axes.axis("off")
    for above, below in arrows(course):
        axes.add_patch(_arrow(spots, above, below))
    for lesson in course:
        _draw_lesson(axes, spots, lesson, standing)
    legend = "   ".join(f"{SIGN[state]} {state}" for state in State)
    axes.text(size[0] / 2, 0.13, legend, ha="center", va="center", fontsize=TITLE, color=TEXT)
    return figure


def _draw_lesson(axes: Any, spots: dict[str, Spot], lesson: Lesson, standing: Standing) -> None:
    spot, state = spots[lesson.file], standing.of_lesson(lesson)
    _box(axes, spot, state)
    title = "\n".join(textwrap.wrap(lesson.title, TITLE_WIDTH))
    middle = spot.y + 0.62 * spot.height
    _write(axes, spot.x + INSET, middle, title, size=TITLE, weight="bold", linespacing=1.15)
    _write(axes, spot.x + INSET, spot.y + 0.13, f"{SIGN[state]} {state} · {lesson.minutes} minutes")
    for task in tasks_of(lesson):
        _box(axes, spots[task.id], standing.of_exercise(task))
        _write_task(axes, spots[task.id], task, standing)


def _write_task(axes: Any, spot: Spot, task: Exercise, standing: Standing) -> None:
    found = standing.points.get(task.id)
    points = f"{found['points']:g} of {task.points}" if found else f"{task.points}"
    label = f"{SIGN[standing.of_exercise(task)]} {task.id} · {points} points"
    _write(axes, spot.x + INSET, spot.y + spot.height / 2, label)


def _box(axes: Any, spot: Spot, state: State) -> None:
    style = "round,pad=0,rounding_size=0.06"
    box = FancyBboxPatch(
        (spot.x, spot.y), spot.width, spot.height, boxstyle=style, fc=FILL[state], ec=SOFT, lw=0.9
    )
    axes.add_patch(box)


def _write(axes: Any, x: float, y: float, text: str, size: float = TEXT_SIZE, **how: Any) -> None:
    axes.text(x, y, text, ha="left", va="center", color=INK, size=size, **how)


def _arrow(spots: dict[str, Spot], above: str, below: str) -> Any:
    """Return an arrow from the lower edge of a lesson, or of its exercises, to another lesson."""
    start, end = spots[above], spots[below]
    under = [spot for spot in spots.values() if spot.y < start.y and _touches(spot, start)]
    return FancyArrowPatch(
        (start.x + start.width / 2, min([start.y, *(spot.y for spot in under)])),
        (end.x + end.width / 2, end.y + end.height),
        arrowstyle="-|>",
        mutation_scale=9,
        shrinkA=1,
        shrinkB=1,
        color=TEXT,
        lw=1.1,
        zorder=0,
    )


def _touches(spot: Spot, above: Spot) -> bool:
    is_under = above.x <= spot.x < above.x + above.width
    return is_under and abs(spot.y + spot.height - above.y) < TOUCH
