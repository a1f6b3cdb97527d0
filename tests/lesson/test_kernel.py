"""The guard in a kernel that `radixlab lab` starts, on a lesson of this file's own."""

import threading

import nbformat
import nbformat.v4 as v4
import pytest

from radixlab.grade import copies
from radixlab.lesson import sections
from radixlab.lesson.publish.tags import lesson_of
from tests.repo.modes import MODES, ROOT, Shown, committed, fault, faults, running_kernel

pytest.importorskip("ipykernel", reason="ipykernel is not installed: the extra `lab` brings it")


def code(id, source, *tags, shows=""):
    outputs = [v4.new_output("stream", text=shows)] if shows else []
    return v4.new_code_cell(source, id=id, metadata={"tags": list(tags)}, outputs=outputs)


CELLS = [
    code("imports", "import time\nfrom radixlab.lesson import predict, reveal"),
    code("begin", "blocks = [1]", "fresh"),
    code("ask", "predict('00/n', 'How many?')", shows="Predict: How many?\n  ○ a number\n"),
    code("take", "blocks.append(2)", "step"),
    code("wait", "blocks.append(3)\ntime.sleep(SECONDS)", "step"),
    code(
        "show",
        "reveal('00/n', len(blocks))",
        shows="You made no guess; the engine says 3.\n",
    ),
    code("raise", "blocks[7]", "step", "raises-exception"),
    code("after", "print(blocks)", shows="[1, 2, 3]\n"),
]
CELLS[0].source += "\nSECONDS = 0"
LESSON = v4.new_notebook(cells=CELLS)
CELLS[6].outputs = [v4.new_output("error", ename="IndexError", evalue="list index out of range")]
SOURCES = {cell["id"]: cell.source for cell in CELLS}
REFUSAL = "This cell continues a section. Run it again from “blocks = [1]” (cell begin) on.\n"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "00_own.json").write_text(sections.write(lesson_of(LESSON)))
    return {"RADIXLAB_GUARDED": str(folder), "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def kernel(guarded, tmp_path_factory):
    with running_kernel(tmp_path_factory.mktemp("cwd"), **guarded) as kernel:
        yield kernel


@pytest.fixture
def run(kernel):
    def run(*ids):
        return [kernel.run(SOURCES[id], id) for id in ids][-1]

    kernel.restart()
    return run


def test_a_new_kernel_says_where_to_begin(run):
    assert run("take") == run("show") == Shown(REFUSAL, ())
    needs = "This cell needs predict, which is not defined yet. "
    assert run("ask").text == f"{needs}Run “import time” (cell imports) first.\n"


def test_a_step_twice_does_nothing_the_second_time(run):
    assert run("imports", "begin", "take", "take") == Shown(REFUSAL, ())
    assert run("wait", "show").text == "You made no guess; the engine says 3.\n"


def test_a_step_that_is_interrupted_half_way_ends_its_section(run, kernel):
    run("imports", "begin", "take")
    kernel.run("SECONDS = 3600")
    # The sleep begins some time after the cell does: interrupt until one of them has met it.
    stop = threading.Event()

    def interrupt():
        while not stop.wait(0.5):
            kernel.manager.interrupt_kernel()

    thread = threading.Thread(target=interrupt)
    thread.start()
    shown = run("wait")
    stop.set()
    thread.join()
    assert [error.partition(":")[0] for error in shown.errors] == ["KeyboardInterrupt"]
    kernel.run("SECONDS = 0")
    assert run("wait") == run("show") == Shown(REFUSAL, ())
    assert run("begin", "take", "wait", "show").errors == ()


def test_an_announced_exception_is_a_step(run):
    assert run("imports", "begin", "take", "wait", "raise").errors == (
        "IndexError: list index out of range",
    )
    assert run("after").text == "[1, 2, 3]\n"


def test_reveal_keeps_its_first_answer(run, kernel):
    assert run("imports", "begin", "take", "wait", "show").errors == ()
    shown = kernel.run("reveal('00/n', 99)")
    kept = "(This run says 99: the first answer is kept.)\n"
    assert shown == Shown("You made no guess; the engine says 3.\n" + kept, ())


def test_magics_shell_lines_and_syntax_errors_do_not_confuse_it(run, kernel):
    run("imports", "begin")
    for source in (
        "%time 1 + 1",
        "%%timeit -n1 -r1\n1",
        "blocks[",
        "!true",
        "?len",
        "raise OSError",
    ):
        kernel.run(source, "mine")
    assert run("take", "wait", "show").text == "You made no guess; the engine says 3.\n"


def test_the_magic_of_the_exercises_is_known_after_a_restart(run, kernel):
    shown = kernel.run("%%exercise 8.5.9\nx = 1")
    assert shown.errors == () and "there is no exercise" in shown.text + shown.stderr


def test_a_copy_that_stayed_behind_says_so_above_the_first_output(guarded, tmp_path):
    lesson = tmp_path / "notebooks" / "00_own.ipynb"
    lesson.parent.mkdir()
    nbformat.write(LESSON, lesson)
    (copy,) = copies.start(tmp_path)
    copy.path.write_text(copy.path.read_text().replace("print(blocks)", "print('mine')"))
    lesson.write_text(lesson.read_text().replace("SECONDS = 0", "SECONDS = 1"))
    settings = guarded | {"JPY_SESSION_NAME": str(copy.path), "RADIXLAB_STATIC": "0"}
    with running_kernel(copy.path.parent, **settings) as kernel:
        first, second = kernel.run("print(1)"), kernel.run("print(2)")
    told = "00_own.ipynb: there is a newer version, and yours stays as it is. "
    assert first.text == f"{told}`radixlab reset 00` takes the new one and keeps yours.\n1\n"
    assert second.text == "2\n"


def modes():
    for mode in MODES:
        if mode != "core-only":
            every = () if mode in ("restart", "shuffled-0") else pytest.mark.soak
            yield pytest.param(mode, marks=every)


@pytest.mark.parametrize("mode", list(modes()))
def test_in_every_mode_only_right_numbers_are_shown(guarded, tmp_path, mode):
    found, refused = faults(LESSON, tmp_path, MODES[mode], with_ids=mode != "shuffled-1", **guarded)
    assert found == [] and bool(refused) == (mode != "all-twice")


def test_without_the_guard_the_same_modes_find_wrong_numbers(guarded, tmp_path):
    """The runner sees what the guard prevents: a check that cannot fail would be none."""
    (tmp_path / "none").mkdir()
    settings = guarded | {"RADIXLAB_GUARDED": str(tmp_path / "none")}
    found, refused = faults(LESSON, tmp_path, MODES["each-twice"], **settings)
    assert [line.partition(":")[0] for line in found] == ["show", "show", "after", "after"]
    assert refused == 0


@pytest.mark.parametrize(
    ("shown", "is_fault"),
    [
        (Shown("[1, 2, 3]\n", ()), False),
        (Shown("[1, 2, 4]\n", ()), True),
        (Shown("", ()), True),
        (Shown(REFUSAL, ()), False),
        (Shown(REFUSAL + "[1]\n", ()), True),
        (Shown("", ("NameError: name 'blocks' is not defined",)), False),
        (Shown("", ("IndexError: 7",)), True),
        (Shown("[1, 2, 3]\n", (), "a warning"), True),
    ],
)
def test_what_counts_as_a_fault(shown, is_fault):
    assert bool(fault(CELLS[-1], shown)) == is_fault
    assert committed(CELLS[-1]) == Shown("[1, 2, 3]\n", ())
