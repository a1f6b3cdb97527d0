"""How often each word comes in a text. Two texts with the same words hold the same items.

Short texts are counted often: when units are matched, when differences are split, when they are
judged, and once more when a later prompt is compared with this one. So their counts are kept.
"""

import re
from collections import Counter
from functools import lru_cache
from itertools import repeat

SHORT = 4096
"""Characters up to which a text's counts are kept; few of them, so that memory stays bounded."""
MOST_KEPT = 256
IDEOGRAPH = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_ASCII_LETTER = r"[A-Za-z0-9_]"


def letters(letter: str) -> str:
    """Return the pattern of a word of such letters: a clock, a UUID and an address are one word."""
    return rf"{letter}+(?:(?:[-./+@]|(?<=\d):(?=\d)){letter}+)*"


LETTERS = letters(rf"[^\W{IDEOGRAPH}]")
ASCII_LETTERS = letters(_ASCII_LETTER)
_VISIBLE = re.compile(rf"{LETTERS}|[{IDEOGRAPH}]|[^\w\s]")
_ASCII_VISIBLE = re.compile(rf"{ASCII_LETTERS}|[^A-Za-z0-9_\s]")
_PLAIN, _ASCII_PLAIN = re.compile(r"\w+"), re.compile(rf"{_ASCII_LETTER}+")
Counts = Counter[str]


def visible_word(text: str) -> re.Pattern[str]:
    """Return the pattern of a word or a mark in a text; the one for ASCII takes half the time."""
    return _ASCII_VISIBLE if text.isascii() else _VISIBLE


def visible_words(text: str) -> Counts:
    """Return how often each word and each mark comes in a text; not to be changed.

    >>> visible_words("At 12:03, at home.")["12:03"]
    1
    """
    return _visible_words(text) if len(text) <= SHORT else _visible_words.__wrapped__(text)


def plain_words(text: str) -> Counts:
    """Return how often each run of letters and digits comes in a text; not to be changed."""
    return _plain_words(text) if len(text) <= SHORT else _plain_words.__wrapped__(text)


def num_in_both(first: Counts, second: Counts) -> int:
    """Return how many words two texts have in common, each as often as both have it."""
    return sum(map(min, first.values(), map(second.get, first, repeat(0))))


@lru_cache(maxsize=MOST_KEPT)
def _visible_words(text: str) -> Counts:
    return Counter(visible_word(text).findall(text))


@lru_cache(maxsize=MOST_KEPT)
def _plain_words(text: str) -> Counts:
    return Counter((_ASCII_PLAIN if text.isascii() else _PLAIN).findall(text))
