"""Text in columns, for a terminal.

This file knows text. It does not know what stands in the cells.
"""

from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Align columns, a line for each row: the first to the left, the others to the right.

    >>> aligned([("a", "bb"), ("ccc", "d")])
    ['a    bb', 'ccc   d']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *cells]).rstrip())
    return lines
