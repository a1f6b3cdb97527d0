import nbformat.v4 as v4
import pytest

from radixlab.lesson.publish import pace

TITLE = "# 00 · A title"


def prose(text):
    return v4.new_markdown_cell(text)


def words(count):
    return prose(" ".join(["word"] * count))


def code(source, *outputs):
    return v4.new_code_cell(source, outputs=list(outputs))


def printed(count):
    return v4.new_output("stream", text="word " * count)


def notebook(*cells):
    return v4.new_notebook(cells=list(cells))


GUESS = 'predict("00/a", "How many?")'  # 3 words
DEEPER = "## Going deeper: more"  # 4 words


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([words(199)], (2, 2)),
        ([words(200)], (2, 2)),
        ([words(201)], (3, 3)),
        ([words(190), code("a = 1\nb = 2", printed(4))], (2, 2)),
        ([words(190), code("a = 1\nb = 2", printed(5))], (3, 3)),
        ([words(197), code(GUESS)], (3, 3)),
        ([words(100), prose(DEEPER), words(96)], (2, 2)),
        ([words(100), prose(DEEPER), words(297)], (2, 4)),
        ([words(100), prose(DEEPER), code(GUESS), prose("### Still deeper"), words(300)], (2, 5)),
        ([prose(DEEPER), words(400), prose("## Answer"), words(198)], (2, 5)),
        ([prose(DEEPER), words(400), prose("Text\n\n## Answer"), words(200)], (2, 5)),
        ([code("%load_ext radixlab.grade\n" + GUESS)], (3, 3)),
        ([code("not python at all (")], (2, 2)),
        ([code("# predict('a') in a comment")], (2, 2)),
    ],
)
def test_minutes_follow_the_printed_rule(cells, expected):
    assert pace.minutes(notebook(*cells)) == expected


def test_a_picture_counts_and_its_text_does_not():
    shown = v4.new_output("display_data", {"image/png": "aGk=", "text/plain": "word " * 400})
    assert pace.minutes(notebook(code("view", shown))) == (2, 2)


@pytest.mark.parametrize("num_words", range(150, 210, 3))
def test_the_line_that_is_written_is_right_and_stays(num_words):
    lesson = notebook(prose(f"{TITLE}\n\n**A question?**"), words(num_words))
    assert not pace.has_line(lesson)
    pace.write_line(lesson)
    assert pace.has_line(lesson)
    first, blank, second, *rest = lesson.cells[0].source.split("\n")
    assert (first, blank, rest) == (TITLE, "", ["", "**A question?**"])
    assert second.startswith("*About ") and second.endswith("a minute to run).*")
    before = lesson.cells[0].source
    pace.write_line(lesson)
    assert lesson.cells[0].source == before


def test_a_stale_line_is_seen_and_replaced():
    lesson = notebook(prose(TITLE), words(100))
    pace.write_line(lesson)
    lesson.cells.append(words(1000))
    assert not pace.has_line(lesson)
    pace.write_line(lesson)
    assert pace.has_line(lesson) and lesson.cells[0].source.count("*About ") == 1
