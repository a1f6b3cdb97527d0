"""The view's benchmark where a part is missing: it says so, and measures the rest."""

from radixlab.bench.viz import (
    LIVE,
    SCRUBBED,
    _engine_rows,
    _live_rows,
    _long_log,
    _page_rows,
    _pair_rows,
    _two_runs,
)
from radixlab.observe.state import fold_all

MISSING = "Chromium is not installed"


def test_rows_without_a_browser_or_a_kernel_say_what_is_missing():
    log = _long_log(3, 64, 40)
    rows = [
        *_engine_rows(MISSING, 1, 1),
        *_live_rows(MISSING, MISSING, 1.0, 1),
        *_page_rows(MISSING, SCRUBBED, log, 1, 1),
        *_pair_rows(MISSING, 20, 128, 1, 1),
    ]
    assert len(rows) == 10 and any(LIVE in str(row[0]) for row in rows)
    assert {row[1] for row in rows} == {f"not measured: {MISSING}"}


def test_the_log_to_scrub_has_its_length_and_can_be_folded():
    log = _long_log(20, 128, 500)
    assert log.start == 0 and log.end == 500
    assert len(fold_all(log._keyframe, log.events).nodes) >= 20


def test_the_two_runs_have_other_trees():
    view = _two_runs(40, 256, 30)
    assert "begin in different states" in view.verdict
    assert "36 requests before differs in" in view.text
