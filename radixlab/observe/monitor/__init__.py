"""How a running server's prefix cache does: radixlab's, vLLM's or SGLang's, from its metrics.

    page ─► reading ─► window ─► figures ─► diagnosis

`Monitor` goes this way once for each look. Nothing here draws: the terminal's view is in `cli`, the
notebook's in `viz`.
"""

from radixlab.observe.monitor.diagnosis import diagnose
from radixlab.observe.monitor.exposition import ExpositionError, MonitorError, parse_page
from radixlab.observe.monitor.fetch import UnreachableError
from radixlab.observe.monitor.figures import Figures, Missing, figures
from radixlab.observe.monitor.findings import Diagnosis
from radixlab.observe.monitor.names import ENGINES, Engine
from radixlab.observe.monitor.reading import read_page
from radixlab.observe.monitor.watcher import Monitor, Report
from radixlab.observe.monitor.window import Window

__all__ = [
    "ENGINES",
    "Diagnosis",
    "Engine",
    "ExpositionError",
    "Figures",
    "Missing",
    "Monitor",
    "MonitorError",
    "Report",
    "UnreachableError",
    "Window",
    "diagnose",
    "figures",
    "parse_page",
    "read_page",
]
