"""Two threads take turns: the engine's thread hands over tokens, and the event loop sends them.

    engine's thread    step ─► tell ─► wait ············ step ─► …
    event loop                          pass on ─► end

Python runs one thread at a time. If the engine began its next step at once, the two threads would
take the interpreter's lock from each other while tokens are sent. After each change of thread, the
processor's caches would hold the other thread's data. So the engine's thread waits. The wait is
bounded, because the event loop may have other work.
"""

import threading

MOST_S = 0.005
"""Seconds that the engine's thread waits at most."""


class Turn:
    """A turn that one thread gives to another."""

    def __init__(self) -> None:
        self._given = threading.Lock()
        """Held while the turn is the other thread's."""

    def give(self) -> None:
        """Let the other thread have the next turn."""
        self._given.acquire(blocking=False)

    def wait(self) -> None:
        """Wait until the other thread has ended its turn, or until `MOST_S` have passed."""
        self._given.acquire(timeout=MOST_S)

    def end(self) -> None:
        """End the turn, in the other thread."""
        if self._given.locked():
            self._given.release()
