"""The picture of 8.5.5's incidents: a bar stands where an alert fires, and nowhere else."""

import pytest

pytest.importorskip("matplotlib", reason="matplotlib is not installed: the extra `lab` brings it")

from matplotlib.figure import Figure

from radixlab.grade.ex5.incidents import SCRAPE_S
from radixlab.lesson.props.incident_view import _bar, minutes

STEP = SCRAPE_S / 60


@pytest.mark.parametrize("fires", ["x", ".x", "x.", "x..x", ".xx...x.xx", "xxxx"])
def test_a_bar_covers_the_minutes_in_which_an_alert_fires_and_no_others(fires):
    axes = Figure().subplots()
    _bar(axes, "thrash", [each == "x" for each in fires])
    (bars,) = axes.collections
    spans = [(path.vertices[:, 0].min(), path.vertices[:, 0].max()) for path in bars.get_paths()]
    for time, each in zip(minutes(len(fires)), fires, strict=True):
        inside = any(start < time + STEP / 2 < end for start, end in spans)
        assert inside == (each == "x"), (time, spans)
