"""A saved notebook is opened again: each view is a picture or a plain text, and never an error.

Whatever happens while JupyterLab loads the widgets. Nothing here waits for a time.
"""

import json

import nbformat
import nbformat.sign
import nbformat.v4 as v4
import pytest

from radixlab.cli import saved_views
from radixlab.lesson.build import METADATA
from tests.browser.conftest import LONG_MS
from tests.browser.lab import (
    CHROMIUM,
    OPEN,
    RESTART,
    SAVE,
    SHUT_DOWN,
    TOKEN,
    call,
    open_notebook,
)

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]

VIEW = """
from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.viz import CacheView
cache = KVCacheManager(CacheConfig(num_blocks=16, block_size=4))
view = CacheView(cache)
cache.allocate(range(9))
view"""
GUESS = """
from radixlab.lesson import predict
predict("00/blocks", "How many blocks?", unit="blocks")"""
LONG = """
import time
from pathlib import Path
while not Path("go-on").exists():
    time.sleep(0.05)"""

RUN_ALL = "() => window.jupyterapp.commands.execute('notebook:run-all-cells')"
SAVE_TWICE = f"() => Promise.all([({SAVE})(), ({SAVE})()])"
RUN_LAST = """() => {
  const { content } = window.jupyterapp.shell.currentWidget;
  content.activeCellIndex = content.widgets.length - 1;
  window.jupyterapp.commands.execute("notebook:run-cell");
}"""
BUSY = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'busy'"
LOADED = f"""() => {{
  const {{ rendermime }} = window.jupyterapp.shell.currentWidget.content;
  const renderer = rendermime.createRenderer("{saved_views.VIEW}");
  renderer._manager.promise.then((manager) => (window.manager = manager));
  return window.manager?.restoredStatus;
}}"""
GIVEN_UP = """() => window.jupyterapp.shell.currentWidget.content.widgets
  .flatMap((cell) => [...cell.outputArea.widgets].flatMap((output) => [...output.children()]))
  .filter((renderer) => renderer._rerenderMimeModel).length === 2"""
HOLD_LOOKS = """
const timeout = window.setTimeout;
window.setTimeout = (look, ms, ...more) => {
  const wait = () => (window.mayLook ? look(...more) : timeout(wait, 20));
  return ms === 100 ? timeout(wait, 20) : timeout(look, ms, ...more);
};"""
LOOK_TOO_LATE = """() => {
  const now = Date.now;
  Date.now = () => now() + 2000;
  window.mayLook = true;
}"""


def write(lab, name, notebook):
    """Write a notebook that JupyterLab trusts; of others it shows the texts alone."""
    course = lab[1]
    text = json.dumps(notebook)
    (course / name).write_text(text, encoding="utf-8")
    notary = nbformat.sign.NotebookNotary(data_dir=str(course.parent / "data"))
    notary.sign(nbformat.reads(text, 4))
    notary.store.close()
    return course / name


def bundles(notebook):
    """What the outputs of a notebook show, in each of their formats."""
    outputs = [out for cell in notebook["cells"] for out in cell["outputs"]]
    return [out["data"] for out in outputs if "data" in out]


def texts(notebook):
    return ["".join(data["text/plain"]) for data in bundles(notebook)]


def has_all_states(notebook):
    states = notebook["metadata"].get("widgets", {}).get(saved_views.STATE, {}).get("state", {})
    shown = [data[saved_views.VIEW]["model_id"] for data in bundles(notebook)]
    return len(shown) == 2 and set(shown) <= states.keys()


@pytest.fixture
def context(browser):
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(LONG_MS)
    yield context
    context.close()


@pytest.fixture(scope="module")
def saved(browser, lab):
    """A notebook with a view and a guess, saved on the day before; its kernel is gone."""
    url, course = lab
    cells = [v4.new_code_cell(source.strip()) for source in (VIEW, GUESS, LONG)]
    file = write(lab, "day.ipynb", v4.new_notebook(cells=cells, metadata=METADATA))
    (course / "go-on").touch()
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page, errors = open_notebook(context, url, file.name)
    for _ in range(2):
        call(page, RUN_ALL)
    page.locator(".rx-guess-field").fill("30")
    page.keyboard.press("Enter")
    playwright.expect(page.locator(".rx-guess-status")).to_contain_text("30 blocks")
    call(page, SAVE_TWICE)
    while not has_all_states(notebook := json.loads(file.read_text("utf-8"))):
        call(page, SAVE)  # JupyterLab saves the widgets that it has opened by then
    call(page, SHUT_DOWN)
    context.close()
    assert errors == []
    (course / "go-on").unlink()
    return notebook


@pytest.fixture
def copy(lab, saved, request):
    """A copy of that notebook for one test, as `(file, its content)`."""
    return write(lab, f"{request.node.originalname}.ipynb", saved), json.loads(json.dumps(saved))


def begin_to_open(context, url, file):
    """Open a notebook that has no kernel that answers yet."""
    page = context.new_page()
    page.goto(f"{url}/lab/tree/{file.name}?token={TOKEN}&reset", wait_until="domcontentloaded")
    page.wait_for_function(OPEN, arg=file.name)
    return page


def expect_texts(page, expected):
    shown = page.locator(".jp-OutputArea-output.jp-RenderedText > pre")
    playwright.expect(shown).to_have_text(expected)
    playwright.expect(page.locator(".rx-view, .rx-guess-field")).to_have_count(0)


def expect_views(page, is_live=False):
    """Both are shown, and say so where there is no kernel to speak with."""
    playwright.expect(page.locator(".rx-guess-field")).to_have_value("30")
    view = page.locator(".rx-view")
    playwright.expect(view.locator(".rx-where")).to_be_visible()
    for note in (view.locator(".rx-dead"), page.locator(".rx-guess-dead")):
        playwright.expect(note).to_be_visible(visible=not is_live)


def test_views_are_there_and_can_be_stepped_without_their_kernel(context, lab, copy):
    page, errors = open_notebook(context, lab[0], copy[0].name)
    expect_views(page)
    where = page.locator(".rx-where")
    before = where.inner_text()
    page.locator("[data-action=back]").click()
    playwright.expect(where).not_to_have_text(before)
    assert errors == []
    call(page, SHUT_DOWN)


def test_a_busy_page_that_looks_for_its_widgets_too_late_finds_them(context, lab, copy):
    """JupyterLab looks ten times a second, for two seconds: here again only after these."""
    context.add_init_script(HOLD_LOOKS)
    page, errors = open_notebook(context, lab[0], copy[0].name)
    page.wait_for_function(LOADED)
    page.evaluate(LOOK_TOO_LATE)
    expect_views(page)
    assert errors == []
    call(page, SHUT_DOWN)


def test_a_restart_that_breaks_the_loading_off_loses_no_view(context, lab, copy):
    held, restarted = [], []

    def hold_first_answers(socket):
        def pass_on(message):
            is_early = b"comm_info_reply" in message and not restarted
            (held.append if is_early else socket.send)(message)

        socket.connect_to_server().on_message(pass_on)

    context.route_web_socket("**/channels*", hold_first_answers)
    page, errors = open_notebook(context, lab[0], copy[0].name)
    while not held:
        page.wait_for_timeout(20)
    restarted.append(True)
    call(page, RESTART)
    expect_views(page)
    assert errors == []
    call(page, SHUT_DOWN)


def test_a_tab_reloaded_while_a_cell_runs_shows_texts_and_then_live_views(context, lab, copy):
    url, course = lab
    file, _ = copy
    page, _ = open_notebook(context, url, file.name)
    (course / "go-on").touch()
    call(page, RUN_ALL)
    expect_views(page, is_live=True)
    call(page, SAVE)
    (course / "go-on").unlink()
    page.evaluate(RUN_LAST)
    page.wait_for_function(BUSY)
    page.close()
    page = begin_to_open(context, url, file)
    expect_texts(page, texts(json.loads(file.read_text("utf-8"))))
    (course / "go-on").touch()
    expect_views(page, is_live=True)
    (course / "go-on").unlink()
    call(page, SHUT_DOWN)


def test_views_without_a_kernel_or_a_state_are_texts(context, lab, copy):
    url, _ = lab
    file, notebook = copy
    notebook["metadata"]["kernelspec"]["name"] = "of-another-machine"
    write(lab, file.name, notebook)
    page = begin_to_open(context, url, file)
    expect_texts(page, texts(notebook))  # while JupyterLab asks which kernel to take
    page.close()

    notebook["metadata"] = METADATA
    expected = [texts(notebook)[0], "The view of this cell was not saved. Run the cell to see it."]
    del bundles(notebook)[1]["text/plain"]
    write(lab, file.name, notebook)
    page, errors = open_notebook(context, url, file.name)
    page.wait_for_function(GIVEN_UP)
    expect_texts(page, expected)
    assert errors == []
    call(page, SHUT_DOWN)
