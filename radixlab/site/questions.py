"""The guesses of a lesson on a page: a box to guess in, and the answer that is told later.

In a committed notebook both are printed text. The page finds them there again, in the order of the
calls in the cell. A text that does not fit its calls stays as it was printed.
"""

import html
import re
from collections.abc import Callable, Iterator

from radixlab.lesson.calls import keys

_ASKED = re.compile(r"^Predict: (?P<text>.+)\n(?P<options>(?:  ○ .+\n?)+)", re.MULTILINE)
_TOLD = re.compile(r"^You made no guess; the engine says (?P<answer>.+)\.$\n?", re.MULTILINE)
_NUMBER = re.compile(r"a number(?: of (.+))?")


def printed(text: str, source: str) -> str:
    """Return what a cell printed as HTML; `source` is the cell's code."""
    boxes = [
        *_found(_ASKED, text, keys(source, "predict"), _question),
        *_found(_TOLD, text, keys(source, "reveal"), _answer),
    ]
    parts, end = [], 0
    for start, stop, box in sorted(boxes):
        parts += [_plain(text[end:start]), box]
        end = stop
    return "".join([*parts, _plain(text[end:])])


def _found(
    pattern: re.Pattern[str], text: str, names: list[str], draw: Callable[[re.Match[str], str], str]
) -> Iterator[tuple[int, int, str]]:
    hits = list(pattern.finditer(text))
    if len(hits) == len(names):
        for hit, name in zip(hits, names, strict=True):
            yield hit.start(), hit.end(), draw(hit, html.escape(name))


def _plain(text: str) -> str:
    body = html.escape(text.strip("\n"), quote=False)
    return f'<pre class="out">{body}</pre>\n' if body.strip() else ""


def _question(asked: re.Match[str], key: str) -> str:
    options = [line.removeprefix("  ○ ") for line in asked["options"].splitlines()]
    text = html.escape(asked["text"])
    number = _NUMBER.fullmatch(options[0]) if len(options) == 1 else None
    answers = _field(number[1] or "") if number else "".join(map(_choice, options))
    return (
        f'<form class="guess" data-key="{key}"><fieldset><legend>{text}</legend>{answers}'
        '<p class="said" role="status"></p></fieldset></form>\n'
    )


def _field(unit: str) -> str:
    unit = html.escape(unit)
    return (
        f'<label class="number"><input name="guess" inputmode="decimal" autocomplete="off" '
        f'data-unit="{unit}" aria-label="Your guess"> {unit}</label>'
        '<button type="submit">Guess</button>'
    )


def _choice(option: str) -> str:
    value = html.escape(option)
    return f'<button type="submit" name="guess" value="{value}">{value}</button>'


def _answer(told: re.Match[str], key: str) -> str:
    answer = html.escape(told["answer"])
    return (
        f'<p class="answer" data-key="{key}" data-answer="{answer}">'
        f"The engine says <b>{answer}</b>.</p>\n"
    )
