"""A view is shown before what is to be watched; in a committed notebook, after it."""

import pytest

from radixlab.lesson import live


@pytest.mark.parametrize(("static", "order"), [("0", ["view", "work"]), ("1", ["work", "view"])])
def test_a_view_is_seen_while_it_changes_and_committed_as_it_ends(monkeypatch, static, order):
    monkeypatch.setenv("RADIXLAB_STATIC", static)
    happened = []
    monkeypatch.setattr(live, "pause", lambda seconds: None)
    monkeypatch.setattr("IPython.display.display", happened.append)
    with live.shown("view"):
        happened.append("work")
    assert happened == order
