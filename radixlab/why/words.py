"""What the report says about a break: where it is, which values differ, and what to do about it.

A report without text names positions and lengths only.
"""

import json

from radixlab.why.alignment import Change
from radixlab.why.cache import Layers
from radixlab.why.groups import Group
from radixlab.why.judge import Verdict, whole_span
from radixlab.why.places import place_of
from radixlab.why.prompt import Prompt
from radixlab.why.request import Request

MOST_SHOWN = 200
"""Characters of a value that are shown."""
AROUND = 60
TOOLS = ("tools", "functions")
Place = tuple[str, str, str]
"""Where, the value before, and the value after."""


class Words:
    """Puts breaks into words, with or without the text of prompts."""

    def __init__(self, text: bool) -> None:
        self._text = text

    def of_change(self, change: Change, verdict: Verdict, new: Prompt, old: Prompt) -> Place:
        """Return the place of a difference, and both values."""
        span = whole_span(change, new, old) if verdict.cause == "value" else change.span
        if verdict.cause == "order_changed":
            return self._of_order(change, new, old)
        is_removed = not change.is_whole and span.start == span.end == change.unit.end
        at_end = is_removed and span.start > change.unit.start
        where = self._place(new, span.start, at_end)
        before, after = old.text[span.old_start : span.old_end], new.text[span.start : span.end]
        if verdict.cause == "history_edited":
            where = f"{where} ({verdict.kind})" if verdict.kind != "history_edited" else where
        return where, self._shown(before), self._shown(after)

    def around(self, change: Change, verdict: Verdict, new: Prompt) -> tuple[str, str]:
        """Return the text just before and just behind a difference; names of tools have none."""
        if not self._text or (verdict.cause == "order_changed" and change.unit.path[0] in TOOLS):
            return "", ""
        start, end = change.span.start, change.span.end
        return new.text[max(0, start - AROUND) : start], new.text[end : end + AROUND]

    def of_prefix(
        self,
        cause: str,
        request: Request,
        earlier: Request | None,
        layers: Layers,
        ttl: float | None,
    ) -> Place:
        """Return the place and the values of a loss that has nothing to do with the text."""
        whole = f"the prefix of {layers.anywhere:,} tokens"
        if cause == "model_changed" and earlier is not None:
            name, before, after = parameter(request, earlier)
            shown = self._text or name == "model"
            return (name, before, after) if shown else (name, "", "")
        if cause == "expired":
            then = earlier.timestamp if earlier is not None else None
            age = "" if then is None or request.timestamp is None else request.timestamp - then
            before = f"last used {age:,.0f} s before" if age != "" else ""
            return whole, before, f"kept for {ttl:,.0f} s" if ttl is not None else ""
        if cause == "below_minimum":
            least = f"found from {layers.minimum:,} tokens on" if layers.minimum else ""
            return whole, f"{layers.kept:,} tokens known", least or "no breakpoint behind it"
        return whole, "", ""

    def fix(self, cause: str, groups: list[Group]) -> str:
        """Return the advice for a cause, at the place where it cost most."""
        group = max(groups, key=lambda group: group.tokens)
        where = group.place[1]
        others = len({each.place[1] for each in groups}) - 1
        also = f" (and at {others} more place{'s' * (others > 1)})" if others > 0 else ""
        kind = group.verdict.kind
        if cause == "volatile_value":
            named = "value" if kind == "value" else kind
            return f"keep the {named} at {where} constant, or move it to the end{also}"
        if cause == "order_changed":
            return f"always send the same order: {where}{also}"
        if cause == "whitespace":
            return f"write white space, escapes and JSON always alike: {where}{also}"
        if cause == "history_edited":
            return f"leave earlier messages as they were: {where}{also}"
        if cause == "model_changed":
            return f"keep {where or 'model and parameters'} the same within a conversation{also}"
        if cause == "expired":
            return "keep prefixes longer than the time to live, or ask again before it ends"
        if cause == "below_minimum":
            return "share a prefix above the minimum (measured: the same log without a minimum)"
        return "give the cache enough blocks"

    def _of_order(self, change: Change, new: Prompt, old: Prompt) -> Place:
        span = change.span
        before, after = old.text[span.old_start : span.old_end], new.text[span.start : span.end]
        root = change.unit.path[0]
        if root not in TOOLS:
            where = self._place(new, span.start)
        else:
            where = str(root)
            names = _names_of_tools(old.request), _names_of_tools(new.request)
            before, after = names if all(names) else (before, after)
        return f"{where} (order)", self._shown(before), self._shown(after)

    def _place(self, prompt: Prompt, character: int, at_end: bool = False) -> str:
        position = self._position(prompt, character)
        return place_of(prompt.request, position, names=self._text, at_end=at_end)

    def _position(self, prompt: Prompt, character: int) -> int:
        """Return what `place_of` counts: characters, or tokens if the prompt is token ids."""
        return character if prompt.request.token_ids is None else prompt.position(character)

    def _shown(self, value: str) -> str:
        if not self._text:
            return ""
        return value if len(value) <= MOST_SHOWN else value[: MOST_SHOWN - 1] + "…"


def _names_of_tools(request: Request) -> str:
    """Return the names of the tools, in their order; nothing where a part is not one tool."""
    names = []
    for path, text in request.parts:
        if path[0] in TOOLS and len(path) == 2 and text.strip():
            try:
                tool = json.loads(text)
                names.append(str(tool.get("function", tool)["name"]))
            except (ValueError, TypeError, KeyError, AttributeError):
                return ""
    return ", ".join(names)


def parameter(request: Request, earlier: Request) -> Place:
    """Return the first parameter that differs, and both values: not text of a prompt."""
    now, then = dict(request.scope), dict(earlier.scope)
    for name in (*then, *now):
        if now.get(name) != then.get(name):
            return name, then.get(name, "not given"), now.get(name, "not given")
    return "scope", "", ""
