"""Pauses that make a run slow enough to watch. This file knows only the clock."""

import time

from radixlab.home import is_static


def pause(seconds: float = 0.4) -> None:
    """Give the live view time to show the last change; do not wait without a live view."""
    if not is_static():
        time.sleep(seconds)
