"""A monitor in a notebook: it looks again and again, and the picture follows.

A thread looks at the server, so the picture is live also while a cell runs.
"""

import threading
from collections import deque
from typing import Any, ClassVar

import anywidget
import traitlets

from radixlab.home import is_static
from radixlab.observe.monitor import Monitor, MonitorError, Report
from radixlab.observe.monitor.words import text
from radixlab.viz.monitor_card import card, style

MOST_REPORTS = 300
"""Points of a curve."""
ESM = """
export default {
  render({ model, el }) {
    const draw = () => { el.innerHTML = model.get("html"); };
    model.on("change:html", draw);
    draw();
  },
};
"""


class MonitorView(anywidget.AnyWidget):
    """Shows what a monitor sees, live.

    `MonitorView(Monitor("localhost:8000"))` at the end of a cell looks every `interval_s` seconds
    until `close()`. `look()` looks at once, for a picture of one moment.
    """

    _esm: ClassVar[str] = ESM
    _css: ClassVar[str] = style()
    html = traitlets.Unicode("").tag(sync=True)

    def __init__(self, monitor: Monitor, interval_s: float = 2.0) -> None:
        self.monitor = monitor
        self.interval_s = interval_s
        self._history: deque[Report] = deque(maxlen=MOST_REPORTS)
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        super().__init__()

    @property
    def report(self) -> Report:
        """The last report; looks if there is none yet."""
        if not self._history:
            self.look()
        return self._history[-1]

    def look(self) -> Report:
        """Look once and redraw; raise `MonitorError` if the server cannot be read."""
        with self._lock:
            self._history.append(self.monitor.look())
            self.html = card(self._history)
            return self._history[-1]

    def open(self) -> None:
        """Connect to the browser, unless only still pictures are wanted."""
        if not is_static():
            super().open()

    def close(self) -> None:
        """Stop looking, and disconnect."""
        self._ended.set()
        super().close()

    def _start(self) -> None:
        """Look from a thread from now on."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._look_on, name="monitor", daemon=True)
            self._thread.start()

    def _look_on(self) -> None:
        while not self._ended.wait(self.interval_s):
            try:
                self.look()
            except MonitorError as error:
                with self._lock:
                    self.html = card(self._history, str(error))

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        report = self.report
        still = {
            "text/plain": text(report),
            "text/html": f"<style>{style()}</style>{card(self._history)}",
        }
        if not is_static():
            self._start()
            live = super()._repr_mimebundle_(**kwargs)
            if live is not None:
                return live[0] | still, live[1]
        return still, {}
