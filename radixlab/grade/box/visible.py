"""What a learner's code printed or raised, made safe to show."""

from unicodedata import category


def visible(text: str, keep: str = "\n\t") -> str:
    r"""Show control characters, marks of direction and halves of characters as escapes.

    A terminal obeys some of them, and no file in UTF-8 can hold the halves.

    >>> visible("good\n\x1b[2Jbad \u202e")
    'good\n\\x1b[2Jbad \\u202e'
    """
    return text if text.isprintable() else "".join(_shown(c, keep) for c in text)


def _shown(character: str, keep: str) -> str:
    if character.isprintable() or character in keep or category(character) == "Zs":
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
