import base64
import io

import nbformat
import nbformat.v4 as v4
import pytest
from click.testing import CliRunner
from PIL import Image

from radixlab.lesson.build import WIDGET_VIEW, CellFailed, build, keep_ignored, keep_pictures, main

PICTURE = """\
import matplotlib.pyplot as plt
plt.plot([1, 2, 3])
plt.show()"""
WIDGET = """\
import ipywidgets
ipywidgets.IntSlider(description="blocks")"""


@pytest.fixture
def raw(tmp_path):
    """As an author leaves it: unrun, with noisy metadata, a picture, a time and a widget."""
    cells = [
        v4.new_markdown_cell("# Tiny"),
        v4.new_code_cell("import os, sys\nprint('out'); sys.stdout.flush(); print('more')"),
        v4.new_code_cell(
            PICTURE, metadata={"ExecuteTime": {"start_time": "now"}, "tags": ["keep"]}
        ),
        v4.new_code_cell(
            "import time\ntime.perf_counter()", metadata={"tags": ["nbval-ignore-output"]}
        ),
        v4.new_code_cell(WIDGET),
        v4.new_code_cell("[os.environ[k] for k in ('RADIXLAB_STATIC', 'CUDA_VISIBLE_DEVICES')]"),
        v4.new_markdown_cell("Three things to remember: a, b, c"),
    ]
    noise = {"widgets": {}, "kernelspec": {"name": "other", "display_name": "Other"}}
    notebook = v4.new_notebook(cells=cells, metadata=noise)
    for cell in notebook.cells:
        cell["id"] = "same"
    path = tmp_path / "00_tiny.ipynb"
    path.write_text(v4.writes(notebook))
    return path


def test_a_second_run_is_byte_identical_and_the_first_is_clean(raw):
    result = CliRunner().invoke(main, [str(raw)])
    first = raw.read_bytes()
    notebook = nbformat.read(raw, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2, 3, 4, 5]
    assert code[0].outputs == [v4.new_output("stream", name="stdout", text="out\nmore\n")]
    assert code[1].metadata == {"tags": ["keep"]}
    assert code[3].outputs[0].data.keys() == {"text/plain"}
    assert code[4].outputs[0].data["text/plain"] == "['1', '']"
    assert notebook.metadata.kernelspec.name == "python3" and "widgets" not in notebook.metadata
    assert "version" not in notebook.metadata.language_info
    assert "5 code cells are not compared" in result.stderr  # 1 of 5: the rules are told at once

    CliRunner().invoke(main, [str(raw)])
    assert raw.read_bytes() == first
    assert "fresh run" not in CliRunner().invoke(main, ["--check", str(raw)]).stderr


def small(path, *sources):
    cells = [v4.new_markdown_cell("# Small")]
    cells += [v4.new_code_cell(source) for source in sources]
    cells.append(v4.new_markdown_cell("Three things to remember"))
    nbformat.write(v4.new_notebook(cells=cells), path)
    return path


def test_a_failing_cell_leaves_the_file_and_the_exit_status_says_so(tmp_path):
    path = small(tmp_path / "bad.ipynb", "1 + 1", "1 / 0")
    before = path.read_bytes()
    result = CliRunner().invoke(main, [str(path)])
    assert result.exit_code == 1
    assert "ZeroDivisionError" in result.stderr and "\x1b" not in result.stderr
    assert path.read_bytes() == before


def test_a_cell_without_end_is_stopped(tmp_path):
    with pytest.raises(CellFailed, match=r"(?i)timed out|timeout"):
        build(small(tmp_path / "endless.ipynb", "while True: pass"), timeout_s=2)


def test_check_writes_nothing_and_fails_on_a_stale_output(tmp_path):
    path = small(tmp_path / "stale.ipynb", "1 + 1")
    before = path.read_bytes()
    result = CliRunner().invoke(main, ["--check", str(path)])
    assert result.exit_code == 1 and "fresh run" in result.stderr
    assert path.read_bytes() == before
    assert CliRunner().invoke(main, [str(path)]).exit_code == 0
    assert CliRunner().invoke(main, ["--check", str(path)]).exit_code == 0


def png(color, level):
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), color).save(buffer, "PNG", compress_level=level)
    return base64.b64encode(buffer.getvalue()).decode()


def one_cell(source, data, tags=()):
    output = v4.new_output("display_data", data)
    cell = v4.new_code_cell(source, outputs=[output], execution_count=1, id="a")
    cell.metadata["tags"] = list(tags)
    return v4.new_notebook(cells=[cell])


@pytest.mark.parametrize(("color", "kept"), [("red", True), ("blue", False)])
def test_a_picture_keeps_its_bytes_while_its_pixels_do(color, kept):
    old, new = png("red", 9), png(color, 0)
    assert old != new
    before, after = one_cell("x", {"image/png": old}), one_cell("x", {"image/png": new})
    keep_pictures(before, after)
    assert (after.cells[0].outputs[0].data["image/png"] == old) == kept


@pytest.mark.parametrize(("source", "kept"), [("x", True), ("y", False)])
def test_a_time_is_kept_until_the_notebook_changes(source, kept):
    before = one_cell("x", {"text/plain": "1.0 s"}, ["nbval-ignore-output"])
    after = one_cell(source, {"text/plain": "2.0 s"}, ["nbval-ignore-output"])
    keep_ignored(before, after)
    assert (after.cells[0].outputs[0].data["text/plain"] == "1.0 s") == kept


def test_an_old_widget_view_is_not_taken_over():
    before = one_cell("x", {"text/plain": "a", WIDGET_VIEW: {}}, ["nbval-ignore-output"])
    after = one_cell("x", {"text/plain": "b"}, ["nbval-ignore-output"])
    keep_ignored(before, after)
    assert all(WIDGET_VIEW not in output.data for output in after.cells[0].outputs)
