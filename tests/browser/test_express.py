"""The box of the express path in Chromium: questions in turn, and the first guess counts."""

from typing import Any

import pytest

from radixlab.lesson.box import css, esm
from tests.browser.blank_page import NEEDS_CHROMIUM, playwright

pytestmark = NEEDS_CHROMIUM
expect = playwright.expect

MOUNT = """async ([code, style, state]) => {
  const sheet = document.createElement("style");
  sheet.textContent = style;
  document.head.append(sheet);
  const heard = {};
  const model = {
    get: (name) => state[name],
    set: (name, value) => (state[name] = value),
    save_changes: () => (window.saved = { ...state }),
    on: (name, call) => (heard[name] = call),
    off: (name) => delete heard[name],
  };
  window.tell = (change, event) => { Object.assign(state, change); heard[event]?.(); };
  window.heard = heard;
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const { default: widget } = await import(url);
  window.undo = widget.render({ model, el: document.body });
}"""
TEXT = "<h2>Insert</h2>" + "<p>A line of the lesson.</p>" * 40
FIRST = {
    "head": "02 · Tree: question 1 of 2",
    "excerpt": TEXT,
    "question": "How many nodes?",
    "choices": [],
    "hint": "a number of nodes",
    "value": "",
    "status": "",
    "report": [],
    "is_answered": False,
    "answers": 0,
    "num_next": 0,
    "number": 0,
}
SECOND = {
    "question": "Which is evicted?",
    "choices": ["a leaf", "the root"],
    "is_answered": False,
    "status": "",
    "value": "",
    "number": 1,
}
LAST = {
    "head": "02 · Tree: 1 of 2 guesses right. Read these sections:",
    "excerpt": "",
    "question": "",
    "choices": [],
    "is_answered": False,
    "status": "",
    "report": ["Insert <b>", "Lock"],
    "number": 2,
}


@pytest.fixture
def page(open_blank: Any) -> Any:
    page = open_blank(MOUNT, [esm("express"), css(), dict(FIRST)])
    page.locator(".rx-express").wait_for()
    return page


def tell(page: Any, change: dict[str, Any], event: str) -> None:
    page.evaluate("([change, event]) => window.tell(change, event)", [change, event])


def test_the_path_from_the_first_question_to_the_report(page: Any) -> None:
    field, following = page.locator(".rx-guess-field"), page.locator(".rx-express-next")
    expect(following).to_be_hidden()
    text = "document.querySelector('.rx-express-text')"
    page.wait_for_function(f"{text}.scrollTop + {text}.clientHeight >= {text}.scrollHeight - 2")
    field.fill("3")
    page.keyboard.press("Enter")
    assert page.evaluate("window.saved.value") == "3"
    tell(page, {"is_answered": True, "status": "right", "answers": 1}, "change:answers")
    expect(page.locator(".rx-guess-status")).to_have_text("right")
    expect(field).to_be_disabled()
    expect(following).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("window.saved.num_next") == 1
    tell(page, SECOND, "change:number")
    expect(following).to_be_hidden()
    page.get_by_role("button", name="the root").click()
    assert page.evaluate("window.saved.value") == "the root"
    tell(page, {"is_answered": True, "status": "wrong", "answers": 2}, "change:answers")
    expect(page.get_by_role("button", name="a leaf")).to_be_disabled()
    tell(page, LAST, "change:number")
    expect(page.locator(".rx-express-report li")).to_have_text(["Insert <b>", "Lock"])
    expect(page.locator(".rx-express-text")).to_be_hidden()
    assert page.locator(".rx-guess-field, .rx-guess-choice:visible").count() == 0
    page.evaluate("window.undo()")
    assert page.evaluate("Object.keys(window.heard)") == []


def test_a_guess_that_is_not_one_can_be_made_again(page: Any) -> None:
    page.locator(".rx-guess-field").fill("many")
    page.keyboard.press("Enter")
    tell(page, {"status": "That is not a number: nothing kept.", "answers": 1}, "change:answers")
    expect(page.locator(".rx-guess-field")).to_be_enabled()
    expect(page.locator(".rx-express-next")).to_be_hidden()
