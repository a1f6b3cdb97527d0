"""A view is shown before what is to be watched; in a committed notebook, after it."""

from types import SimpleNamespace

import pytest

from radixlab.lesson import live


@pytest.fixture
def happened(monkeypatch):
    """What was displayed or done, in order, with whether the page keeps the view in sight."""
    events = []
    monkeypatch.setattr(live, "pause", lambda seconds: None)
    monkeypatch.setattr(
        "IPython.display.display", lambda view: events.append(("view", view.in_sight))
    )
    return events


@pytest.mark.parametrize(
    ("static", "order"),
    [
        ("0", [("view", True), ("work", True), ("end", False)]),
        ("1", [("work", False), ("view", False), ("end", False)]),
    ],
)
def test_a_view_is_seen_while_it_changes_and_committed_as_it_ends(
    monkeypatch, happened, static, order
):
    monkeypatch.setenv("RADIXLAB_STATIC", static)
    view = SimpleNamespace(in_sight=False)
    with live.shown(view):
        happened.append(("work", view.in_sight))
    happened.append(("end", view.in_sight))
    assert happened == order


def test_a_block_that_fails_gives_the_page_back(monkeypatch, happened):
    monkeypatch.setenv("RADIXLAB_STATIC", "0")
    view = SimpleNamespace(in_sight=False)
    with pytest.raises(KeyboardInterrupt), live.shown(view):
        raise KeyboardInterrupt
    assert view.in_sight is False
