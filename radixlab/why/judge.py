"""What each difference between a prompt and its reference is: white space, order, a value, an edit.

A single pair of prompts decides what it can: equal except for white space, the same items in
another order, another parameter, messages that came or went. Whether a value is volatile is decided
later, from all requests that differ at the same position (`groups.py`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from radixlab.why.alignment import Change, texts_of
from radixlab.why.diff import Span, normalised, num_common
from radixlab.why.order import MOST_OF_VALUE, containers, moved_messages, reordered
from radixlab.why.prompt import Prompt
from radixlab.why.units import MESSAGES
from radixlab.why.values import is_number, kind_of, known_value, whole_value

PARAMETERS = frozenset(("response_format", "tool_choice", "thinking", "output_config", "text"))
"""Fields of a body that stand in the prompt and are parameters."""
TOOLS = frozenset(("tools", "functions"))
MOST_WORDS = 6
"""A value with at least this many words is prose, which may differ between conversations."""
MOST_IDS = 64
"""Token ids of the longest value; more are a passage."""
CAME_OR_WENT = ("left out", "put in")
LEFT = 24
"""Characters before a value by which its position is known again."""
MOST_TOGETHER = 4
"""Differences that may be white space only together."""
ONE_TEXT = frozenset(("openai completion", "prompt", "token_ids"))
"""Forms of prompts in which no role tells what is history."""
BEHIND = 400
LEAST_BEHIND = 12
LINES_BEHIND = 2
"""Characters behind a difference by which a prompt is known again, letters of a line that tells
more than a template does, and such lines."""
OPENING = 40
OPENING_OF_IDS = 120
"""Characters at the end of a prompt that open the answer, at most; about 20 token ids."""
_SPEAKER = re.compile(
    r"[#<|\[* ]*(?:user|human|assistant|ai|bot|agent|customer|model|question|answer|q|a)"
    r"[|>\]*]* *\d* *[:>\]]",
    re.IGNORECASE,
)
"""How a line begins in which somebody speaks, in a prompt that is one text."""
_MARKUP = re.compile(r"<[^<>\s]*>|\[/?\w+\]|[\W_]")
_NOT_LETTERS = re.compile(r"[\d\W]+")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one pair of prompts shows of a difference's cause."""

    cause: str
    """A cause, or `value`: volatile if many requests differ here, else `otherwise`."""
    kind: str
    """The kind of difference in a few words, for the list of fixes."""
    key: tuple[str, ...] = ()
    """What the same difference in other requests has in common with this one."""
    otherwise: str = "never_seen"
    is_known: bool = False
    """Whether the form of a value alone shows that it is volatile."""
    is_prose: bool = False
    """Whether it is a passage of prose, which naturally differs between conversations."""


NOTHING = Verdict("never_seen", "new text")
EDITED = Verdict("history_edited", "changed", ("history",))
First = Callable[[], Prompt]


def judge(
    changes: list[Change], new: Prompt, old: Prompt, same_conversation: bool, first: First
) -> list[Verdict]:
    """Return a verdict for each difference; `first` reads the conversation's first prompt."""
    verdicts: list[Verdict | None] = [_alone(change, new, old) for change in changes]
    _find_whitespace(changes, verdicts, new, old)
    undecided = [number for number, verdict in enumerate(verdicts) if verdict is None]
    for numbers in containers(changes, undecided):
        group = [changes[i] for i in numbers]
        moved = reordered(group, numbers, new, old)
        if not moved and group[0].is_whole:
            moved = [numbers[i] for i in moved_messages(group, new, old)]
        for number in moved:
            otherwise = "order_changed" if same_conversation else "never_seen"
            key = (field_of(changes[number]),)
            verdicts[number] = Verdict("order_changed", "order", key, otherwise)
    for number in range(_num_before_new_text(changes, old), len(changes)):
        verdicts[number] = verdicts[number] or NOTHING
    judged: list[Verdict] = []
    end = 0
    for change, verdict in zip(changes, verdicts, strict=True):
        whole = change.span if change.is_whole else whole_span(change, new, old)
        if verdict is None and whole.start < end and judged[-1].cause == "value":
            verdict = judged[-1]  # two ids that have a character in common inside
        verdict = verdict or _value_or_edit(change, new, old, same_conversation, end)
        if verdict.otherwise == "history_edited" and _was_said(change, changes, new, first):
            verdict = EDITED
        judged.append(verdict)
        end = whole.end
    return _with_rewritten(_with_edges(changes, judged))


def _with_edges(changes: list[Change], verdicts: list[Verdict]) -> list[Verdict]:
    """Return the verdicts; white space that differs only beside texts belongs to them."""
    judged = list(verdicts)
    for number, verdict in enumerate(verdicts):
        if verdict.cause == "whitespace":
            beside = [
                verdicts[first + second - number]
                for first, second in ((number - 1, number), (number, number + 1))
                if first >= 0 and second < len(verdicts) and _touch(changes[first], changes[second])
            ]
            owners = [each for each in beside if each.cause not in ("whitespace", "order_changed")]
            if not owners:
                return verdicts
            judged[number] = owners[0]
    return judged


def _touch(first: Change, second: Change) -> bool:
    """Whether a difference begins where another one ends, in both prompts."""
    ends = first.span.end, first.span.old_end
    return ends == (second.span.start, second.span.old_start)


def _with_rewritten(verdicts: list[Verdict]) -> list[Verdict]:
    """Return the verdicts; prose that changed as passages came or went was rewritten with them.

    So does a summary that replaces the oldest messages, wherever it stands.
    """
    if not any(each.cause == "history_edited" and each.kind in CAME_OR_WENT for each in verdicts):
        return verdicts
    return [EDITED if each.cause == "value" and each.is_prose else each for each in verdicts]


def _num_before_new_text(changes: list[Change], old: Prompt) -> int:
    """Return how many differences have some text of the reference behind them.

    What differs behind its end is what the request adds. The few characters with which a prompt
    asks for the answer stand at the end of both.
    """
    agreed, num, end = 0, len(changes), len(old.text)
    most = OPENING if old.request.token_ids is None else OPENING_OF_IDS
    while num and agreed + end - changes[num - 1].span.old_end <= most:
        num -= 1
        agreed += end - changes[num].span.old_end
        end = changes[num].span.old_start
    return num


def _alone(change: Change, new: Prompt, old: Prompt) -> Verdict | None:
    """Judge what needs no other difference to be judged."""
    text, before = texts_of(change, new, old)
    is_text = not change.is_whole and new.request.token_ids is None
    if is_text and normalised(text) == normalised(before):
        return Verdict("whitespace", "white space", (field_of(change),))
    if change.unit.path[0] in PARAMETERS or (
        change.old_unit and change.old_unit.path[0] in PARAMETERS
    ):
        field = str((change.old_unit or change.unit).path[0])
        return Verdict("model_changed", field, (field,))
    return None


def _find_whitespace(
    changes: list[Change], verdicts: list[Verdict | None], new: Prompt, old: Prompt
) -> None:
    """Find neighbours that are white space together: a bracket at the end of one line, or below."""
    for number, change in enumerate(changes):
        for last in range(number + 1, min(number + MOST_TOGETHER, len(changes))):
            together = verdicts[number : last + 1]
            others = {each.cause for each in together if each} - {"whitespace"}
            if None not in together or others:
                break
            span, end = change.span, changes[last].span
            if changes[last].unit != change.unit or end.end - span.start > MOST_OF_VALUE:
                break
            text = new.text[span.start : end.end]
            if normalised(text) == normalised(old.text[span.old_start : end.old_end]):
                blank = Verdict("whitespace", "white space", (field_of(change),))
                verdicts[number : last + 1] = [blank] * len(together)


def field_of(change: Change) -> str:
    """Return the field of a body that a difference is in, or the role of its message."""
    unit = change.unit
    return unit.role if unit.path[0] in MESSAGES else str(unit.path[0])


def _value_or_edit(
    change: Change, new: Prompt, old: Prompt, same_conversation: bool, end_before: int
) -> Verdict:
    """Judge what is neither white space nor order; the difference before it ends at `end_before`.

    The words that tell the position of a value begin behind that difference, which varies.
    """
    text, before = texts_of(change, new, old)
    is_long = max(len(text), len(before)) > MOST_OF_VALUE
    num, num_before = len(text.split()), len(before.split())
    is_text = new.request.token_ids is None  # a value can be many token ids
    is_prose = max(num, num_before) >= (MOST_WORDS if is_text else MOST_IDS)
    is_cut = not is_text and num_before >= MOST_IDS // 2 > num and 2 * num < num_before
    is_system = same_conversation and field_of(change) == "system"
    is_passage = (is_long or is_prose) and not (text and before) and not is_system
    if change.is_whole or is_cut or is_passage:
        if same_conversation and change.unit.path[0] in TOOLS:
            return Verdict("model_changed", "tools", (str(change.unit.path[0]),))
        if same_conversation:
            what = "put in" if not before else "left out" if is_cut or not text else "changed"
            return Verdict("history_edited", what, ("history",))
        return NOTHING
    span = whole_span(change, new, old)
    text, before = new.text[span.start : span.end], old.text[span.old_start : span.old_end]
    left = new.text[max(change.unit.start, end_before, span.start - LEFT) : span.start]
    line = _NOT_LETTERS.sub(" ", left.rpartition("\n")[2])
    key = (field_of(change), line, _NOT_LETTERS.sub(" ", left))
    kinds = kind_of(text), kind_of(before)
    is_known = kinds[0] is not None and kinds[1] is not None
    number = is_number(text) and is_number(before)
    kind = kinds[0] or kinds[1] or ("number" if number else "value")
    is_prose = is_prose and kind == "value"
    if not same_conversation:
        return Verdict("value", kind, key, is_known=is_known, is_prose=is_prose or is_long)
    if kind == "value" and _is_history(change, new.text):
        return EDITED
    otherwise = "volatile_value" if is_system else "history_edited"
    return Verdict("value", kind, key, otherwise, is_known, is_prose)


def _is_history(change: Change, text: str) -> bool:
    """Whether a difference is in something that was said: in a message, or a line of a speaker."""
    if change.unit.path[0] in MESSAGES:
        return change.unit.role != "system"
    start = text.rfind("\n", 0, change.span.start) + 1
    return _SPEAKER.match(text, start) is not None


def _was_said(change: Change, changes: list[Change], new: Prompt, first: First) -> bool:
    """Whether a difference in a prompt that is one text is in what was said in the conversation.

    What follows a value of the instruction was already in the conversation's first prompt; what
    follows a question or an answer was not.
    """
    if new.request.form not in ONE_TEXT:
        return False
    lines = _agreed_behind(change, changes, new.text).split("\n")
    nearest = [line for line in lines if len(_MARKUP.sub("", line)) >= LEAST_BEHIND][:LINES_BEHIND]
    return bool(nearest) and not any(line in first().text for line in nearest)


def _agreed_behind(change: Change, changes: list[Change], text: str) -> str:
    """Return what agrees behind a difference, up to a limit; what differs is a line break here."""
    behind = [each.span for each in changes if each.span.start >= change.span.end]
    starts = [change.span.end, *(span.end for span in behind)]
    ends = [*(span.start for span in behind), len(text)]
    agreed, missing = list[str](), BEHIND
    for start, end in zip(starts, ends, strict=True):
        agreed += [line.strip() for line in text[start : min(end, start + missing)].split("\n")]
        missing -= end - start
        if missing <= 0:
            break
    return "\n".join(agreed)


def whole_span(change: Change, new: Prompt, old: Prompt) -> Span:
    """Return a difference with the whole of the values that differ, such as a whole clock."""
    span = change.span
    if new.request.token_ids is not None:
        return span
    inner = _trimmed(span, new.text, old.text)
    known = known_value(new.text, inner.start, inner.end)
    old_known = known_value(old.text, inner.old_start, inner.old_end)
    if known and old_known and known[0] >= change.unit.start:
        return Span(*known, *old_known)
    start, end = whole_value(new.text, span.start, span.end)
    old_start, old_end = whole_value(old.text, span.old_start, span.old_end)
    before, behind = span.start - start, end - span.end
    old_before, old_behind = span.old_start - old_start, old_end - span.old_end
    before, behind = max(before, old_before), max(behind, old_behind)
    return Span(
        max(span.start - before, change.unit.start),
        span.end + behind,
        max(span.old_start - before, 0),
        span.old_end + behind,
    )


def _trimmed(span: Span, new: str, old: str) -> Span:
    """Return a difference without the characters with which both sides begin and end."""
    text, before = new[span.start : span.end], old[span.old_start : span.old_end]
    first = num_common(text, before)
    last = num_common(text[first:][::-1], before[first:][::-1])
    return Span(span.start + first, span.end - last, span.old_start + first, span.old_end - last)
