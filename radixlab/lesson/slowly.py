"""Slow enough to watch. Knows only the clock."""

import time

from radixlab.home import is_static


def pause(seconds: float = 0.4) -> None:
    """Give the live view time to show what just happened; no wait where nobody watches."""
    if not is_static():
        time.sleep(seconds)
