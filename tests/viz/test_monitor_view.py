"""The monitor in a notebook: its picture, its text, and how it goes on."""

import re
import threading

import pytest

pytest.importorskip("anywidget", reason="anywidget is not installed: the extra `lab` brings it")
pytest.importorskip("prometheus_client", reason="prometheus_client: the extra `serve` brings it")

from radixlab.observe.monitor import Missing, Monitor
from radixlab.viz.monitor_card import card, curve, style
from radixlab.viz.monitor_view import MonitorView

PAGE = 'radixlab:request_success_total 3\nradixlab:prefix_cache_misses_total{{reason="{}"}} 4\n'


def view(reason: str = "evicted", **more) -> MonitorView:
    return MonitorView(Monitor(lambda: PAGE.format(reason), clock=lambda: 0.0), **more)


def test_the_picture_has_every_row_and_the_diagnosis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADIXLAB_STATIC", "1")
    data, _ = view()._repr_mimebundle_()
    assert set(data) == {"text/plain", "text/html"}
    for words in ("block reuse rate", "absent", "eviction rate", "evicted 100%", "healthy"):
        assert words in data["text/plain"] and words in data["text/html"]


def test_what_a_server_writes_is_escaped() -> None:
    shown = view("<img src=x onerror=alert(1)>")
    shown.look()
    assert "<img" not in shown.html and "&lt;img" in shown.html


def test_light_and_dark_have_the_same_colours_to_set() -> None:
    blocks = re.findall(r"\.rx-monitor \{([^}]*)\}", style())
    light, dark, *themes = (set(re.findall(r"(--rx-\w+):", block)) for block in blocks)
    assert light == dark and len(light) == 7
    assert themes == [{"--rx-curve", "--rx-good", "--rx-bad"}] * 2


def test_curves_have_gaps_where_there_is_no_data() -> None:
    assert curve([1.0, 2.0, Missing.NO_DATA, 3.0, 1.0]).count("<polyline") == 2
    assert "polyline" not in curve([Missing.ABSENT] * 3)
    assert "0.0,8.0 120.0,0.0" in curve([1.0, 2.0])


def test_a_live_view_looks_until_it_is_closed() -> None:
    looks, enough = [], threading.Event()

    def page() -> str:
        looks.append(1)
        if len(looks) == 2:
            return "<html>"
        if len(looks) == 4:
            enough.set()
        return PAGE.format("tail")

    shown = MonitorView(Monitor(page), interval_s=0.01)
    shown._repr_mimebundle_()
    assert enough.wait(60)
    shown.close()
    shown._thread.join(60)
    assert not shown._thread.is_alive() and "rx-monitor" in shown.html


def test_a_failed_look_keeps_the_last_figures_and_says_why() -> None:
    shown = view()
    shown.look()
    html = card(shown._history, "cannot be reached")
    assert "cannot be reached" in html and "block reuse rate" in html
