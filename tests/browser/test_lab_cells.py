"""Copies of one view in the cells of a real notebook: each beside the text that speaks of it.

After Run All, after a second one, and after the notebook was saved and opened without a kernel.
"""

from contextlib import suppress

import nbformat.v4 as v4
import pytest

from radixlab.lesson.build import METADATA
from tests.browser.lab import (
    ARTIFACTS,
    CHROMIUM,
    OUTPUT_ERRORS,
    SAVE,
    SELECT,
    SHUT_DOWN,
    call,
    open_notebook,
    running_browser,
)

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]

CELLS = {
    "made": """
from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.viz import CacheView
cache = KVCacheManager(CacheConfig(num_blocks=16, block_size=4))
view = CacheView(cache)
first = cache.allocate(range(9))
view""",
    "two": "second = cache.allocate(range(20, 29))\nview",
    "none": "# A line as long as a lesson may have one".ljust(88, ".")
    + "\ncache.release(first)\ncache.release(second)",
    "last": "view",
}
RUNNING = {"made": 1, "two": 2, "last": 0}  # requests, when that cell had run
RUN_ALL = """() => window.jupyterapp.commands.execute("notebook:run-all-cells")"""
WIDER = """() => [...document.querySelectorAll(".jp-Notebook .cm-scroller")]
  .filter((code) => code.scrollWidth > code.clientWidth + 1)
  .map((code) => `${code.scrollWidth} > ${code.clientWidth}: ${code.innerText.slice(0, 80)}`)"""
SHOWN = """(id) => {
  const cell = window.jupyterapp.shell.currentWidget.content.activeCell;
  const view = cell.model.sharedModel.id === id && cell.node.querySelector(".rx-view");
  return view ? view.querySelectorAll(".rx-seq").length : null;
}"""


def shown(page, cell):
    """How many requests run in the picture below a cell; None while it is not drawn."""
    call(page, SELECT, cell)
    wanted = f"(id) => ({SHOWN})(id) === {RUNNING[cell]}"
    with suppress(playwright.TimeoutError):  # the comparison says what was shown instead
        page.wait_for_function(wanted, arg=cell, timeout=60_000)
    return page.evaluate(SHOWN, cell)


@pytest.mark.soak
def test_each_copy_of_a_view_shows_the_cache_as_of_its_cell(lab, tmp_path):
    url, root = lab
    cells = [v4.new_code_cell(source.strip(), id=name) for name, source in CELLS.items()]
    (root / "cells.ipynb").write_text(v4.writes(v4.new_notebook(cells=cells, metadata=METADATA)))
    ARTIFACTS.mkdir(exist_ok=True)
    with playwright.sync_playwright() as driver:
        with running_browser(driver, tmp_path / "today") as browser:
            page, errors = open_notebook(browser, url, "cells.ipynb")
            for _ in range(2):
                call(page, RUN_ALL)
                assert {cell: shown(page, cell) for cell in RUNNING} == RUNNING
            assert (page.evaluate(OUTPUT_ERRORS), errors) == ([], [])
            call(page, SELECT, "two")
            page.screenshot(path=ARTIFACTS / "as-of-this-cell.png")
            page.set_viewport_size({"width": 900, "height": 900})
            call(page, SELECT, "none")
            assert page.evaluate(WIDER) == []
            call(page, SAVE)
            call(page, SHUT_DOWN)
        with running_browser(driver, tmp_path / "tomorrow") as browser:
            page, errors = open_notebook(browser, url, "cells.ipynb")
            assert {cell: shown(page, cell) for cell in RUNNING} == RUNNING
            assert errors == []
