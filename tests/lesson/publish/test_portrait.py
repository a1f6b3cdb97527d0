"""README's picture shows lesson 00's first view, and the script that takes it still runs."""

import io
import shutil

import pytest
from PIL import Image, ImageStat

from radixlab.lesson.build import read
from radixlab.lesson.publish import portrait
from radixlab.lesson.publish.glossary import ROOT
from radixlab.lesson.tokens import decode
from radixlab.observe.state import fold_all
from radixlab.viz.text import summary

LIGHT, DARK = 180, 90
"""Grey levels: a light page is brighter on average, and a dark one is darker."""


def brightness(png):
    with Image.open(io.BytesIO(png)) as picture:
        return ImageStat.Stat(picture.convert("L")).mean[0]


def test_the_run_is_the_first_one_of_lesson_00():
    notebook = read((ROOT / "notebooks" / "00_start_here.ipynb").read_text(encoding="utf-8"))
    (cell,) = [cell for cell in notebook.cells if cell.id == "live-09"]
    shown = [out.data["text/plain"] for out in cell.outputs if "data" in out]
    assert shown == [summary(fold_all(*portrait.first_run()), decode)]


@pytest.mark.parametrize("theme", portrait.FILES)
def test_readme_shows_both_pictures_and_they_differ_in_light(theme):
    name = portrait.FILES[theme]
    assert f"notebooks/images/{name}" in (ROOT / "README.md").read_text(encoding="utf-8")
    grey = brightness((portrait.IMAGES / name).read_bytes())
    assert grey > LIGHT if theme == "light" else grey < DARK


@pytest.mark.soak
@pytest.mark.browser
def test_the_script_still_takes_them():
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not any(map(shutil.which, portrait.BROWSERS)):
        pytest.skip("no Chromium on the PATH")
    taken = portrait.portraits()
    assert brightness(taken["light"]) > LIGHT and brightness(taken["dark"]) < DARK
    sizes = {Image.open(io.BytesIO(png)).size for png in taken.values()}
    ((width, height),) = sizes
    assert width > 1.8 * portrait.WIDTH and height > width / 2
