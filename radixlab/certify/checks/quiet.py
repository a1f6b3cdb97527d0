"""Waiting until the server has nothing to do, by its own gauges."""

import time

from radixlab.certify.outcome import CannotTell
from radixlab.certify.pages import num_active
from radixlab.certify.trial import Trial

POLL_S = 0.05


def until_quiet(trial: Trial, why: str) -> bool:
    """Wait until nothing runs; return False if the server does not say what runs.

    Raises `CannotTell`, with the reason why that matters, if it stays busy.
    """
    until = time.monotonic() + trial.server.patience_s
    while True:
        reading = trial.server.pages.look()
        active = None if reading is None else num_active(reading)
        if active is None:
            return False
        if active == 0:
            return True
        if time.monotonic() > until:
            raise CannotTell(f"the server is busy ({active:.0f} requests): {why}")
        time.sleep(POLL_S)
