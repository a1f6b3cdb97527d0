"""The live view on a blank page in Chromium, with a stand-in for the widget's model: its test bed.

conftest.py has the fixtures that open such pages; this file what they show, and how it is read.
"""

from typing import Any

import pytest

from radixlab import events as ev
from radixlab.events import Event
from radixlab.observe.state import State
from radixlab.viz.event_log import EventLog
from tests.browser.lab import CHROMIUM

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

NEEDS_CHROMIUM = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]

MOUNT = """async ([esm, css, recording]) => {
  const style = document.createElement("style");
  style.textContent = css;
  document.head.append(style);
  const listeners = {};
  const fire = (name, value) => (listeners[name] ?? []).forEach((listener) => listener(value));
  window.sent = [];
  window.outside = [];
  document.addEventListener("keydown", (event) => outside.push(event.key));
  window.model = {
    state: { recording },
    get(name) { return this.state[name]; },
    set(name, value) { this.state[name] = value; fire(`change:${name}`); },
    on(name, listener) { (listeners[name] ??= []).push(listener); },
    off(name, listener) { listeners[name] = listeners[name].filter((l) => l !== listener); },
    send(message) { sent.push(message); },
    save_changes() {},
    receive(message) { fire("msg:custom", message); },
  };
  const url = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
  const el = document.createElement("div");
  document.body.append(el);
  window.cleanup = (await import(url)).default.render({ model, el });
}"""

SEND = "([from, events, cell]) => model.receive({ from, events, cell })"

PROMPT = tuple(map(ord, "The capital of France is Paris. Q: what?"))  # ten blocks of four
START = State(num_blocks=64, block_size=4)


def story() -> list[Event]:
    """Three requests share a prompt; one writes to what it shares; one ends and is evicted."""
    ask = [(*PROMPT, *map(ord, text)) for text in ("Name it.", "Who eats", "Why not?")]
    log = [
        lambda *s: ev.SequenceStarted(*s, 0, None, ask[0]),
        lambda *s: ev.PrefixMatched(*s, 0, None, 0, 48, "never_seen", None, 1),
        lambda *s: ev.BlocksAllocated(*s, 0, ((0, 12),)),
        lambda *s: ev.BlockStored(*s, 1, None, None, 0, 0, ((0, 12),), 1),
        lambda *s: ev.NodeLocked(*s, 1, 0),
    ]
    for k in (1, 2):
        log += [
            lambda *s, k=k: ev.SequenceStarted(*s, k, None, ask[k]),
            *([lambda *s: ev.NodeSplit(*s, 1, 2, 10, site="tree.split")] if k == 1 else []),
            lambda *s, k=k: ev.PrefixMatched(*s, k, 2, 40, 48, "never_seen", None, k + 1),
            lambda *s, k=k: ev.BlocksAllocated(*s, k, ((10 + 2 * k, 2),)),
            lambda *s, k=k: ev.BlockStored(*s, 2 + k, 2, None, k, 40, ((10 + 2 * k, 2),), k + 1),
            lambda *s, k=k: ev.NodeLocked(*s, 2 + k, k),
        ]
    log += [
        lambda *s: ev.SequenceForked(*s, 3, 0, 46),
        lambda *s: ev.BlockCopied(*s, 3, 11, 11, 20),
        lambda *s: ev.TransfersCompleted(*s, ((11, 20, "copy"),)),
        lambda *s: ev.RequestFinished(*s, 1, "released", 4),
        lambda *s: ev.NodeUnlocked(*s, 3, 1),
        lambda *s: ev.OutOfBlocks(*s, 60, 47, 2),
        lambda *s: ev.BlockRemoved(*s, 3, ((12, 2),), "least recent", 4),
    ]
    return [make(k, 0) for k, make in enumerate(log)]


def recording(past: list[Event], **more: Any) -> dict[str, Any]:
    log = EventLog(START, chr)
    log.events += past
    return {
        **log.to_json(),
        "title": "a title",
        "sources": {"tree.split": "cache/tree.py:1 in f"},
    } | more


EVENTS = story()
END = len(EVENTS)


def expect_position(page: Any, position: int = END, end: int = END) -> None:
    playwright.expect(page.locator(".rx-where")).to_contain_text(f"event {position} of {end}")


def texts(page: Any, selector: str) -> list[str]:
    return page.locator(selector).all_inner_texts()


def lit(page: Any, kind: str) -> set[int]:
    return set(
        page.eval_on_selector_all(
            f".rx-lit[data-{kind}]", f"all => all.map((el) => Number(el.dataset.{kind}))"
        )
    )


def press(page: Any, *keys: str) -> None:
    page.focus(".rx-view")
    for key in keys:
        page.keyboard.press(key)


def settle(page: Any) -> None:
    """Wait until all that has been asked for is painted, however slow the machine is."""
    page.evaluate("""async () => {
      for (let k = 0; k < 2; k += 1) await new Promise((next) => requestAnimationFrame(next));
    }""")


def tab_to(page: Any, selector: str) -> None:
    page.focus(".rx-view")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("(s) => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"no tab stop is {selector}")
