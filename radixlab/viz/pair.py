"""Two runs side by side, and where they part: two policies on the same requests, or two trees.

A `Tape` records a cache in memory. `compare(a, b)` shows two tapes, or two recordings, on one axis
that goes by requests. This file knows pages; `observe.divergence` knows how runs are compared.
"""

import base64
import io
import json
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import traitlets
from IPython.core.getipython import get_ipython
from PIL import Image

from radixlab import observe
from radixlab.events import Event
from radixlab.files import replace_text
from radixlab.home import is_static
from radixlab.observe.divergence import Run, first_divergence, verdict
from radixlab.observe.state import State, copy_state, fold_all
from radixlab.viz.bundle import css, pair_esm
from radixlab.viz.ghost import Moment, ghost_line, ghost_of, tree_line
from radixlab.viz.lifetime import hold_weakly, page_of
from radixlab.viz.page import pair_page, whole_recording
from radixlab.viz.recorded import player
from radixlab.viz.still import WIDTH, still
from radixlab.viz.text import Decode, clip, count, plain, summary

MOST_EVENTS = 50_000
"""Events of one run; more would make the notebook heavy."""


class Tape:
    """Records what a cache does from now on, in memory, under a name."""

    def __init__(self, cache: Any, name: str = "") -> None:
        self.name = name
        self.start: State = observe.snapshot(cache)
        self.events: list[Event] = []
        observe.attach(cache, self.events.append)


def compare(
    a: Tape | str | Path, b: Tape | str | Path, decode: Decode | None = None, title: str = ""
) -> "PairView":
    """Show two runs on one axis, with the first event at which they part.

    A run is a `Tape`, or the file of a `Recorder`. Raises `ValueError` if a run has more than
    `MOST_EVENTS` events.
    """
    runs = [_run(tape, name) for tape, name in ((a, "a"), (b, "b"))]
    if runs[0].name == runs[1].name:
        runs = [replace(run, name=f"{run.name} ({k})") for k, run in enumerate(runs, 1)]
    return PairView(runs[0], runs[1], decode, title)


def _run(tape: Tape | str | Path, name: str) -> Run:
    if isinstance(tape, Tape):
        run = Run(clip(plain(tape.name)) or name, tape.start, list(tape.events))
    elif isinstance(tape, str | Path):
        state, events = observe.read_recording(tape)
        run = Run(clip(plain(Path(tape).stem)), state, list(events))
    else:
        raise TypeError(f"compare takes tapes and paths of recordings, not {type(tape).__name__}")
    if len(run.events) > MOST_EVENTS:
        num = len(run.events)
        raise ValueError(f"{run.name} has {num:,} events; at most {MOST_EVENTS:,} can be compared")
    return run


class PairView(anywidget.AnyWidget):
    """Two runs on one axis: both trees, both maps, and the event at which they part."""

    _esm: ClassVar[str] = pair_esm()
    _css: ClassVar[str] = css()
    pair = traitlets.Unicode("").tag(sync=True)
    """The title and both recordings, as JSON: ipywidgets would walk through every list."""

    def __init__(self, a: Run, b: Run, decode: Decode | None = None, title: str = "") -> None:
        self._runs, self._decode = (a, b), decode
        self.verdict = verdict(a, b)
        sides = [whole_recording(run.start, run.events, decode, run.name) for run in (a, b)]
        self._title = plain(title)
        super().__init__(pair=json.dumps({"title": self._title, "a": sides[0], "b": sides[1]}))

    @cached_property
    def moments(self) -> tuple[Moment, Moment]:
        """Both runs just after the event at which they part; else at their ends."""
        found = first_divergence(*self._runs)
        stop = None if found is None else found.at + 1
        a, b = (
            Moment(run.name, fold_all(copy_state(run.start), run.events[:stop]))
            for run in self._runs
        )
        return a, b

    @cached_property
    def text(self) -> str:
        """The verdict, and both states in words, with what the other run has."""
        parts = [self.verdict]
        one, two = self.moments
        for mine, other in ((one, two), (two, one)):
            parts.append(f"{mine.name}: {summary(mine.state, self._decode)}")
            parts += filter(None, [ghost_line(mine, other), tree_line(mine, other)])
        return "\n".join(parts)

    @cached_property
    def png(self) -> bytes:
        """Both states as pictures, the first run's above the second's."""
        one, two = self.moments
        drawn = [
            still(mine.state, self._decode, ghost=ghost_of(mine, other))
            for mine, other in ((one, two), (two, one))
        ]
        pages = [Image.open(io.BytesIO(png)) for png in drawn]
        height = sum(page.height for page in pages)
        both = Image.new("RGBA", (pages[0].width, height))
        top = 0
        for page in pages:
            both.paste(page.convert("RGBA"), (0, top))
            top += page.height
        both.save(out := io.BytesIO(), "PNG")
        return out.getvalue()

    def save(self, path: str | Path) -> None:
        """Write one HTML file with the player and both runs, and print its size.

        The file needs no network and no kernel.
        """
        text = pair_page(self._title, self.pair)
        replace_text(Path(path), text)
        sizes = " and ".join(count(len(run.events), "event") for run in self._runs)
        print(f"{path}: {sizes}, {len(text.encode()) / 1e6:.1f} MB")

    def open(self) -> None:
        """Connect to the browser, unless only still pictures are wanted."""
        if not is_static():
            super().open()
            hold_weakly(self)

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None, **_: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Show the live view and the text; draw the picture only for who asks for it."""
        live: Any = ({}, {})
        if not is_static() and self.comm is not None:
            live = super()._repr_mimebundle_() or live
            if (shell := get_ipython()) is not None:
                page_of(shell).show(self)
        data = live[0] | {"text/plain": self.text} | player(lambda: self.pair, "pair")
        if live[0] and not (include is not None and "image/png" in include):
            return data, live[1]
        data["image/png"] = base64.b64encode(self.png).decode()
        return data, live[1] | {"image/png": {"width": WIDTH, "alt": self.verdict}}
