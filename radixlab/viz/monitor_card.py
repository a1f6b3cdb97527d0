"""A monitor's report as a piece of HTML: figures with small curves, then the diagnosis.

This file knows reports. It does not know widgets or servers.
"""

from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path

from radixlab.observe.monitor import Diagnosis, Missing, Report
from radixlab.observe.monitor.figures import Figure
from radixlab.observe.monitor.words import headline, misses, rows

WIDTH, HEIGHT = 120, 16
"""Pixels of a curve."""
CURVES = {
    "block reuse rate": "reuse_rate",
    "blocks per request": "blocks_per_request",
    "prefix match": "mean_match_blocks",
    "eviction rate": "eviction_rate",
    "token hit rate": "hit_rate",
    "pool in use": "usage",
    "tree": "tree_nodes",
    "requests": "requests_per_s",
}
"""The rows that have a curve, and the figure that it shows."""
SHARES = ("reuse_rate", "eviction_rate", "hit_rate", "usage")
"""Figures whose curve goes from 0 to 1; the others go up to the most that was seen."""


@cache
def style() -> str:
    """Return the style sheet."""
    return (Path(__file__).parent / "js" / "monitor.css").read_text(encoding="utf-8")


def card(history: Sequence[Report], problem: str = "") -> str:
    """Draw the last report, with curves over all of them; every text is escaped."""
    report = history[-1]
    when = f"<span class='rx-soft'>{escape(headline(report))}</span>"
    head = f"<b>{escape(report.engine.title)}</b> {when}"
    table = "".join(_row(history, *row) for row in rows(report.figures))
    told = "".join(map(_told, report.diagnoses))
    notes = "".join(f"<p class='rx-soft'>note: {escape(note)}</p>" for note in report.notes)
    warning = f"<p class='rx-bad'>{escape(problem)}</p>" if problem else ""
    why = f"<p class='rx-soft'>{escape(misses(report.figures))}</p>"
    return f"<div class='rx-monitor'>{head}{warning}<table>{table}</table>{why}{told}{notes}</div>"


def curve(figures: Sequence[Figure], most: float | None = None) -> str:
    """Draw figures from left to right as a line; missing ones leave a gap.

    >>> curve([0.0, 1.0], most=1.0).count("polyline")
    1
    """
    known = [figure for figure in figures if not isinstance(figure, Missing)]
    top = most or max(known, default=0.0) or 1.0
    step = WIDTH / max(1, len(figures) - 1)
    pieces: list[list[str]] = [[]]
    for index, figure in enumerate(figures):
        if isinstance(figure, Missing):
            pieces.append([])
        else:
            pieces[-1].append(f"{index * step:.1f},{HEIGHT * (1 - min(1.0, figure / top)):.1f}")
    lines = "".join(f"<polyline points='{' '.join(piece)}'/>" for piece in pieces if len(piece) > 1)
    size = f"width='{WIDTH}' height='{HEIGHT}' viewBox='0 0 {WIDTH} {HEIGHT}'"
    return f"<svg {size} preserveAspectRatio='none' aria-hidden='true'>{lines}</svg>"


def _row(history: Sequence[Report], name: str, value: str, meaning: str) -> str:
    drawn = ""
    if name in CURVES:
        figures = [getattr(report.figures, CURVES[name]) for report in history]
        drawn = curve(figures, 1.0 if CURVES[name] in SHARES else None)
    cells = f"<th scope='row'>{escape(name)}</th><td class='rx-value'>{escape(value)}</td>"
    return f"<tr>{cells}<td>{drawn}</td><td class='rx-soft'>{escape(meaning)}</td></tr>"


def _told(diagnosis: Diagnosis) -> str:
    kind = "rx-good" if diagnosis.name == "healthy" else "rx-bad"
    evidence = "".join(f"<li>{escape(sentence)}</li>" for sentence in diagnosis.evidence)
    advice = f"<p>{escape(diagnosis.advice)}</p>" if diagnosis.advice else ""
    return f"<p class='{kind}'>{escape(diagnosis.title)}</p><ul>{evidence}</ul>{advice}"
