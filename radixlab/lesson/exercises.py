"""Links to the exercises, and the learner's progress, for use in lessons."""

from collections.abc import Iterator
from pathlib import Path

import radixlab
from radixlab.grade import copies
from radixlab.grade.copies import EXERCISES as HANDED_OUT
from radixlab.grade.copies import LESSONS, WORK
from radixlab.grade.progress import Progress
from radixlab.grade.registry import EXERCISES
from radixlab.home import is_static
from radixlab.lesson.course import Lesson, lessons
from radixlab.lesson.standing import Standing, State
from radixlab.yours.line import engine_line


def exercise(exercise_id: str) -> None:
    """Show a link to an exercise: the learner's copy in `work/`, else the original."""
    task = EXERCISES[exercise_id]
    root = Path(radixlab.__file__).parent.parent
    name = f"{task.notebook}.ipynb"
    own = (root / WORK / name).is_file() and not is_static()
    target = f"{WORK if own else HANDED_OUT}/{name}"
    line = f"Exercise {task.id} · {task.title} ({task.points} points): "
    data = {"text/plain": line + target}
    if not is_static():
        data["text/html"] = f'<b>{line}</b><a href="../{target}">{target}</a>'
    from IPython.display import display

    display(data, raw=True)


def progress() -> None:
    """Print the progress: lessons by guesses, exercises by points, and the next step."""
    for line in progress_lines():
        print(line)


def progress_lines() -> Iterator[str]:
    """Yield what `progress` prints; in a checked notebook, only the exercises, not begun."""
    root = Path(radixlab.__file__).parent.parent
    course = [] if is_static() else list(lessons(root / LESSONS))
    standing = Standing() if is_static() else Standing.of_learner()
    if course:
        yield from _lesson_lines(course, standing)
        yield ""
    width = max(len(task.title) for task in EXERCISES.values())
    for task in EXERCISES.values():
        found = standing.points.get(task.id)
        points = f"{found['points']:g} of {task.points}" if found else "not begun"
        best = f", best {found['best']:g}" if found and found["best"] > found["points"] else ""
        yield f"{task.id}  {task.title:{width}}  {points}{best}"
    if course:
        yield engine_line(Progress().load_engine())
        yield ""
        yield _next(course, standing)
        for path in filter(copies.behind, sorted((root / WORK).glob("*.ipynb"))):
            yield copies.newer_line(path)


def _lesson_lines(course: list[Lesson], standing: Standing) -> Iterator[str]:
    """Yield a row for each lesson: guesses made, how many were right, minutes, and its state."""
    made = [sum(key in standing.guesses for key in lesson.guesses) for lesson in course]
    right = [sum(map(standing.is_right, lesson.guesses)) for lesson in course]
    width = max(len(lesson.title) for lesson in course)
    yield f"{'lesson':{width}}  {'guesses':>8}  {'right':>5}  {'minutes':>7}"
    for lesson, num_made, num_right in zip(course, made, right, strict=True):
        num = f"{num_made} of {len(lesson.guesses)}"
        row = f"{lesson.title:{width}}  {num:>8}  {num_right:>5}  {lesson.minutes:>7}"
        state = standing.of_lesson(lesson)
        yield f"{row}  {state}" if state in (State.DONE, State.KNOWN) else row
    num = f"{sum(made)} of {sum(len(lesson.guesses) for lesson in course)}"
    minutes = sum(lesson.minutes for lesson in course)
    yield f"{'together':{width}}  {num:>8}  {sum(right):>5}  {minutes:>7}"


def _next(course: list[Lesson], standing: Standing) -> str:
    """Name the next step: the first lesson that is not done, or exercise with open items."""
    for lesson in course:
        if lesson.core and standing.of_lesson(lesson) in (State.OPEN, State.BEGUN):
            title = f"{lesson.title}, about {lesson.minutes} minutes"
            return f"Next: lesson {title}: {WORK}/{lesson.file}"
        for task in (EXERCISES[id] for id in lesson.exercises if id in EXERCISES):
            found = standing.points.get(task.id, {"points": 0, "items": {}})
            if found["points"] < task.points:
                items = found.get("items")
                passed = items if isinstance(items, dict) else {}
                open_items = [i.id for i in task.items if passed.get(i.id) != "passed"]
                item = (open_items or [task.items[0].id])[0]
                where = f"{WORK}/{task.notebook}.ipynb"
                return f"Next: exercise {task.id}, item {item}: {where}"
    return "Every lesson is done, and every exercise has all of its points."
