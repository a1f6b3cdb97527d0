"""README's picture: lesson 00's first view as it looks today, in light and in dark.

`python -m radixlab.lesson.publish.portrait` runs three requests through the cache, opens the page
that plays the run in a headless Chromium, and takes two pictures of its end. `make pictures` does
the same. It needs playwright (extra `dev`) and Chromium.
"""

import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

import radixlab
from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.events import Event
from radixlab.lesson.tokens import decode, encode
from radixlab.observe import attach, snapshot
from radixlab.observe.state import State
from radixlab.viz.page import page, whole_recording

IMAGES = Path(radixlab.__file__).resolve().parent.parent / "notebooks" / "images"
FILES = {"light": "live-view.png", "dark": "live-view-dark.png"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run")
WIDTH, HEIGHT = 1002, 1000
LIMIT_MS = 120_000
TITLE = "Three requests, one instruction"
INSTRUCTION = "Answer in one word. Name the capital of "
QUESTIONS = ("Norway:)", "Greece:)", "Canada:)")


def first_run() -> tuple[State, list[Event]]:
    """Run lesson 00's three requests; return the state before them, and what happened."""
    cache = KVCacheManager(CacheConfig(num_blocks=64, block_size=4))
    start, events = snapshot(cache), list[Event]()
    attach(cache, events.append)
    for question in QUESTIONS:
        prompt = encode(INSTRUCTION + question)
        cache.commit(cache.allocate(prompt), num_written=len(prompt))
    return start, events


def portraits() -> dict[str, bytes]:
    """Return a PNG for each theme: the view after its last event."""
    from playwright.sync_api import sync_playwright

    run = whole_recording(*first_run(), decode, TITLE)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "run.html"
        file.write_text(page(run), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=_browser(), args=list(FLAGS))
        taken = {theme: _portrait(browser, file, theme, len(run["events"])) for theme in FILES}
        browser.close()
    return taken


def _portrait(browser: Any, file: Path, theme: str, num_events: int) -> bytes:
    context = browser.new_context(
        color_scheme=theme,
        viewport={"width": WIDTH, "height": HEIGHT},
        device_scale_factor=2,
        reduced_motion="reduce",
    )
    context.set_default_timeout(LIMIT_MS)
    tab = context.new_page()
    tab.goto(file.as_uri())
    tab.locator(".rx-view").wait_for()
    tab.get_by_text(f"event {num_events} of {num_events}").wait_for()
    png: bytes = tab.locator(".rx-view").screenshot(animations="disabled")
    context.close()
    return _smaller(png)


def _smaller(png: bytes) -> bytes:
    """Keep 256 colours: the view has few, and the file becomes a third as large."""
    from PIL import Image

    out = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        flat = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        flat.save(out, "PNG", optimize=True)
    return out.getvalue()


def _browser() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise click.ClickException("no Chromium on the PATH: the picture is taken by one")
    return found


@click.command()
@click.option(
    "--to", type=click.Path(file_okay=False, path_type=Path), default=IMAGES, help="A folder."
)
def main(to: Path) -> None:
    """Take README's pictures of the live view."""
    to.mkdir(parents=True, exist_ok=True)
    for theme, png in portraits().items():
        (to / FILES[theme]).write_bytes(png)
        click.echo(f"{FILES[theme]}: {len(png) / 1e3:.0f} KB", file=sys.stderr)


if __name__ == "__main__":
    main()
