"""One run in a real JupyterLab: open a notebook, run all, watch the view paint, step back.

Two notebooks: one generated here, whose cell is slow enough to be watched; and lesson 00.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import nbformat.v4 as v4
import pytest

from radixlab.lesson.build import METADATA

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / "tests" / "artifacts"
LESSON = ROOT / "notebooks" / "00_start_here.ipynb"
CHROMIUM = next(
    filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome", "chrome"])),
    None,
)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VIEW = ".rx-view, .radixlab-view"
KNOWN_NOISE: tuple[str, ...] = ()
TOKEN = "smoke"
MINUTE = 60_000  # milliseconds: a limit, nothing is measured

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
def lab(tmp_path_factory):
    """JupyterLab of its own: no setting, kernel or notebook of this machine takes part."""
    home = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", home / "root" / "notebooks")
    settings = home / "config" / "labconfig" / "page_config.json"
    settings.parent.mkdir(parents=True)
    news = {"@jupyterlab/apputils-extension:announcements": True}
    settings.write_text(json.dumps({"disabledExtensions": news}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if k != "RADIXLAB_STATIC"} | {
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        "RADIXLAB_HOME": str(home / "learner"),
        "PYTHONPATH": str(ROOT),
    }
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"),
        *("--ServerApp.port_retries=0", f"--ServerApp.root_dir={home / 'root'}"),
        *(f"--IdentityProvider.token={TOKEN}", "--ServerApp.disable_check_xsrf=True"),
        *("--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly"),
    ]
    log = home / "lab.log"
    with log.open("w") as out:
        server = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for_server(url, server, log)
        yield url, home / "root"
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def wait_for_server(url, server, log):
    for _ in range(600):
        if server.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/api?token={TOKEN}"):
            return
        time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture
def browser(tmp_path):
    with playwright.sync_playwright() as driver:
        context = driver.chromium.launch_persistent_context(
            str(tmp_path / "profile"),
            executable_path=CHROMIUM,
            args=FLAGS,
            viewport={"width": 1400, "height": 1000},
        )
        context.set_default_timeout(2 * MINUTE)
        yield context
        context.close()


OPEN = "window.jupyterapp?.shell?.currentWidget?.context && true"
READY = """async () => {
  const panel = window.jupyterapp.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
}"""
# evaluate() has no time limit of its own: each script races this one.
LIMITED = """([script, argument, limit]) => Promise.race([
  eval(script)(argument),
  new Promise((_, fail) => setTimeout(() => fail(new Error(`nothing within ${limit} ms`)), limit)),
])"""

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

OUTPUT_ERRORS = """() => window.jupyterapp.shell.currentWidget.content.widgets
  .flatMap((cell) => cell.model.type === "code" ? cell.model.outputs.toJSON() : [])
  .filter((output) => output.output_type === "error" || output.name === "stderr")
  .map((output) => JSON.stringify(output).slice(0, 2000))"""


def open_notebook(browser, url, path):
    """Open a notebook with its kernel; return the page and the list its errors will be put in."""
    page = browser.new_page()
    errors = []

    def note(message):
        text = f"{message.text} {message.location}"
        if message.type == "error" and not any(noise in text for noise in KNOWN_NOISE):
            errors.append(text)

    page.on("console", note)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{url}/lab/tree/{path}?token={TOKEN}", wait_until="domcontentloaded")
    page.wait_for_function(OPEN)
    page.evaluate(LIMITED, [READY, None, 2 * MINUTE])
    return page, errors


def run_all(browser, url, path):
    """Open a notebook, run every cell, and say what was seen."""
    page, errors = open_notebook(browser, url, path)
    live = page.evaluate(LIMITED, [RUN_ALL, VIEW, 2 * MINUTE])
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


def test_a_view_paints_while_a_cell_runs_and_steps_back(lab, browser):
    url, root = lab
    cells = [v4.new_code_cell(STAND_IN.strip()), v4.new_code_cell(SLOW_LOOP.strip())]
    (root / "live.ipynb").write_text(v4.writes(v4.new_notebook(cells=cells, metadata=METADATA)))
    seen = run_all(browser, url, "live.ipynb")
    assert (seen.outputs, seen.errors) == ([], [])
    assert seen.live >= 3
    assert step_back(seen.page) == ("event 60 of 60", "event 59 of 60")


# A learner's way through a notebook: cells in order, the one of interest in sight. Cells that are
# far from what is in sight are not in the page at all.
RUN_UNTIL = """async (last) => {
  const { content } = window.jupyterapp.shell.currentWidget;
  const ids = content.widgets.map((cell) => cell.model.sharedModel.id);
  for (let i = window.nextCell ?? 0; i <= ids.indexOf(last); i++) {
    content.activeCellIndex = i;
    await window.jupyterapp.commands.execute("notebook:run-cell");
    window.nextCell = i + 1;
  }
  await content.scrollToItem(ids.indexOf(last), "start");
}"""
START_NEXT = """() => {
  const app = window.jupyterapp;
  app.shell.currentWidget.content.activeCellIndex = window.nextCell++;
  window.running = app.commands.execute("notebook:run-cell").then(() => { window.done = true; });
}"""


@pytest.mark.skipif(not LESSON.exists(), reason="lesson 00 is not written yet")
def test_lesson_00_paints_while_a_cell_runs_and_steps_back(lab, browser):
    url, _ = lab
    page, errors = open_notebook(browser, url, f"notebooks/{LESSON.name}")
    page.evaluate(LIMITED, [RUN_UNTIL, "live-09", 2 * MINUTE])
    where = page.locator(VIEW).first.locator(".rx-where")
    where.wait_for()
    page.evaluate(START_NEXT)
    painted = []
    ARTIFACTS.mkdir(exist_ok=True)
    while not page.evaluate("window.done ?? false"):
        if where.inner_text() not in painted:
            painted.append(where.inner_text())
            page.screenshot(path=ARTIFACTS / "notebook-00.png")
        page.wait_for_timeout(20)
    assert len(painted) >= 4, f"painted during the cell: {painted}"
    before = where.inner_text()
    page.locator(VIEW).first.locator("[data-action=back]").click()
    playwright.expect(where).not_to_have_text(before)
    page.evaluate(LIMITED, [RUN_UNTIL, "polite-18", 2 * MINUTE])
    assert (page.evaluate(OUTPUT_ERRORS), errors) == ([], [])
