"""Two prompts side by side: what differs, message by message and then word by word.

The units of two prompts (`units.py`) are matched first. A unit that has changed is then compared
word by word.
"""

from dataclasses import dataclass

from radixlab.why.anchors import share_windows
from radixlab.why.counting import num_in_both, plain_words
from radixlab.why.diff import ID_LEVELS, LEVELS, Span, differences, opcodes
from radixlab.why.prompt import Prompt
from radixlab.why.units import MESSAGES, Unit

ALIKE = 0.7
"""A unit that has at least this share of another unit's words is that unit, changed."""
LOOK_AHEAD = 16
"""How many old messages are compared with a message, to find the one that it resembles."""
FEW = 64
"""In a block of more messages, each is compared with only one."""


@dataclass(frozen=True, slots=True)
class Change:
    """A difference, and the unit in which it stands."""

    span: Span
    unit: Unit
    old_unit: Unit | None
    is_whole: bool
    """Whether whole units came, went or were replaced."""


def texts_of(change: Change, new: Prompt, old: Prompt) -> tuple[str, str]:
    """Return what stands in the prompt, and what stood in the earlier one."""
    span = change.span
    return new.text[span.start : span.end], old.text[span.old_start : span.old_end]


def changes_between(new: Prompt, old: Prompt) -> list[Change]:
    """Return all differences between a prompt and an earlier one, in order."""
    units, old_units = new.units, old.units
    texts = [new.text[unit.start : unit.end] for unit in units]
    old_texts = [old.text[unit.start : unit.end] for unit in old_units]
    levels = LEVELS if new.request.token_ids is None else ID_LEVELS
    changes: list[Change] = []
    for j1, j2, i1, i2 in opcodes(texts, old_texts):
        position = units[j1].start if j1 < len(units) else len(new.text)
        old_position = old_units[i1].start if i1 < len(old_units) else len(old.text)
        here = Unit(("answer",), "answer", position, position)
        for j, i in _pairs(texts, old_texts, units, old_units, (j1, j2, i1, i2)):
            unit = units[j] if j is not None else None
            old_unit = old_units[i] if i is not None else None
            if unit and old_unit and j is not None and i is not None:
                for span in differences(texts[j], old_texts[i], levels):
                    span = span.moved(unit.start, old_unit.start)
                    changes.append(Change(span, unit, old_unit, False))
            end = unit.end if unit else position
            old_end = old_unit.end if old_unit else old_position
            if not (unit and old_unit):
                span = Span(position, end, old_position, old_end)
                following = units[j1] if j1 < len(units) else here
                changes.append(Change(span, unit or following, old_unit, True))
            position, old_position = end, old_end
    return changes


def _pairs(
    texts: list[str],
    old_texts: list[str],
    units: list[Unit],
    old_units: list[Unit],
    block: tuple[int, int, int, int],
) -> list[tuple[int | None, int | None]]:
    """Pair the units of a block that differs: each with the next old one that it resembles."""
    j1, j2, i1, i2 = block
    ahead = LOOK_AHEAD if j2 - j1 <= FEW else 1
    pairs: list[tuple[int | None, int | None]] = []
    i = i1
    for j in range(j1, j2):
        like = next(
            (
                k
                for k in range(i, min(i2, i + ahead))
                if _alike(units[j], old_units[k], texts[j], old_texts[k])
            ),
            None,
        )
        if like is None:
            pairs.append((j, None))
            continue
        pairs += [(None, k) for k in range(i, like)]
        pairs.append((j, like))
        i = like + 1
    return pairs + [(None, k) for k in range(i, i2)]


def _alike(unit: Unit, old_unit: Unit, text: str, old: str) -> bool:
    """Whether one unit is the other, changed: the same field, or mostly the same words."""
    if unit.role != old_unit.role:
        return False
    if unit.path[0] not in MESSAGES or unit.role == "system":
        return True
    if not share_windows(text, old):
        return False
    words, old_words = plain_words(text), plain_words(old)
    num = min(words.total(), old_words.total())
    return num_in_both(words, old_words) >= ALIKE * max(num, 1)
