"""A learner in a real JupyterLab: a guess, a restart, a terminal."""

import urllib.request

import pytest

from tests.browser.lab import (
    ACTIVE,
    CHROMIUM,
    OUTPUT_ERRORS,
    RESTART,
    RUN_UNTIL,
    SELECT,
    SHUT_DOWN,
    TOKEN,
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
LESSON = "work/00_start_here.ipynb"
FIELD = ".rx-guess-field"
STATE = f"""() => {{
  const {{ content }} = window.jupyterapp.shell.currentWidget;
  return [{ACTIVE}, content.mode, document.activeElement.closest(".jp-Cell") !== null];
}}"""
COUNTS = """() => Object.fromEntries(window.jupyterapp.shell.currentWidget.content.widgets
  .filter((cell) => cell.model.type === "code")
  .map((cell) => [cell.model.sharedModel.id, cell.model.executionCount]))"""
RUN_ALL = "() => window.jupyterapp.commands.execute('notebook:run-all-cells')"
OUTPUT = """(id) => window.jupyterapp.shell.currentWidget.content.widgets
  .find((cell) => cell.model.sharedModel.id === id).model.outputs.toJSON()
  .map((output) => output.text ?? output.data?.["text/plain"] ?? output.ename).join("")"""
RUN_TEXT = """async (source) => {
  const { content, sessionContext } = window.jupyterapp.shell.currentWidget;
  const lines = [];
  const future = sessionContext.session.kernel.requestExecute({ code: source });
  future.onIOPub = ({ content }) => lines.push(content.text ?? content.evalue ?? "");
  await future.done;
  return lines.join("");
}"""
IN_TERMINAL = """async (command) => {
  const { serviceManager } = window.jupyterapp;
  const terminal = await serviceManager.terminals.startNew();
  let text = "";
  const seen = new Promise((found) => terminal.messageReceived.connect((_, message) => {
    if (message.type === "stdout") text += message.content.join("");
    if (/\\nend \\d/.test(text)) found(text);
  }));
  terminal.send({ type: "stdin", content: [`${command}; echo; echo end $?\\r`] });
  return seen;
}"""


@pytest.fixture
def driver():
    with playwright.sync_playwright() as driver:
        yield driver


@pytest.fixture
def page(driver, lab, tmp_path):
    url, _ = lab
    with running_browser(driver, tmp_path / "profile") as browser:
        page, errors = open_notebook(browser, url, LESSON)
        yield page
        call(page, SHUT_DOWN)
        assert errors == []


def wait_until(page, script, argument):
    page.wait_for_function(f"([argument]) => ({script})(argument)", arg=[argument])


@pytest.mark.soak
def test_after_a_guess_the_keyboard_is_the_notebooks_again(page):
    asked, following = first_with(page, "predict(")
    call(page, RUN_UNTIL, asked)
    field = page.locator(FIELD).first

    field.click()
    page.keyboard.type("30")
    page.keyboard.press("Enter")
    playwright.expect(page.locator(".rx-guess-status").first).to_contain_text("30 blocks")
    assert page.evaluate(STATE) == [following, "command", True]
    page.keyboard.press("Shift+Enter")  # runs the next cell, and goes on to the one after it
    wait_until(page, f"(id) => {ACTIVE} !== id", following)
    assert page.evaluate(STATE)[1] == "command"

    field.click()
    page.keyboard.type("1")
    page.keyboard.press("Escape")
    assert page.evaluate(STATE) == [following, "command", True]
    page.keyboard.press("ArrowUp")  # a key of command mode
    wait_until(page, f"(id) => {ACTIVE} === id", asked)

    before = page.evaluate(COUNTS)
    field.click()
    page.keyboard.press("Shift+Enter")  # from inside the box
    wait_until(page, f"(id) => {ACTIVE} !== id", following)
    assert page.evaluate(COUNTS)[asked] == before[asked]  # the question does not run again
    assert page.evaluate(OUTPUT_ERRORS) == []


def test_after_a_restart_cells_say_where_to_begin_and_the_magic_is_known(page):
    live, _ = first_with(page, "CacheView(")
    step, _ = first_with(page, "cache.release(")
    call(page, RUN_ALL)
    call(page, RESTART)
    call(page, SELECT, step)
    page.keyboard.press("Shift+Enter")
    wait_until(page, f"(id) => ({OUTPUT})(id).startsWith('This cell continues a section.')", step)
    assert f"(cell {live}) on." in page.evaluate(OUTPUT, step)
    assert "there is no exercise" in call(page, RUN_TEXT, "%%exercise 8.5.9\nx = 1")
    assert "radixlab, version" in call(page, RUN_TEXT, "!radixlab --version")


@pytest.mark.soak
def test_a_guess_that_no_kernel_takes_is_not_called_kept(page):
    asked, _ = first_with(page, "predict(")
    call(page, RUN_UNTIL, asked)
    field, status = page.locator(FIELD).first, page.locator(".rx-guess-status").first
    field.fill("31")
    page.keyboard.press("Enter")
    playwright.expect(status).to_contain_text("31 blocks")
    call(page, RESTART)
    field.fill("32")
    page.keyboard.press("Enter")
    playwright.expect(status).to_contain_text("The kernel has not answered")


@pytest.mark.soak
def test_a_terminal_knows_the_command(page):
    said = call(page, IN_TERMINAL, "radixlab --version")
    assert "radixlab, version" in said, said


def test_the_course_itself_is_served_beside_the_copies(lab):
    url, _ = lab
    listed = urllib.request.urlopen(f"{url}/api/contents/notebooks?token={TOKEN}").read()
    assert b"00_start_here.ipynb" in listed
