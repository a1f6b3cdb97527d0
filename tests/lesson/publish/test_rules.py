import nbformat.v4 as v4
import pytest

from radixlab.lesson.publish import pace
from radixlab.lesson.publish.rules import violations

END = v4.new_markdown_cell("## Three things to remember\n1. a\n2. b\n3. c", id="end")


def text_output(text, **data):
    return v4.new_output("execute_result", {"text/plain": text, **data}, execution_count=1)


def notebook(source="1 + 1", outputs=(), *, tags=(), count=1, more=9):
    cell = v4.new_code_cell(source, outputs=list(outputs), execution_count=count, id="code")
    cell.metadata["tags"] = list(tags)
    plain = [v4.new_code_cell("2", execution_count=2, id=f"plain-{i}") for i in range(more)]
    title = v4.new_markdown_cell("# 00 · Title", id="title")
    found = v4.new_notebook(cells=[title, cell, *plain, END])
    pace.write_line(found)
    return found


def test_a_clean_notebook_breaks_no_rule():
    assert violations(notebook(outputs=[text_output("2")])) == []


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("clear_output()", "clear_output"),
        ("display(x, display_id='a')", "display_id"),
        ("update_display(x)", "display_id"),
        ("out = widgets.Output()", "Output widget"),
        ("interact(f, x=1)", "interact"),
        ("@interactive\ndef f(): ...", "interact"),
        ("plot();", "trailing ;"),
        ("plot();  # quiet", "trailing ;"),
        ("open('/home/me/trace')", "path of one machine"),
        ("\n".join("abcdefghijklm"), "13 lines"),
    ],
)
def test_code_that_nbval_cannot_check_is_named(source, rule):
    (found,) = violations(notebook(source))
    assert rule in found and "cell 1" in found


@pytest.mark.parametrize(
    "source", ["x = interacting", "print('a; b')", "SmallOutput = 1", "a = b / c"]
)
def test_what_only_looks_like_it_passes(source):
    assert violations(notebook(source)) == []


WITH_ALT = {"image/png": {"alt": "a picture"}}


@pytest.mark.parametrize(
    ("output", "rule"),
    [
        (v4.new_output("error", ename="E", evalue="", traceback=[]), "is an error"),
        (v4.new_output("stream", name="stderr", text="warning"), "stderr"),
        (v4.new_output("stream", name="stdout", text=f"x\n{'x' * 91}\n"), "line is 91 characters"),
        (text_output("x", **{"application/vnd.jupyter.widget-view+json": {}}), "widget view"),
        (
            v4.new_output("display_data", {"image/png": "aGk="}, metadata=WITH_ALT),
            "no text/plain",
        ),
        (text_output("x", **{"image/png": "aGk="}), "no alt text"),
        (text_output("'/tmp/trace.jsonl'"), "path of one machine"),
        (text_output("<object at 0x7f2a5c01d2b0>"), "address"),
    ],
)
def test_outputs_nobody_else_would_get_are_named(output, rule):
    (found,) = violations(notebook(outputs=[output]))
    assert rule in found


def test_a_line_that_fits_and_a_question_pass():
    for text in ("x" * 90, f"Predict: {'x' * 200}"):
        printed = v4.new_output("stream", name="stdout", text=f"{text}\n")
        assert violations(notebook(outputs=[printed])) == []


def test_an_announced_exception_passes():
    error = v4.new_output("error", ename="E", evalue="", traceback=["E"])
    assert violations(notebook(outputs=[error], tags=["raises-exception"])) == []


def test_a_cell_that_never_ran_is_named():
    (found,) = violations(notebook(count=None))
    assert "never ran" in found


@pytest.mark.parametrize(("more", "broken"), [(5, True), (6, False)])
def test_uncompared_cells_are_few(more, broken):
    found = violations(notebook("# NBVAL_IGNORE_OUTPUT\nx", more=more))
    assert bool(found) == broken
    assert violations(notebook(tags=["nbval-ignore-output"], more=more)) == found


def test_ids_are_unique_and_widget_state_is_gone():
    bad = notebook()
    bad.cells[2]["id"] = bad.cells[1]["id"]
    bad.metadata["widgets"] = {}
    assert violations(bad) == [
        "cell ids are missing or not unique",
        "metadata.widgets holds widget state",
    ]


def test_only_lessons_end_with_three_things():
    bad = notebook()
    bad.cells.pop()
    pace.write_line(bad)
    assert violations(bad) == ["it does not end with three things to remember"]
    assert violations(bad, lesson=False) == []


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("x = 1  # " + "a" * 80, "89 characters wide"),
        ("a = 1\nb = 2  # " + "b" * 90 + "\nc = 3", "99 characters wide"),
        ("%magic " + "c" * 82, "89 characters wide"),
        ('predict("00/a", "?")', "'00/a' is asked for and never revealed"),
        ('predict(\n    "00/a",\n    "?",\n    unit="blocks",\n)', "'00/a'"),
        ('if True:\n    predict("00/a", "?")\nreveal("00/b", 1)', "'00/a'"),
        ('predict("00/a", "?")\npredict("00/a", "?")\nreveal("00/a", 1)', "twice"),
    ],
)
def test_wide_code_and_open_guesses_are_named_in_exercises_too(source, rule):
    for lesson in (True, False):
        (found,) = violations(notebook(source), lesson=lesson)
        assert rule in found


@pytest.mark.parametrize(
    "source",
    [
        "x = 1  # " + "a" * 79,
        'predict("00/a", "?")\nreveal("00/a", 1)',
        'predict("00/a", "?", 16)',
        'predict("00/a", "?", answer=16)',
        '# predict("00/a", "?")',
        'my_predict("00/a", "?")',
    ],
)
def test_what_is_narrow_enough_or_answered_passes(source):
    assert violations(notebook(source)) == []


def test_a_lesson_says_how_long_it_takes():
    stale = notebook(more=300)
    stale.cells = stale.cells[:50] + stale.cells[-1:]
    (found,) = violations(stale)
    assert "*About 2 minutes on the core path, 2 with everything" in found
    assert violations(stale, lesson=False) == []
