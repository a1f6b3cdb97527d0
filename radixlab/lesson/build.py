"""`make notebooks`: run notebooks and clean them for commit, so that a second run changes no byte.

This file knows how to run and clean notebooks. `rules.py` knows what must hold afterwards.
"""

import base64
import copy
import io
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import nbformat
from tqdm import tqdm

import radixlab
from radixlab.home import static_environment
from radixlab.lesson import sections
from radixlab.lesson.kernel import FOLDER_VARIABLE
from radixlab.lesson.publish import pace
from radixlab.lesson.publish.handout import handout
from radixlab.lesson.publish.rules import WIDGET_VIEW, is_ignored, violations
from radixlab.lesson.publish.tags import lesson_of

METADATA = {  # without versions, so that every machine writes the same
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}
COURSE = Path(radixlab.__file__).resolve().parent.parent / "notebooks"
CELL_METADATA = {"tags", "jupyter", "editable", "deletable"}  # front ends add other keys


class CellFailed(Exception):
    """A cell raised, or took too long; the message holds the cell and its traceback."""


def build(path: Path, timeout_s: int = 120) -> str:
    """Return the right text of `path`: run and cleaned, or its own text if only noise differs.

    Raises
    ------
    CellFailed
        A cell raised an exception that no `raises-exception` tag announces.
    """
    before_text = path.read_text(encoding="utf-8")
    before = read(before_text)
    after = copy.deepcopy(before)
    name_cells(after)
    execute(after, path.parent, timeout_s, path.stem)
    clean(after)
    keep_pictures(before, after)
    keep_ignored(before, after)
    if is_lesson(path):
        pace.write_line(after)
    return str(nbformat.writes(after, version=4)) + "\n"


def is_lesson(path: Path) -> bool:
    """Tell a lesson from an exercise's solution."""
    return path.resolve().parent.name != "solutions"


def read(text: str) -> Any:
    """Return a notebook unchanged; `nbformat.reads` would invent random ids for missing ones."""
    return nbformat.v4.reads(text)


def execute(notebook: Any, folder: Path, timeout_s: int = 120, name: str = "unnamed") -> None:
    """Run every cell in place, as on any user's machine: no GPU, no traces, no progress.

    The sections come from the notebook's own tags, because the saved ones may be older.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    client = NotebookClient(
        notebook,
        timeout=timeout_s,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        coalesce_streams=True,  # how a stream is split into messages is random
        store_widget_state=False,
    )
    with tempfile.TemporaryDirectory() as scratch:
        (guarded := Path(scratch) / "guarded").mkdir()
        (guarded / f"{name}.json").write_text(sections.write(lesson_of(notebook)), "utf-8")
        settings = static_environment(Path(scratch)) | {FOLDER_VARIABLE: str(guarded)}
        try:
            client.execute(env=os.environ | settings)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            raise CellFailed(re.sub(r"\x1b\[[0-9;]*m", "", str(error))) from error


def name_cells(notebook: Any) -> None:
    """Give each cell without an id one that a second run would give too."""
    taken: set[str] = set()
    for number, cell in enumerate(notebook.cells):
        name = cell.get("id")
        if not name or name in taken:
            name = next(n for n in _names(number) if n not in taken)
        cell["id"] = name
        taken.add(name)
    notebook.nbformat, notebook.nbformat_minor = 4, max(5, notebook.nbformat_minor)


def _names(number: int) -> Any:
    yield f"cell-{number:02d}"
    yield from (f"cell-{number:02d}-{again}" for again in range(2, 1000))


def clean(notebook: Any) -> None:
    """Drop widget views and state, timing, versions and front-end noise."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict(
            {key: value for key, value in cell.metadata.items() if key in CELL_METADATA}
        )
        if cell.cell_type == "code":
            for output in cell.outputs:
                output.get("data", {}).pop(WIDGET_VIEW, None)


def keep_pictures(before: Any, after: Any) -> None:
    """Keep the old bytes of each PNG whose pixels are the same: compression may differ."""
    old = {cell.get("id"): cell for cell in before.cells if cell.cell_type == "code"}
    for cell in after.cells:
        if cell.cell_type != "code" or cell["id"] not in old:
            continue
        for was, now in zip(old[cell["id"]].outputs, cell.outputs, strict=False):
            png, new = was.get("data", {}).get("image/png"), now.get("data", {}).get("image/png")
            if png and new and png != new and _pixels(png) == _pixels(new):
                now.data["image/png"] = png


def _pixels(png: str) -> tuple[tuple[int, int], bytes]:
    from PIL import Image

    with Image.open(io.BytesIO(base64.b64decode(png))) as image:
        return image.size, image.convert("RGBA").tobytes()


def keep_ignored(before: Any, after: Any) -> None:
    """Keep the old outputs of uncompared cells, unless a compared output has changed."""
    if _compared(before) != _compared(after):
        return
    for was, now in zip(before.cells, after.cells, strict=True):
        if now.cell_type == "code" and is_ignored(now) and was.outputs:
            now.outputs = [
                output for output in was.outputs if WIDGET_VIEW not in output.get("data", {})
            ]


def _compared(notebook: Any) -> list[Any]:
    return [
        (cell.source, None if cell.cell_type != "code" or is_ignored(cell) else cell.outputs)
        for cell in notebook.cells
    ]


def write(path: Path, text: str) -> None:
    """Replace the file atomically: an interrupted build leaves the old notebook."""
    draft = path.with_name(f".{path.name}.tmp")
    draft.write_text(text, encoding="utf-8", newline="\n")
    os.replace(draft, path)


def report(path: Path, text: str, *, check: bool) -> bool:
    """Write `text`, or with `check` only compare it; print and return whether it is wrong."""
    changed = text != path.read_text(encoding="utf-8")
    if changed and not check:
        write(path, text)
    lesson = is_lesson(path)
    problems = violations(read(text), lesson=lesson)
    if changed and check:
        problems.insert(0, "is not what a fresh run gives: make notebooks")
    if lesson:
        problems += _report_sections(path, text, check=check)
    else:
        problems += _report_handout(path, text, check=check)
    for problem in problems:
        tqdm.write(f"{path.name}: {problem}", file=sys.stderr)
    return bool(problems)


def _report_sections(path: Path, text: str, *, check: bool) -> list[str]:
    """Save the sections that a lesson's tags define, or compare them."""
    kept = sections.FOLDER / f"{path.stem}.json"
    wanted = sections.write(lesson_of(read(text)))
    if path.resolve().parent != COURSE or (kept.exists() and kept.read_text("utf-8") == wanted):
        return []
    if check:
        return [f"{kept.name} does not hold its sections: make notebooks"]
    kept.parent.mkdir(exist_ok=True)
    write(kept, wanted)
    return []


def _report_handout(path: Path, text: str, *, check: bool) -> list[str]:
    """Write the exercise beside a solution, or compare it."""
    exercise = path.resolve().parent.parent / "exercises" / path.name
    wanted = handout(read(text))
    before = exercise.read_text(encoding="utf-8") if exercise.exists() else None
    if wanted == before:
        return []
    if check:
        return [f"exercises/{path.name} is not what it gives: make notebooks"]
    exercise.parent.mkdir(exist_ok=True)
    write(exercise, wanted)
    return []


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; fail where a notebook would change.")
@click.argument("notebooks", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(notebooks: tuple[Path, ...], check: bool) -> None:
    """Run NOTEBOOKS in place and clean them for commit."""
    failed = False
    for path in tqdm(notebooks, unit="notebook", disable=None):
        try:
            failed |= report(path, build(path), check=check)
        except CellFailed as error:
            tqdm.write(f"{path.name}: left as it was; a cell failed:\n{error}", file=sys.stderr)
            failed = True
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
