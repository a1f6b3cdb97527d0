"""Where the exercises are and how far the learner is, told in a lesson."""

from pathlib import Path

import radixlab
from radixlab.grade import copies
from radixlab.grade.copies import EXERCISES as HANDED_OUT
from radixlab.grade.copies import WORK
from radixlab.grade.progress import Progress
from radixlab.grade.registry import EXERCISES
from radixlab.home import is_static


def exercise(exercise_id: str) -> None:
    """Show the way to an exercise: the learner's copy in `work/`, else the one handed out."""
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
    """Print each exercise's points, as last graded and at best, and what has a newer version."""
    known = {} if is_static() else Progress().load()
    width = max(len(task.title) for task in EXERCISES.values())
    for task in EXERCISES.values():
        found = known.get(task.id)
        points = f"{found['points']:g} of {task.points}" if found else "not begun"
        best = f", best {found['best']:g}" if found and found["best"] > found["points"] else ""
        print(f"{task.id}  {task.title:{width}}  {points}{best}")
    if not is_static():
        work = Path(radixlab.__file__).parent.parent / WORK
        for path in filter(copies.behind, sorted(work.glob("*.ipynb"))):
            print(copies.newer_line(path))
