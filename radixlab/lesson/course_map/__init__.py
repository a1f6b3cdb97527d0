"""The map of the course: lessons, what builds on what, exercises, and how far the learner is.

It is made from the notebooks themselves. `layout` puts each lesson into a row, `drawing` draws the
rows, and this file adds the words, and the links that lead to the notebooks.
"""

import base64
import html
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import radixlab
from radixlab.escape import count
from radixlab.grade.copies import LESSONS, WORK
from radixlab.home import is_static
from radixlab.lesson.course import Lesson, lessons
from radixlab.lesson.course_map.layout import Spot, layout, tasks_of
from radixlab.lesson.standing import Standing

__all__ = ["CourseMap", "course_map"]

PIXELS = 100
"""Pixels on the page for each inch of the picture."""


@dataclass(frozen=True, slots=True)
class CourseMap:
    """The map as a notebook shows it: a picture, links on it, and the same in words."""

    course: Sequence[Lesson]
    standing: Standing
    has_links: bool = True

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        text, png = self.text(), base64.b64encode(self.png()).decode()
        size = layout(self.course)[1]
        about = {"width": round(PIXELS * size[0]), "alt": text.partition("\n")[0]}
        data = {"text/plain": text, "image/png": png}
        if self.has_links:
            data["text/html"] = self._linked(png, about)
        return data, {"image/png": about}

    def text(self) -> str:
        """Return a line for each lesson and exercise."""
        tasks = [task for lesson in self.course for task in tasks_of(lesson)]
        head = f"Map of the course: {count(len(self.course), 'lesson')}"
        lines = [f"{head} and {count(len(tasks), 'exercise')}"]
        for lesson in self.course:
            needs = ", ".join(file[:2] for file in lesson.builds_on)
            after = f" (builds on {needs})" if needs else ""
            lines.append(f"{lesson.title}{after}: {self.standing.of_lesson(lesson)}")
            for task in tasks_of(lesson):
                lines.append(f"  {task.id} {task.title}: {self.standing.of_exercise(task)}")
        return "\n".join(lines)

    def png(self) -> bytes:
        """Draw the map; the same course and standing give the same bytes."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        from radixlab.lesson.course_map.drawing import drawing

        out = io.BytesIO()
        canvas: Any = FigureCanvasAgg(drawing(self.course, self.standing))
        canvas.print_png(out, metadata={"Software": None})
        return out.getvalue()

    def _linked(self, png: str, about: dict[str, Any]) -> str:
        spots, (width, height) = layout(self.course)
        links = "".join(
            f'<a href="../{html.escape(target)}" title="{html.escape(title)}" '
            f'aria-label="{html.escape(title)}" style="position:absolute;'
            f"left:{100 * spot.x / width:.2f}%;bottom:{100 * spot.y / height:.2f}%;"
            f'width:{100 * spot.width / width:.2f}%;height:{100 * spot.height / height:.2f}%"></a>'
            for title, target, spot in self._targets(spots)
        )
        picture = f'<img alt="{html.escape(about["alt"])}" src="data:image/png;base64,{png}" '
        return (
            f'<div style="position:relative;max-width:{about["width"]}px">'
            f'{picture}style="display:block;width:100%">{links}</div>'
        )

    def _targets(self, spots: dict[str, Spot]) -> Iterator[tuple[str, str, Spot]]:
        for lesson in self.course:
            title = f"{lesson.title}: {self.standing.of_lesson(lesson)}"
            yield title, f"{WORK}/{lesson.file}", spots[lesson.file]
            for task in tasks_of(lesson):
                title = f"{task.id} {task.title}: {self.standing.of_exercise(task)}"
                yield title, f"{WORK}/{task.notebook}.ipynb", spots[task.id]


def course_map() -> CourseMap:
    """Show the map of the course, with your own state; click a box to open its notebook."""
    course = list(lessons(Path(radixlab.__file__).parent.parent / LESSONS))
    if is_static():
        return CourseMap(course, Standing(), has_links=False)
    return CourseMap(course, Standing.of_learner())
