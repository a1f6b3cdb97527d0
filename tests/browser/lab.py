"""A JupyterLab of a test's own, as `radixlab lab` starts it on a copy of the course."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / "tests" / "artifacts"
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
VIEW = ".rx-view"
KNOWN_NOISE = ("Could not restore the debugger state", "Canceled future for")
"""JupyterLab has asked a kernel something that is restarted or shut down, and complains."""
TOKEN = "smoke"
MINUTE = 60_000  # milliseconds: a limit, nothing is measured

OPEN = "(path) => window.jupyterapp?.shell?.currentWidget?.context?.path === path"
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
OUTPUT_ERRORS = """() => window.jupyterapp.shell.currentWidget.content.widgets
  .flatMap((cell) => cell.model.type === "code" ? cell.model.outputs.toJSON() : [])
  .filter((output) => output.output_type === "error" || output.name === "stderr")
  .map((output) => JSON.stringify(output).slice(0, 2000))"""
ACTIVE = "window.jupyterapp.shell.currentWidget.content.activeCell.model.sharedModel.id"


@contextlib.contextmanager
def running_lab(home):
    """Yield the address of a new JupyterLab, and the folder of the course in which it runs."""
    course = home / "course"
    for folder in ("notebooks", "exercises"):
        shutil.copytree(ROOT / folder, course / folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    hidden = ("RADIXLAB_STATIC", "JUPYTER_PATH", "JUPYTER_CONFIG_PATH")
    environment = {k: v for k, v in os.environ.items() if k not in hidden} | {
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        "RADIXLAB_HOME": str(home / "learner"),
        "PYTHONPATH": str(ROOT),
        "PATH": os.pathsep.join(["/usr/local/bin", "/usr/bin", "/bin"]),  # no activated .venv
        "SHELL": "/bin/sh",
    }
    command = [
        *(sys.executable, "-m", "radixlab", "lab", "--no-browser", "--ip", "127.0.0.1"),
        *("--port", str(port), "--token", TOKEN, "--ServerApp.port_retries=0"),
        *("--ServerApp.disable_check_xsrf=True", "--LabApp.expose_app_in_browser=True"),
        "--LabApp.extension_manager=readonly",
    ]
    log = home / "lab.log"
    with log.open("w") as out:
        server = subprocess.Popen(command, cwd=course, env=environment, stdout=out, stderr=out)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for_server(url, server, log)
        yield url, course
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def wait_for_server(url, server, log):
    for _ in range(1200):
        if server.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/api?token={TOKEN}"):
            return
        time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


@contextlib.contextmanager
def running_browser(driver, profile):
    from playwright.sync_api import expect

    expect.set_options(timeout=2 * MINUTE)
    context = driver.chromium.launch_persistent_context(
        str(profile),
        executable_path=CHROMIUM,
        args=FLAGS,
        viewport={"width": 1400, "height": 900},
    )
    context.set_default_timeout(2 * MINUTE)
    try:
        yield context
    finally:
        context.close()


def open_notebook(browser, url, path):
    """Open a notebook with its kernel; return the page and the list its errors will be put in.

    Nothing else is open: the server would bring back what an earlier page had.
    """
    page = browser.new_page()
    errors = []

    def note(message):
        text = f"{message.text} {message.location}"
        if message.type == "error" and not any(noise in text for noise in KNOWN_NOISE):
            errors.append(text)

    page.on("console", note)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{url}/lab/tree/{path}?token={TOKEN}&reset", wait_until="domcontentloaded")
    page.wait_for_function(OPEN, arg=path)  # not one that an earlier page had open
    call(page, READY)
    return page, errors


def call(page, script, argument=None):
    """Run a script in the page, within a limit."""
    return page.evaluate(LIMITED, [script, argument, 3 * MINUTE])


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
SELECT = """async (id) => {
  const { content } = window.jupyterapp.shell.currentWidget;
  const ids = content.widgets.map((cell) => cell.model.sharedModel.id);
  content.activeCellIndex = ids.indexOf(id);
  await content.scrollToItem(ids.indexOf(id), "center");
  content.activeCell.node.focus();
}"""
SOURCES = """() => window.jupyterapp.shell.currentWidget.content.widgets.map(
  (cell) => [cell.model.sharedModel.id, cell.model.type, cell.model.sharedModel.source])"""
SAVE = """() => window.jupyterapp.shell.currentWidget.context.save()"""
RESTART = """() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"""
SHUT_DOWN = """() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()"""


def first_with(page, text):
    """Return the id of the first code cell that holds a text, and of the cell after it."""
    cells = page.evaluate(SOURCES)
    at = next(i for i, (_, kind, source) in enumerate(cells) if kind == "code" and text in source)
    return cells[at][0], cells[at + 1][0]
