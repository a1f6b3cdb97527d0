"""Which characters the pictures can draw: those of DejaVu, the fonts that matplotlib brings.

No other font is used, so that a picture is the same on every machine. A character that these fonts
lack, such as an emoji or a Chinese one, is written by its number; so it is readable, and its width
is known.
"""

from functools import cache

from matplotlib.font_manager import FontProperties, findfont, get_font

from radixlab.viz.text import escaped, plain

MONO = "DejaVu Sans Mono"


def drawable(text: str) -> str:
    r"""Write a line break as an arrow, and escape what the font lacks or nobody would see.

    >>> drawable("Ann \u6771\n")
    'Ann \\u6771↵'
    """
    known = _known()
    line = plain(text.replace("\n", "↵"))
    return "".join(c if ord(c) in known else escaped(c) for c in line)


@cache
def _known() -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties(family=MONO))).get_charmap())
