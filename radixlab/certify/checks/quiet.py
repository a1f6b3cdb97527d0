"""Waiting until a condition holds, or until the server's own gauges say that it is idle."""

import time
from collections.abc import Iterator

from radixlab.certify.outcome import CannotTell
from radixlab.certify.pages import num_active
from radixlab.certify.trial import Trial

FIRST_PAUSE_S, LAST_PAUSE_S = 0.02, 0.5
GROWTH = 1.5


def looks(seconds: float) -> Iterator[None]:
    """Yield at once, and again after pauses that grow, for so many seconds; at least twice."""
    until, pause_s = time.monotonic() + seconds, FIRST_PAUSE_S
    while True:
        is_last = time.monotonic() > until
        yield
        if is_last:
            return
        time.sleep(pause_s)
        pause_s = min(LAST_PAUSE_S, pause_s * GROWTH)


def until_quiet(trial: Trial, why: str) -> bool:
    """Wait until nothing runs; return False if the server does not say what runs.

    Raises `CannotTell`, with the reason why that matters, if it stays busy.
    """
    active: float | None = None
    for _ in looks(trial.server.patience_s):
        reading = trial.server.pages.look()
        active = None if reading is None else num_active(reading)
        if not active:
            return active is not None
    raise CannotTell(f"the server is busy ({active:.0f} requests): {why}")
