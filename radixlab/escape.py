"""Text of other people, made safe to show: invisible characters are written as escapes.

This file knows characters. It does not know where they are shown; the code that writes HTML
escapes HTML.
"""

import unicodedata


def plain(text: str) -> str:
    r"""Escape characters that nobody would see, or that would change the text around them.

    These are control and format characters (among them those that turn the direction of writing),
    lone surrogates, separators of lines, noncharacters, letters without a shape and selectors of
    variants. A joiner between two symbols stays: it makes one picture of two emoji. js/shown.js
    has the same rule.

    >>> plain("Ann\u202e\x00")
    'Ann\\u202e\\u0000'
    """
    if text.isascii() and text.isprintable():  # nearly every text
        return text
    return "".join(
        escaped(c) if _is_unseen(c) and not (c == _JOINER and _joins(text, at)) else c
        for at, c in enumerate(text)
    )


_JOINER = "\u200d"
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_SHAPELESS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
_SELECTORS = ((0x180B, 0x180F), (0xFE00, 0xFE0D), (0xE0100, 0xE01EF))


def _is_unseen(c: str) -> bool:
    if unicodedata.category(c) in _UNSEEN or c in _SHAPELESS:
        return True
    code = ord(c)
    if code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF:  # a noncharacter
        return True
    return any(first <= code <= last for first, last in _SELECTORS)


def _joins(text: str, at: int) -> bool:
    """Say whether the joiner at this index stands between two symbols, which emoji are."""
    before, after = text[max(0, at - 1) : at], text[at + 1 : at + 2]
    is_symbol = before == "\ufe0f" or (before and unicodedata.category(before) in ("So", "Sk"))
    return bool(is_symbol and after) and unicodedata.category(after) == "So"


def escaped(character: str) -> str:
    r"""Write a character as JSON and JavaScript do, by its UTF-16 units.

    >>> escaped("\u202e"), escaped("\U0001f600")
    ('\\u202e', '\\ud83d\\ude00')
    """
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[k : k + 2].hex()}" for k in range(0, len(units), 2))


def clip(text: str, head: int = 40, tail: int = 16) -> str:
    """Shorten long text in its middle."""
    return text if len(text) <= head + tail + 3 else f"{text[:head]} … {text[-tail:]}"


def count(number: int, word: str, plural: str | None = None) -> str:
    """Write a count with its word, and its verb if there is one.

    >>> count(1, "node"), count(2, "node"), count(1, "leaf is", "leaves are")
    ('1 node', '2 nodes', '1 leaf is')
    """
    return f"{number} {word if number == 1 else plural or word + 's'}"
