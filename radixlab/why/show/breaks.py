"""The breaks on the report's page: a card for each cause and place, with a diff of both prompts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from radixlab.escape import clip
from radixlab.why.report import Break, CauseRow, Report
from radixlab.why.show.diff import Line, diff
from radixlab.why.show.markup import safe, swatch
from radixlab.why.show.words import (
    MEANINGS,
    NAMES,
    Prices,
    money,
    number_of,
    percent,
    share,
    totals,
)

MOST_CARDS = 60
OPEN_CARDS = 8
"""Cards that are seen at once; the reader opens the others."""
MOST_MORE = 20
"""Further breaks that a card shows when it is opened."""


@dataclass(slots=True)
class Group:
    """The breaks of one cause at one place."""

    cause: str
    where: str
    row: CauseRow | None = None
    breaks: list[Break] = field(default_factory=list)

    @property
    def tokens_lost(self) -> int:
        """Over all requests, where the report has that; else over the breaks that it keeps."""
        return self.row.tokens_lost if self.row else sum(b.tokens_lost for b in self.breaks)

    @property
    def requests(self) -> int:
        """Requests that broke here."""
        return self.row.requests if self.row else len(self.breaks)


def groups(report: Report) -> list[Group]:
    """Join the causes with their breaks, the most tokens first; what was never seen has none."""
    found = {
        (row.cause, row.where): Group(row.cause, row.where, row)
        for total in totals(report)
        for row in total.rows
    }
    for each in report.breaks:
        key = (each.cause, each.where)
        found.setdefault(key, Group(*key)).breaks.append(each)
    kept = [group for group in found.values() if group.cause != "never_seen"]
    return sorted(kept, key=lambda group: -group.tokens_lost)


def breaks(report: Report, prices: Prices | None) -> Iterator[str]:
    """Write the section of breaks."""
    found = groups(report)
    if not found:
        return
    yield "<section><h2>Where prompts broke</h2>"
    told: set[str] = set()
    made = []
    for group in found[:MOST_CARDS]:
        made.append(_card(group, report, prices, "" if group.cause in told else _sentence(group)))
        told.add(group.cause)
    yield from made[:OPEN_CARDS]
    if more := made[OPEN_CARDS:]:
        said = number_of(len(found) - OPEN_CARDS, "more place")
        yield f'<details><summary>{said}</summary><div class="rw-more">{"".join(more)}</div>'
        if (left := len(found) - MOST_CARDS) > 0:
            yield f'<p class="rw-soft">… and {number_of(left, "more place")} (--json has all)</p>'
        yield "</details>"
    yield "</section>"


def _card(group: Group, report: Report, prices: Prices | None, meaning: str) -> str:
    lost = f"{number_of(group.tokens_lost, 'token')} lost"
    part = percent(share(group.tokens_lost, report.prompt_tokens))
    cost = f" · {money(prices.lost(group.tokens_lost))}" if prices else ""
    where = f'<div class="rw-cut">{safe(clip(group.where, 120, 40))}</div>' if group.where else ""
    first = _diff(group.breaks[0]) if group.breaks else _row_diff(group.row)
    return (
        '<article class="rw-break"><div class="rw-head">'
        f"<h3>{swatch(group.cause)}{NAMES.get(group.cause, safe(group.cause))}</h3>"
        f'<span class="rw-soft">{lost} ({part}{cost}) in '
        f"{number_of(group.requests, 'request')}</span></div>{where}"
        f'<div class="rw-soft">{meaning}</div>{first}'
        f"{_more(group.breaks[1:])}</article>"
    )


def _sentence(group: Group) -> str:
    meaning = MEANINGS.get(group.cause, "")
    return f"{meaning[:1].upper()}{meaning[1:]}." if meaning else ""


def _more(others: Iterable[Break]) -> str:
    rest = list(others)
    if not rest:
        return ""
    inner = "".join(f'<div class="rw-more">{_facts(b)}{_diff(b)}</div>' for b in rest[:MOST_MORE])
    left = len(rest) - MOST_MORE
    more = f'<div class="rw-more rw-soft">… and {left:,} more</div>' if left > 0 else ""
    said = number_of(len(rest), "more break")
    return f"<details><summary>{said} here</summary>{inner}{more}</details>"


def _facts(each: Break) -> str:
    return (
        f"Line {each.line:,}: {number_of(each.prompt_tokens, 'prompt token')}, "
        f"{each.hit_tokens:,} found, {each.tokens_lost:,} lost"
    )


def _row_diff(row: CauseRow | None) -> str:
    if row is None:
        return ""
    return _diff(Break(0, None, row.cause, row.where, row.before, row.after, 0, 0, 0))


def _diff(each: Break) -> str:
    """Show both prompts around a break, the earlier above the later; nothing without text."""
    lines = diff(each)
    if lines is None:
        return ""
    old, new = lines
    earlier = f"line {each.earlier_line:,}" if each.earlier_line else "earlier"
    later = f"line {each.line:,}" if each.line else "later"
    return (
        f'<div class="rw-diff"><div class="rw-old"><span class="rw-side">{earlier}</span>'
        f'{_line(old, "del")}</div><div class="rw-new"><span class="rw-side">{later}</span>'
        f"{_line(new, 'ins')}</div></div>"
    )


def _line(line: Line, tag: str) -> str:
    changed = f"<u>{safe(line.changed)}</u>" if line.start or line.end else safe(line.changed)
    return (
        f"<code><bdi>{safe(line.lead)}</bdi><{tag}><bdi>{safe(line.start)}{changed}"
        f"{safe(line.end)}</bdi></{tag}><bdi>{safe(line.tail)}</bdi></code>"
    )
