"""What kind of value is this: a clock, a date, an id? Patterns name values and keep them whole.

Whether a value is volatile is seen from the log: the same position takes many values. The patterns
here only name such a value, show all of it, and recognise it where the log has too few examples.
"""

import re
from functools import lru_cache
from itertools import pairwise

_MONTH = (
    r"(?:jan|feb|mar|m[äa]r|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez|janv|f[ée]vr|avr|juin|"
    r"juil|ao[ûu]t|d[ée]c|ene|abr|ago|dic|gen|mag|giu|lug|set|ott)\w*\.?"
)
_DAY_NAME = (
    r"(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|montag|dienstag|mittwoch|"
    r"donnerstag|freitag|samstag|sonntag|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lunes|"
    r"martes|mi[ée]rcoles|jueves|viernes|s[áa]bado|domingo|luned[ìi]|marted[ìi]|mercoled[ìi]|"
    r"gioved[ìi]|venerd[ìi]|domenica)"
)
_DAY = rf"(?:{_DAY_NAME}|(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so)\.?)"
_TIME = (
    r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s?[ap]\.?m\b\.?)?"
    r"(?:\s?(?:Z|UTC|GMT|CES?T|[A-Z]{1,2}[SD]T|[+-]\d{2}:?\d{2})\b)?"
)
_DATE = (
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|"
    rf"(?:{_DAY},?\s+)?(?:the\s+)?\d{{1,2}}(?:st|nd|rd|th|\.)?[\s-](?:of\s|de\s)?{_MONTH},?"
    r"[\s-](?:de\s)?\d{2,4}|"
    rf"(?:{_DAY},?\s+)?{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s\d{{4}})?)"
)
_ID = r"(?<![\w-])"
_END = r"(?![\w-])"

KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("date and time", rf"(?<!\d){_DATE}(?:,?\s+(?:at\s|um\s|à\s)?|T|_|\s-\s){_TIME}"),
        (
            "date and time",
            rf"(?<!\w)(?:{_DAY},?\s+)?{_MONTH}\s+\d{{1,2}},?\s+{_TIME}(?:\s+[A-Z]{{2,5}})?\s+\d{{4}}"
            r"(?!\d)",
        ),
        ("date and time", r"(?<!\d)\d{8}T?\d{6}Z?(?!\d)"),
        ("date", rf"(?<![\w]){_DATE}(?!\d)"),
        ("date", r"(?:\d{4}年)?\d{1,2}月\d{1,2}日|\d{4}년\s?\d{1,2}월\s?\d{1,2}일"),
        ("clock", rf"(?<![\d:]){_TIME}(?![\d:])"),
        ("UUID", rf"{_ID}[0-9a-f]{{8}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{12}}"),
        ("seconds since 1970", rf"{_ID}1[3-9]\d{{8}}(?:\.\d+|\d{{3}}|\d{{6}}|\d{{9}})?{_END}"),
        ("day of the week", rf"(?<!\w){_DAY_NAME}(?!\w)"),
    )
)
_MARKS = (
    ("clock", "date"), ("clock", "month"), ("digits",), ("date",), ("ideograph",), ("clock",),
    ("hyphens",), ("digits",), ("day",),
)  # fmt: skip
"""What a text must have for each of the kinds to be in it."""
_MARKED = tuple((*kind, marks) for kind, marks in zip(KINDS, _MARKS, strict=True))
_MONTH_MARKS = (
    "jan", "feb", "mar", "mär", "apr", "may", "mai", "jun", "jul", "aug", "sep", "oct", "okt",
    "nov", "dec", "dez", "fév", "fev", "avr", "jui", "aoû", "aou", "déc", "ene", "abr", "ago",
    "dic", "gen", "mag", "giu", "lug", "set", "ott",
)  # fmt: skip
_DAY_MARKS = (
    "day", "tag", "mittwoch", "di", "dì", "manche", "lunes", "martes", "coles", "jueves", "viernes",
    "bado", "domingo", "domenica",
)  # fmt: skip
_DATE_MARK = re.compile(r"\d[-/.]\d")
_CLOCK_MARK = re.compile(r"\d:\d\d")
_DIGITS_MARK = re.compile(r"\d{8}")
_BEFORE = re.compile(r"[#$€£¥]?[\w./\\~+@-]*\Z", re.ASCII)
_BEHIND = re.compile(r"(?:[./\\~+@-]?\w)*(?:\s?(?:%|°[CF]))?", re.ASCII)
_INSIDE = re.compile(r"[\w./\\~+@-]*", re.ASCII)
"""What can stand inside one word, path or id."""
_TOKEN = re.compile(r"[A-Za-z0-9_~+/=-]{8,}")
_NUMBER = re.compile(r"[-+#$€£¥]?\s?\d[\d.,' ]*\s?(?:%|°?[CFK]|EUR|USD|GBP|[€$£¥])?")
Range = tuple[int, int]
MOST_OF_VALUE_WORDS = 5
"""Words of a difference up to which it can be a value; more are prose, which may contain one."""
WINDOW = 48
"""Characters around a difference in which a value that covers it is looked for."""
_HEX_LENGTH = 8


def kind_of(value: str) -> str | None:
    """Name the kind of a value that changes by its nature; None if it may be anything.

    >>> kind_of("12:03:44"), kind_of("2026-11-28"), kind_of("01ARZ3NDEKTSV4RRFFQ69G5FAV")
    ('clock', 'date', 'random id')
    >>> kind_of("twelve")
    """
    value = value.strip(" \t\n\"'`()[]<>{},;")
    for kind, pattern in KINDS:
        if pattern.fullmatch(value.rstrip(".")):
            return kind
    return "random id" if looks_random(value) else None


def looks_random(value: str) -> bool:
    """Whether a word looks like an id that a machine drew: hexadecimal, base 32, base 64, ….

    >>> looks_random("9f86d081"), looks_random("V1StGXR8_Z5jdHi6"), looks_random("internationalise")
    (True, False, False)
    >>> looks_random("V1StGXR8Z5jdHi6BmyT")
    True
    """
    if not _TOKEN.fullmatch(value):
        return False
    compact = value.replace("-", "").replace("_", "")
    digits = sum(character.isdigit() for character in compact)
    letters = len(compact) - digits
    if not digits or not letters or len(compact) < _HEX_LENGTH:
        return False
    if all(character in "0123456789abcdefABCDEF" for character in compact):
        return True
    switches = sum(a.isdigit() != b.isdigit() for a, b in pairwise(compact))
    upper = sum(character.isupper() for character in compact)
    mixed = 0 < upper < letters and not value.istitle()
    return len(compact) >= 16 and (switches >= 4 or (mixed and switches >= 3))


def is_number(value: str) -> bool:
    """Whether a value is a number, with or without a unit."""
    return _NUMBER.fullmatch(value.strip()) is not None


def whole_value(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the range of the known value that covers a difference, or of the word around it.

    >>> text = "Now: 12:03:44."
    >>> whole_value(text, 11, 13)
    (5, 13)
    """
    known = known_value(text, start, end)
    if known is not None:
        return known
    left, right = max(0, start - WINDOW), min(len(text), end + WINDOW)
    first, last = _word_around(text[left:right], start - left, end - left)
    return first + left, last + left


def known_value(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return the range of the longest value of a known kind that covers a difference."""
    if end - start > 4 * WINDOW:
        return None  # no known value is that long, and a search would cost much
    left, right = max(0, start - WINDOW), min(len(text), end + WINDOW)
    first, last = _known_in(text[left:right], start - left, end - left)
    return (first + left, last + left) if last else None


@lru_cache(maxsize=1024)  # a difference is looked at several times, and again as the earlier one
def _known_in(text: str, start: int, end: int) -> Range:
    """Return the range of the longest known value that covers a difference; (0, 0) if none does."""
    best = 0, 0
    for pattern in _possible(text):
        for found in pattern.finditer(text):
            first, last = found.span()
            if text[last - 1] == "." and last > end:
                last -= 1
            covers = first <= start and end <= last and first < end
            if covers and last - first > best[1] - best[0]:
                best = first, last
    return best


def _possible(text: str) -> list[re.Pattern[str]]:
    """Return the patterns of those kinds whose marks a text has: most texts have none.

    To look for a mark is many times as fast as to try a pattern at every character.
    """
    text = text.replace("\u0130", "i").lower()  # the dotted I, which a pattern reads as an i
    text = text.replace("\u0131", "i").replace("\u017f", "s")  # so the dotless i, the long s
    has_month = any(map(text.__contains__, _MONTH_MARKS))
    has = {
        "month": has_month,
        "date": has_month or _DATE_MARK.search(text) is not None,
        "clock": _CLOCK_MARK.search(text) is not None,
        "digits": _DIGITS_MARK.search(text) is not None,
        "ideograph": "月" in text or "월" in text,
        "hyphens": text.count("-") >= 4,
        "day": any(map(text.__contains__, _DAY_MARKS)),
    }
    return [pattern for _, pattern, marks in _MARKED if all(map(has.__getitem__, marks))]


def are_two_values(text: str, first: Range, second: Range) -> bool:
    """Whether two ranges near one another stand in values of their own.

    A value of a known kind is a matter of its own. Two numbers are, if a word between them names
    the second one.

    >>> text = "It is 12:03:44, request 4711."
    >>> are_two_values(text, (12, 14), (24, 28)), are_two_values(text, (6, 8), (12, 14))
    (True, False)
    """
    gap = text[first[1] : second[0]]
    most = max(len(text[slice(*each)].split()) for each in (first, second))
    if most > MOST_OF_VALUE_WORDS or _INSIDE.fullmatch(gap):
        return False
    known = _own_value(text, first), _own_value(text, second)
    if known[0] or known[1]:
        return (known[0] or first)[1] <= (known[1] or second)[0]
    is_named = any(letter.isalpha() for letter in gap)
    return is_named and is_number(text[slice(*first)]) and is_number(text[slice(*second)])


def _own_value(text: str, part: Range) -> Range | None:
    """Return the range of the value of a known kind that a difference is in, a random id too."""
    known = known_value(text, *part)
    if known is not None or part[0] == part[1]:
        return known
    whole = whole_value(text, *part)
    return whole if looks_random(text[slice(*whole)]) else None


def _word_around(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a range to the path, the number with its unit, or the word that it is in."""
    if start == end or text[start:end].isspace():
        return start, end
    before = _BEFORE.search(text[:start])
    behind = _BEHIND.match(text[end:])
    return start - len(before[0] if before else ""), end + len(behind[0] if behind else "")
