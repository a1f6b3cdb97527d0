"""One run in a real JupyterLab: open a notebook, run all, watch the view paint, step back.

Two notebooks: one generated here, whose cell is slow enough to be watched; and lesson 00.
"""

import shutil
from dataclasses import dataclass

import nbformat.v4 as v4
import pytest

from radixlab.lesson.build import METADATA
from tests.browser.lab import (
    ARTIFACTS,
    CHROMIUM,
    OUTPUT_ERRORS,
    RUN_UNTIL,
    VIEW,
    call,
    first_with,
    open_notebook,
    running_browser,
)

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]

# It has the live view's outer form: a root, a position, a button back; and paints what it is sent.
STAND_IN = '''
import anywidget, time
class CountView(anywidget.AnyWidget):
    _esm = """
    function render({ model, el }) {
      let at = 0, end = 0;
      el.innerHTML = `<div class="rx-view"><button data-action="back">back</button>
                      <span class="rx-where"></span></div>`;
      const paint = () => { el.querySelector(".rx-where").textContent = `event ${at} of ${end}`; };
      el.querySelector("button").onclick = () => { at -= 1; paint(); };
      model.on("msg:custom", (m) => { at = end = m.position; requestAnimationFrame(paint); });
      paint();
    }
    export default { render };
    """
view = CountView()
view
'''
SLOW_LOOP = """
for position in range(60):
    view.send({"position": position + 1})
    time.sleep(0.05)
"""


@dataclass(frozen=True)
class Seen:
    """What a run of a whole notebook showed."""

    live: int
    """Most positions that were painted while one and the same cell was running."""
    errors: list[str]
    outputs: list[str]
    page: object


@pytest.fixture
def browser(tmp_path):
    with (
        playwright.sync_playwright() as driver,
        running_browser(driver, tmp_path / "profile") as found,
    ):
        yield found


# Samples what the view shows, under the number of cells still to finish: many positions under one
# number were painted while that one cell ran.
RUN_ALL = """async (view) => {
  const seen = new Map();
  const sample = () => {
    const waiting = [...document.querySelectorAll(".jp-InputPrompt")]
      .filter((prompt) => prompt.textContent.includes("*")).length;
    for (const root of document.querySelectorAll(view)) {
      if (!waiting) continue;
      if (!seen.has(waiting)) seen.set(waiting, new Set());
      seen.get(waiting).add(root.querySelector(".rx-where")?.textContent ?? "");
    }
  };
  const timer = setInterval(sample, 10);
  await window.jupyterapp.commands.execute("notebook:run-all-cells");
  clearInterval(timer);
  return Math.max(0, ...[...seen.values()].map((positions) => positions.size));
}"""


def run_all(browser, url, path):
    """Open a notebook, run every cell, and say what was seen."""
    page, errors = open_notebook(browser, url, path)
    live = call(page, RUN_ALL, VIEW)
    page.locator(VIEW).first.wait_for(state="attached")
    return Seen(live, errors, page.evaluate(OUTPUT_ERRORS), page)


def step_back(page):
    """Press the button of the last view and return what stood there before and after."""
    view = page.locator(VIEW).last
    view.scroll_into_view_if_needed()
    where = view.locator(".rx-where")
    before = where.inner_text()
    view.locator("[data-action=back]").click()
    playwright.expect(where).not_to_have_text(before)
    return before, where.inner_text()


@pytest.mark.soak
def test_a_view_paints_while_a_cell_runs_and_steps_back(lab, browser):
    url, root = lab
    cells = [v4.new_code_cell(STAND_IN.strip()), v4.new_code_cell(SLOW_LOOP.strip())]
    (root / "live.ipynb").write_text(v4.writes(v4.new_notebook(cells=cells, metadata=METADATA)))
    seen = run_all(browser, url, "live.ipynb")
    assert (seen.outputs, seen.errors) == ([], [])
    assert seen.live >= 3
    assert step_back(seen.page) == ("event 60 of 60", "event 59 of 60")


BEFORE = """(id) => {
  const ids = window.jupyterapp.shell.currentWidget.content.widgets
    .map((cell) => cell.model.sharedModel.id);
  return ids[ids.indexOf(id) - 1];
}"""
LAST = """() => window.jupyterapp.shell.currentWidget.content.widgets.at(-1).model.sharedModel.id"""
TOP = """(view) => {
  const panel = document.querySelector(".jp-WindowedPanel-outer").getBoundingClientRect();
  return Math.round((document.querySelector(view).getBoundingClientRect().top - panel.top) / 10);
}"""
START_NEXT = """() => {
  const app = window.jupyterapp;
  app.shell.currentWidget.content.activeCellIndex = window.nextCell++;
  window.running = app.commands.execute("notebook:run-cell").then(() => { window.done = true; });
}"""


def test_lesson_00_paints_in_sight_while_a_cell_runs_and_steps_back(lab, browser):
    url, root = lab
    shutil.copy(root / "notebooks" / "00_start_here.ipynb", root / "notebooks" / "watched.ipynb")
    page, errors = open_notebook(browser, url, "notebooks/watched.ipynb")
    live, _ = first_with(page, "view = CacheView(")
    before = page.evaluate(BEFORE, live)
    call(page, RUN_UNTIL, before)
    page.evaluate(START_NEXT)
    where = page.locator(VIEW).first.locator(".rx-where")
    where.wait_for()
    painted, tops = [], set()
    ARTIFACTS.mkdir(exist_ok=True)
    while not page.evaluate("window.done ?? false"):
        if where.inner_text() not in painted:
            painted.append(where.inner_text())
            tops.add(page.evaluate(TOP, VIEW))
            page.screenshot(path=ARTIFACTS / "notebook-00.png")
        page.wait_for_timeout(20)
    assert len(painted) >= 4, f"painted during the cell: {painted}"
    assert 0 in tops, f"the view's top, from the notebook's, while the cell ran: {tops}"
    before = where.inner_text()
    page.locator(VIEW).first.locator("[data-action=back]").click()
    playwright.expect(where).not_to_have_text(before)
    call(page, RUN_UNTIL, page.evaluate(LAST))
    assert (page.evaluate(OUTPUT_ERRORS), errors) == ([], [])
