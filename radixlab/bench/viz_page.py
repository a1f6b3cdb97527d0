"""The browser's half of `radixlab bench viz`: the live view on a blank page of headless Chromium.

The page's models stand in for ipywidgets' own. A frame counts from the call that asks for it until
the picture is painted and laid out, the wait for the browser's next frame included.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from radixlab.viz.bundle import css, esm, pair_esm

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
MOUNT = """async ([esm, css, keyframe, recording]) => {
  const style = document.createElement("style");
  style.textContent = css;
  document.head.append(style);
  const modelOf = (state, more = {}) => {
    const listeners = {};
    return {
      get: (name) => state[name],
      set(name, value) { state[name] = value; this.fire(`change:${name}`); },
      on(name, listener) { (listeners[name] ??= []).push(listener); },
      off(name, heard) { listeners[name] = (listeners[name] ?? []).filter((l) => l !== heard); },
      fire(name, value) { for (const listener of listeners[name] ?? []) listener(value); },
      send() {}, save_changes() {}, ...more,
    };
  };
  window.feed = modelOf({ keyframe, recording });
  const manager = { get_model: async () => feed };
  const model = modelOf({ feed: "IPY_MODEL_x", title: "bench" }, { widget_manager: manager });
  const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
  const view = await import(url);
  const el = document.createElement("div");
  document.body.append(el);
  window.frame = () => new Promise((done) => requestAnimationFrame(() => {
    document.body.offsetHeight; // lays out what was painted
    done(performance.now());
  }));
  window.delays = [];
  window.receive = async (text, sent) => {
    feed.fire("msg:custom", text);
    const painted = await frame();
    delays.push(performance.timeOrigin + painted - sent);
  };
  const start = performance.now();
  await view.default.render({ model, el });
  return (await frame()) - start;
}"""
MOUNT_PAIR = """async ([esm, css, pair]) => {
  const style = document.createElement("style");
  style.textContent = css;
  document.head.append(style);
  const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
  const view = await import(url);
  const el = document.createElement("div");
  document.body.append(el);
  window.frame = () => new Promise((done) => requestAnimationFrame(() => {
    document.body.offsetHeight; // lays out what was painted
    done(performance.now());
  }));
  const start = performance.now();
  view.default.render({ model: { get: () => pair }, el });
  return (await frame()) - start;
}"""
SCRUB = """async (count) => {
  const scrub = document.querySelector(".rx-scrub");
  const [min, max] = [Number(scrub.min), Number(scrub.max)];
  const times = [];
  let x = 12345;
  for (let k = 0; k < count; k++) {
    x = (x * 1103515245 + 12345) % 2147483648;
    const start = performance.now();
    scrub.value = String(min + Math.floor((x / 2147483648) * (max - min)));
    scrub.dispatchEvent(new Event("input", { bubbles: true }));
    times.push((await frame()) - start);
  }
  if (max - min < 1 || Number(scrub.value) === max) throw new Error("the scrubber does not move");
  return [times, max - min];
}"""


def chromium() -> str | None:
    """Return the path of Chromium, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def blank_pages() -> Iterator[Any]:
    """Give a function that opens blank pages; raise `ImportError` without playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=FLAGS)
        try:
            yield lambda: _blank_page(browser)
        finally:
            browser.close()


def _blank_page(browser: Any) -> Any:
    page = browser.new_page(viewport={"width": 932, "height": 900})
    page.on("pageerror", _stop)
    return page


def _stop(error: Any) -> None:
    """Stop: a view that fails paints nothing, which would look fast."""
    raise RuntimeError(f"the view failed: {error}")


def mount(page: Any, keyframe: str, recording: str) -> float:
    """Show a view; return the milliseconds until its first paint."""
    page.set_content("<body style='margin: 16px'></body>")
    return float(page.evaluate(MOUNT, [esm(), css(), keyframe, recording]))


def mount_pair(page: Any, pair: str) -> float:
    """Show two runs, the JSON of `PairView.pair`; return the milliseconds until the first paint."""
    page.set_content("<body style='margin: 16px'></body>")
    return float(page.evaluate(MOUNT_PAIR, [pair_esm(), css(), pair]))


def scrub(page: Any, count: int) -> tuple[list[float], int]:
    """Seek `count` random positions; return the milliseconds of each, and the log's length."""
    times, length = page.evaluate(SCRUB, count)
    return times, length


class Bridge:
    """Hands a kernel's messages to a page, instead of JupyterLab's server."""

    def __init__(self, page: Any) -> None:
        self._page = page
        self._opened: dict[str, dict[str, Any]] = {}
        self._feed = ""
        self.num_messages = 0
        self.seconds = 0.0
        self._first = 0.0

    def hear(self, message: dict[str, Any]) -> None:
        """Keep the state of a new model; give a message of the feed to the page."""
        content = message["content"]
        if message["msg_type"] == "comm_open":
            self._opened[content["comm_id"]] = content["data"]["state"]
        elif content["comm_id"] == self._feed:
            self._give(content["data"], message["header"]["date"].timestamp() * 1000)

    def mount(self, feed: str) -> float:
        """Show the view of a feed that has been opened."""
        self._feed = feed
        state = self._opened[feed]
        return mount(self._page, state["keyframe"], state["recording"])

    def delays(self) -> list[float]:
        """Return the milliseconds from the sending of each message to its paint."""
        found: list[float] = self._page.evaluate("delays")
        return found

    def _give(self, data: dict[str, Any], sent: float) -> None:
        if data["method"] == "custom":
            self._first = self._first or time.monotonic()
            self._page.evaluate(
                "([text, sent]) => void receive(text, sent)", [data["content"], sent]
            )
            self.num_messages += 1
            self.seconds = time.monotonic() - self._first
        elif data["method"] == "update" and "recording" in data["state"]:
            self._page.evaluate("(text) => feed.set('recording', text)", data["state"]["recording"])
