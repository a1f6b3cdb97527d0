"""A report as lines of text for a terminal or a notebook.

This file knows reports and widths. Colours are the caller's: `Paint` gets each text that could have
one.
"""

from collections.abc import Callable, Iterator
from textwrap import wrap

from radixlab.columns import aligned
from radixlab.escape import clip, plain
from radixlab.why.report import CauseRow, Report
from radixlab.why.show.words import (
    NAMES,
    Prices,
    Total,
    advice,
    headline,
    money,
    number_of,
    percent,
    points,
    rates,
    share,
    shown,
    totals,
    value,
    verdict,
)

Paint = Callable[[str, str], str]
"""Colours a text for a role: `strong`, `good`, `bad` or `soft`."""

MOST_FIXES = 8
MOST_PLACES = 3
"""Fixes, and positions of a cause, that are listed; the rest is in the JSON."""
_SHORT = 34
"""Characters of two values that are shown side by side."""


def no_paint(text: str, role: str) -> str:
    """Leave a text without colour."""
    return text


def table(
    report: Report,
    name: str,
    prices: Prices | None = None,
    width: int = 80,
    paint: Paint = no_paint,
) -> str:
    """Write the report: what was looked at, hit rates, causes with their places, ranked fixes."""
    lines = [paint(f"{shown(name)}: {headline(report)}", "strong")]
    if not report.requests:
        return "\n".join([*lines, verdict(report)])
    lines += _rates(report)
    lines += ["", *_causes(report, prices, width, paint)]
    lines += ["", *_fixes(report, width, paint), "", *wrap(verdict(report), width)]
    return "\n".join(line.rstrip() for line in lines)


def _rates(report: Report) -> Iterator[str]:
    for name, rate, meaning in rates(report):
        yield f"{name:9}{rate:>8}  {meaning}"


def _causes(report: Report, prices: Prices | None, width: int, paint: Paint) -> Iterator[str]:
    found = totals(report)
    if not found:
        yield "Every prompt token was found."
        return
    header = ("cause", "tokens lost", "share", "requests", *(["cost"] if prices else []))
    first, *lines = aligned([header, *(_cells(total, report, prices) for total in found)])
    yield paint(first, "strong")
    for total, line in zip(found, lines, strict=True):
        yield paint(line, "soft" if total.cause == "never_seen" else "bad")
        several = len(total.rows) > 1
        for row in total.rows[:MOST_PLACES]:
            yield from _place(row, several, width, paint)
        if (left := len(total.rows) - MOST_PLACES) > 0:
            yield f"  … and {number_of(left, 'more place')} (--json has all)"


def _cells(total: Total, report: Report, prices: Prices | None) -> list[str]:
    cells = [
        NAMES.get(total.cause, shown(total.cause)),
        f"{total.tokens_lost:,}",
        percent(share(total.tokens_lost, report.prompt_tokens)),
        f"{total.requests:,}",
    ]
    return [*cells, money(prices.lost(total.tokens_lost))] if prices else cells


def _place(row: CauseRow, several: bool, width: int, paint: Paint) -> Iterator[str]:
    """Say where the prompts differ, and show both values: side by side, or one below the other."""
    if row.where:
        lost = f": {number_of(row.tokens_lost, 'token')}" if several else ""
        yield paint(f"  {plain(clip(row.where, width - 40, 16))}{lost}", "soft")
    if not row.before and not row.after:
        return
    before, after = (value(text, row.cause) for text in (row.before, row.after))
    if max(len(before), len(after)) <= _SHORT:
        yield f"    {before} → {after}"
        return
    for word, text in (("earlier", before), ("later", after)):
        yield f"    {word:8}{clip(text, width - 32, 16)}"


def _fixes(report: Report, width: int, paint: Paint) -> Iterator[str]:
    if not report.fixes:
        yield "There is nothing to fix."
        return
    yield paint("fixes, by measured gain", "strong")
    for number, fix in enumerate(report.fixes[:MOST_FIXES], 1):
        head = f"{number:>2}. {points(fix.gain)}, to {percent(fix.hit_rate)}: "
        words = wrap(f"{head}{advice(fix)}", width, subsequent_indent="    ")
        yield paint(words[0], "good")
        yield from words[1:]
