"""Text of other people, made safe to show: what nobody would see is spelt out.

This file knows characters. It does not know where they are shown: HTML is escaped there.
"""

import unicodedata

_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def plain(text: str) -> str:
    r"""Escape what nobody would see, or what would change the text around it.

    These are control and format characters (among them those that turn the direction of writing),
    lone surrogates, and separators of lines. js/summary.js has the same rule.

    >>> plain("Ann\u202e\x00")
    'Ann\\u202e\\u0000'
    """
    return "".join(escaped(c) if unicodedata.category(c) in _UNSEEN else c for c in text)


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


def count(number: int, word: str) -> str:
    """Write a count with its word: `1 node`, `2 nodes`."""
    return f"{number} {word}{'' if number == 1 else 's'}"
