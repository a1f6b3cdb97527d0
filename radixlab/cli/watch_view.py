"""The screen of `radixlab watch`: a title, what cannot be trusted, and as much tree as fits.

The whole screen is drawn again at most a few times a second, however fast events come, and also
when the window changes its size. Lines are cut at the edge and never wrapped.
"""

import time
from typing import TYPE_CHECKING

from radixlab.interrupts import Interrupts
from radixlab.observe.kv.forest import ORPHAN
from radixlab.observe.kv.subscriber import EventWatch
from radixlab.observe.kv.terminal import Decode, printable, tree_lines

if TYPE_CHECKING:
    from rich.text import Text

REFRESH_S = 0.2
MOST_TIME = 0.1
"""The share of the time that drawing may take."""


def title(watched: EventWatch) -> str:
    """Say what is watched, and what has come."""
    return printable(f"{watched.where()}: {watched.counts()}")


def warnings(watched: EventWatch) -> list[str]:
    """Say what keeps the picture from being true and fresh."""
    return [printable(line) for line in (watched.connection(), watched.doubt()) if line]


class Screen:
    """Draws a watch on the terminal, between `with` and its end."""

    def __init__(self, watched: EventWatch, decode: Decode | None, footer: str) -> None:
        from rich.console import Console
        from rich.live import Live

        self.watched, self.decode, self.footer = watched, decode, footer
        self.console = Console()
        self._live = Live(console=self.console, screen=True, auto_refresh=False)
        self._next = 0.0
        self._drawn: object = None

    def __enter__(self) -> "Screen":
        self._live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        with Interrupts():  # a second Ctrl-C must not leave the terminal as it is
            self._live.stop()

    def draw(self) -> None:
        """Draw, if anything has changed and the last drawing was not a moment ago."""
        began = time.monotonic()
        now = self.watched.num_frames, self.watched.connection(), self.console.size
        if began < self._next or now == self._drawn:
            return
        self._drawn = now
        self._live.update(self.picture(), refresh=True)
        took = time.monotonic() - began
        self._next = began + max(REFRESH_S, took / MOST_TIME)

    def picture(self) -> "Text":
        """Return the lines of the screen, one below the other."""
        from rich.text import Text

        head = [Text(title(self.watched), style="bold")]
        head += [Text(line, style="bold yellow") for line in warnings(self.watched)]
        room = max(1, self.console.height - len(head) - 1)
        tree = [_styled(line) for line in tree_lines(self.watched.tree, room, self.decode)]
        tree += [Text("")] * (room - len(tree))
        lines = [*head, *tree[:room], Text(self.footer, style="dim")]
        for line in lines:
            line.truncate(self.console.width, overflow="ellipsis")
        return Text("\n", no_wrap=True, overflow="crop").join(lines[: self.console.height])


def _styled(line: str) -> "Text":
    from rich.text import Text

    return Text(line, style="yellow" if ORPHAN in line.partition("]")[0] else "")
