"""Prints a page as PDF with a Chromium of this machine, where there is one."""

import shutil
import subprocess
import tempfile
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--no-pdf-header-footer"),
)
_LIMIT_S = 120


class NotPrintedError(Exception):
    """There is no PDF; the message says why."""


def browser() -> str | None:
    """Return the path of a Chromium, if this machine has one."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def print_page(page: Path) -> bytes:
    """Return a page from the disk as PDF; raise `NotPrintedError` if it cannot be printed."""
    program = browser()
    if program is None:
        raise NotPrintedError("no Chromium on the PATH")
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "page.pdf"
        own = (f"--user-data-dir={scratch}/profile", f"--print-to-pdf={out}")
        command = [program, *_FLAGS, *own, page.resolve().as_uri()]
        try:
            ran = subprocess.run(command, capture_output=True, timeout=_LIMIT_S, check=False)
        except subprocess.TimeoutExpired:
            raise NotPrintedError(f"{program} printed nothing within {_LIMIT_S} s") from None
        if not out.is_file():
            raise NotPrintedError(f"{program} ended with code {ran.returncode} and printed nothing")
        return out.read_bytes()
