"""How the parts of a cache tell what happens: one statement, at the line where it happens.

This file does not know the events. It is compiled with the cache (`hatch_build.py`), because each
step of a request asks whether somebody listens.
"""

from collections.abc import Callable
from typing import Any


class Log:
    """The voice of a cache: it numbers the events and knows who listens, if anybody does.

    Whoever has something to tell does so in one statement, at the line where it happens::

        if emit := log.emit:
            emit(NodeSplit(*log.stamp(), site="tree.split", node_id=4, upper_id=9, num_blocks=2))

    Without a listener nothing is built. The site is found again in the source by its name, so the
    view can show the line of every event, of a compiled build too.
    """

    __slots__ = ("emit", "seq", "step")

    def __init__(self, emit: Callable[[Any], object] | None = None) -> None:
        self.emit = emit
        """The listener; None for silence."""
        self.seq = 0
        """The number of the next event."""
        self.step = 0
        """The label that the caller gives to the events to come."""

    def stamp(self) -> tuple[int, int]:
        """Return the `seq` and `step` of the next event, and advance `seq` (T5)."""
        seq = self.seq
        self.seq = seq + 1
        return seq, self.step
