"""A view that is closed leaves nothing behind: the heap stays flat over fifty remounts."""

from typing import Any

import pytest

from radixlab.viz.bundle import css, esm
from radixlab.viz.event_log import EventLog
from tests.browser.blank_page import MOUNT, NEEDS_CHROMIUM
from tests.browser.test_page import a_long_run

pytestmark = NEEDS_CHROMIUM

KEEP_MODULE = MOUNT.replace(
    "window.cleanup = (await import(url)).default.render({ model, el });",
    "window.view = (await import(url)).default; window.cleanup = view.render({ model, el });",
)
REMOUNT = """async () => {
  cleanup();
  document.querySelector(".rx-view").parentElement.remove();
  const el = document.createElement("div");
  document.body.append(el);
  window.cleanup = view.render({ model, el });
  document.querySelector(".rx-scrub").value = "100";
  document.querySelector(".rx-scrub").dispatchEvent(new Event("input", { bubbles: true }));
  for (let k = 0; k < 3; k += 1) await new Promise((painted) => requestAnimationFrame(painted));
}"""


def used_bytes(devtools: Any) -> int:
    """Return the size of what is reachable; collected twice, for finalizers free more."""
    for _ in range(2):
        devtools.send("HeapProfiler.collectGarbage")
    return int(devtools.send("Runtime.getHeapUsage")["usedSize"])


@pytest.mark.soak
def test_fifty_remounts_leave_the_heap_as_it_was(open_blank: Any) -> None:
    start, events = a_long_run(2_000)
    log = EventLog(start, chr)
    log.events += events
    record = {**log.to_json(), "title": "", "sources": {}}
    page = open_blank(KEEP_MODULE, [esm(), css(), record])
    devtools = page.context.new_cdp_session(page)
    sizes = []
    for _ in range(5):
        for _ in range(10):
            page.evaluate(REMOUNT)
        sizes.append(used_bytes(devtools))
    assert page.locator(".rx-view").count() == 1
    # The first size may lack what a busy page has not computed yet. Later ones vary by a fifth;
    # thirty views that stay would double them.
    assert sizes[-1] < 1.6 * max(sizes[:2]), sizes
