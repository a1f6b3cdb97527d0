"""Two values that differ, and the text around them, in pieces that a page can mark.

This file knows strings. It does not know HTML.
"""

from dataclasses import dataclass

from radixlab.why.report import Break
from radixlab.why.show.words import shown

_CONTEXT = 60
"""Characters of text around the values, and of what the two values have in common."""
_VALUE = 240


@dataclass(frozen=True, slots=True)
class Line:
    """One of the two prompts at a break: `lead` same `changed` same `tail`.

    `start` and `end` are what both values begin and end with; only `changed` differs.
    """

    lead: str
    start: str
    changed: str
    end: str
    tail: str


def diff(each: Break) -> tuple[Line, Line] | None:
    """Return the earlier prompt and the later one at a break; None without text.

    >>> old, new = diff(Break(2, 1, "volatile_value", "", "10:34", "10:35", 9, 0, 8, "at ", " pm"))
    >>> old.changed, new
    ('4', Line(lead='at ', start='10:3', changed='5', end='', tail=' pm'))
    """
    if not (each.before or each.after):
        return None
    head, foot = common(each.before, each.after)
    return _line(each, each.before, head, foot), _line(each, each.after, head, foot)


def common(before: str, after: str) -> tuple[int, int]:
    """Return how many characters both values begin with, and how many both end with.

    >>> common("12:00:01", "12:00:31")
    (6, 1)
    """
    most = min(len(before), len(after))
    head = next((k for k in range(most) if before[k] != after[k]), most)
    foot = next((k for k in range(most - head) if before[-1 - k] != after[-1 - k]), most - head)
    return head, foot


def _line(each: Break, value: str, head: int, foot: int) -> Line:
    spaces = each.cause == "whitespace"
    end = len(value) - foot
    changed = shown(value[head:end], _VALUE, spaces)
    if not value:
        changed = "(nothing)"
    return Line(
        lead=_last(each.lead, spaces),
        start=shown(value[:head], _CONTEXT, spaces),
        changed=changed,
        end=shown(value[end:], _CONTEXT, spaces),
        tail=_first(each.tail, spaces),
    )


def _last(text: str, spaces: bool) -> str:
    cut = text[-_CONTEXT:]
    return ("… " if len(cut) < len(text) else "") + shown(cut, 2 * _CONTEXT, spaces)


def _first(text: str, spaces: bool) -> str:
    cut = text[:_CONTEXT]
    return shown(cut, 2 * _CONTEXT, spaces) + (" …" if len(cut) < len(text) else "")
