"""Pages of headless Chromium with a view on them; blank_page.py says what can be shown there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from radixlab.viz.bundle import css, esm
from tests.browser.lab import CHROMIUM, FLAGS, running_lab

LONG_MS = 120_000
"""A limit for what must come in the end; a busy machine may take long."""


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """One JupyterLab for all tests of a worker, as `(address, folder of the course)`.

    No setting, kernel or notebook of this machine takes part. A test that changes a notebook
    brings its own.
    """
    with running_lab(tmp_path_factory.mktemp("lab")) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser a file: the tests in a real JupyterLab, between files, start their own."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    playwright.expect.set_options(timeout=LONG_MS)
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_blank(browser: Any) -> Iterator[Any]:
    """Open a blank page and run a script in it; at the end it must have raised no error."""
    contexts, errors = [], []

    def open_blank(script: str, argument: Any, width: int = 932, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        context.set_default_timeout(LONG_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.set_content("<body style='margin: 16px'></body>")
        page.evaluate(script, argument)
        return page

    yield open_blank
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def open_page(open_blank: Any) -> Any:
    """Open a page with the view of a recording."""
    from tests.browser.blank_page import MOUNT

    return lambda record, width=932, **options: open_blank(
        MOUNT, [esm(), css(), record], width, **options
    )


@pytest.fixture
def page(open_page: Any) -> Any:
    """A page with the view of blank_page's story, at its end."""
    from tests.browser.blank_page import EVENTS, expect_position, recording

    page = open_page(recording(EVENTS))
    expect_position(page)
    return page
