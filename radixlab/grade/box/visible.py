"""What a learner's code printed or raised, made safe to show."""

from unicodedata import category


def visible(text: str) -> str:
    r"""Show control characters, marks of direction and halves of characters as escapes.

    A terminal obeys some of them, and no file in UTF-8 can hold the halves.

    >>> visible("good\n\x1b[2Jbad \u202e")
    'good\n\\x1b[2Jbad \\u202e'
    """
    return text if text.isprintable() else "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character.isprintable() or character in "\n\t" or category(character) == "Zs":
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
