"""The words of a report, the same in the terminal, on the page and in a notebook.

This file knows reports and numbers. It does not know where they are shown.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from radixlab.escape import clip, plain
from radixlab.why.report import CAUSES, CauseRow, Fix, Report

NAMES = {
    "volatile_value": "volatile value",
    "order_changed": "order changed",
    "whitespace": "white space",
    "history_edited": "history edited",
    "model_changed": "model changed",
    "expired": "expired",
    "evicted": "evicted",
    "below_minimum": "below the minimum",
    "never_seen": "never seen",
}
"""What people call each cause."""
MEANINGS = {
    "volatile_value": "a value that changes from request to request, such as a clock or an id",
    "order_changed": "the same items in another order: tools, examples, or JSON keys",
    "whitespace": "the same text with other white space, or written out in another way",
    "history_edited": "an earlier part of the conversation was changed, cut or left out",
    "model_changed": "another model, adapter or parameter, which has a cache of its own",
    "expired": "the prefix was older than the time to live",
    "evicted": "the pool was too small to keep the prefix",
    "below_minimum": "the prefix is shorter than a block, or than the provider caches",
    "never_seen": "text that no earlier request had: there was nothing to find",
}
"""What each cause means, as part of a sentence."""
FOUND = "found in the cache"
MOST_SHOWN = 120
"""Characters of a value that are shown."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What tokens cost, per million of them, in any currency."""

    input: float
    cached: float = 0.0

    def lost(self, tokens: int) -> float:
        """Return what it cost that these tokens were not found."""
        return tokens * (self.input - self.cached) / 1e6


def by_cause(report: Report) -> dict[str, int]:
    """Return the tokens lost to each cause, in the order of `CAUSES`, without those that lost none.

    The tokens found come first, under `found`.
    """
    lost = {"found": report.hit_tokens} | dict.fromkeys(CAUSES, 0)
    for row in report.causes:
        lost[row.cause] = lost.get(row.cause, 0) + row.tokens_lost
    return {cause: tokens for cause, tokens in lost.items() if tokens}


@dataclass(frozen=True, slots=True)
class Total:
    """One cause, at all of its places."""

    cause: str
    rows: tuple[CauseRow, ...]
    """One for each place, most tokens first."""

    @property
    def tokens_lost(self) -> int:
        """Over all places."""
        return sum(row.tokens_lost for row in self.rows)

    @property
    def requests(self) -> int:
        """Breaks, over all places: a request that broke at two of them counts twice."""
        return sum(row.requests for row in self.rows)


def totals(report: Report) -> list[Total]:
    """Return the causes, most tokens first, and at the end what was never seen."""
    rows: dict[str, dict[str, CauseRow]] = {}
    for row in sorted(report.causes, key=lambda row: -row.tokens_lost):
        places = rows.setdefault(row.cause, {})
        places[row.where] = _joined(places[row.where], row) if row.where in places else row
    found = [Total(cause, _ordered(places.values())) for cause, places in rows.items()]
    return sorted(found, key=lambda total: (total.cause == "never_seen", -total.tokens_lost))


def _joined(large: CauseRow, small: CauseRow) -> CauseRow:
    """Add up what is in the same place in different prompts; show the values of the larger part."""
    return replace(
        large,
        requests=large.requests + small.requests,
        tokens_lost=large.tokens_lost + small.tokens_lost,
    )


def _ordered(rows: Iterable[CauseRow]) -> tuple[CauseRow, ...]:
    return tuple(sorted(rows, key=lambda row: -row.tokens_lost))


def share(part: int, whole: int) -> float:
    """Return a part as a fraction; 0 of nothing."""
    return part / whole if whole else 0.0


def percent(fraction: float) -> str:
    """Write a fraction.

    >>> percent(0.9123)
    '91.2 %'
    """
    return f"{100 * fraction:.1f} %"


def points(gain: float) -> str:
    """Write a difference of two fractions.

    >>> points(0.8123), points(-0.001), points(-0.00001)
    ('+81.2 points', '−0.1 points', '+0.0 points')
    """
    tenths = round(1000 * gain)
    return f"{'−' if tenths < 0 else '+'}{abs(tenths) / 10:.1f} points"


def money(amount: float) -> str:
    """Write an amount with two decimals, and a small one with two digits that say something.

    >>> money(1234.5), money(0.00123), money(0)
    ('1,234.50', '0.0012', '0.00')
    """
    decimals = 2
    while amount and abs(amount) < 10 ** (1 - decimals) and decimals < 12:
        decimals += 1
    return f"{amount:,.{decimals}f}"


def shown(text: str, most: int = MOST_SHOWN, spaces: bool = False) -> str:
    r"""Show a value in one line: ends of lines as arrows, and what nobody would see spelt out.

    Parameters
    ----------
    spaces
        Show blanks too, where they are the difference.

    >>> shown("a b\n\x00"), shown("a b", spaces=True)
    ('a b↵\\u0000', 'a␣b')
    """
    line = clip(text, most - most // 4, most // 4).replace("\r\n", "⏎↵").replace("\n", "↵")
    line = line.replace("\r", "⏎").replace("\t", "⇥")
    return plain(line.replace(" ", "␣") if spaces else line)


def value(text: str, cause: str, most: int = MOST_SHOWN) -> str:
    """Show one of the two values that differ; an empty one is said in words."""
    return shown(text, most, spaces=cause == "whitespace") or "(nothing)"


def headline(report: Report) -> str:
    """Say what was looked at, and how its tokens were counted."""
    requests = number_of(report.requests, "request")
    return f"{requests}, {report.prompt_tokens:,} prompt tokens ({shown(report.tokenizer)})"


def rates(report: Report) -> Iterator[tuple[str, str, str]]:
    """Yield the hit rates, each with its name and what it means."""
    yield "hit rate", percent(report.hit_rate), "of the prompt tokens could be found, as things are"
    if report.reported_hit_rate is not None:
        yield "reported", percent(report.reported_hit_rate), "by the server that answered"
    yield "possible", percent(report.possible_hit_rate), "with all fixes"


def advice(fix: Fix) -> str:
    """Say what to change, in one line that is not longer than anybody reads."""
    text = shown(fix.fix, 400)
    return text[:1].upper() + text[1:]


def verdict(report: Report) -> str:
    """Say in one sentence what costs most, or that nothing does."""
    if not report.requests:
        return "There is no request in this log."
    avoidable = [total for total in totals(report) if total.cause != "never_seen"]
    if not avoidable:
        return "Nothing is wrong with these prompts: what was missed had never been sent before."
    worst = avoidable[0]
    name = NAMES.get(worst.cause, worst.cause)
    lost = percent(share(worst.tokens_lost, report.prompt_tokens))
    where, others = worst.rows[0].where, len(worst.rows) - 1
    place = f", at {shown(where)}" if where else ""
    more = f" and {number_of(others, 'more place')}" if place and others else ""
    return f"{name[0].upper()}{name[1:]} costs most: {lost} of the prompt tokens{place}{more}."


def number_of(number: int, noun: str, nouns: str = "") -> str:
    """Write a number with its noun.

    >>> number_of(1, "request"), number_of(2000, "request")
    ('1 request', '2,000 requests')
    """
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"
