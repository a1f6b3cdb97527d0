"""The position of a character in a prompt, in words that its author can follow.

    system, line 3, character 14
    system (messages[0].content), line 3, character 14
    messages[4].content, line 1, character 1
    tools[2].function.parameters.properties.city.description, line 1, character 9

Lines and characters count from 1, inside the text that the words name, as an editor counts them.
"""

import json
import re
from dataclasses import dataclass
from itertools import takewhile

from radixlab.why.errors import name
from radixlab.why.request import Path, Request

JSON_FIELDS = frozenset(
    ("tools", "functions", "documents", "mcp_servers", "response_format", "tool_choice",
     "thinking", "output_config")
)  # fmt: skip
"""Fields of a body whose parts are JSON."""
TEXT_FIELDS = frozenset(("content", "text", "thinking", "refusal", "data", "prompt", "output"))
"""Fields whose parts are texts, even where such a text looks like JSON."""
KNOWN_FIELDS = TEXT_FIELDS | JSON_FIELDS | frozenset(
    ("messages", "system", "instructions", "input", "suffix", "inputs", "tool_calls", "function",
     "arguments", "source", "reasoning", "reasoning_content", "answer", "format")
)  # fmt: skip
INSTRUCTING = frozenset(("system", "developer"))
BEFORE_FIRST = -1
"""The index in a list before its first item; an empty list has no other."""
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\],:]|[^\s{}\[\],:"]+')


@dataclass(frozen=True, slots=True)
class Place:
    """Where a character of a prompt stands in the body."""

    path: Path
    """As exact as it can be: inside JSON, too."""
    part: int
    """Number of the part, from 0."""
    text: str | None
    """The text before the character in the value of `path`; None where the character is in JSON
    between values, in a key, or in markup."""


def place_of(request: Request, character: int, names: bool = True, at_end: bool = False) -> str:
    """Return the place of a character of a prompt, or of a token if the prompt is token ids.

    Keys inside of tools, schemas and other JSON are a part of the prompt. Without `names` the words
    end above them, as they must where no text may be shown. With `at_end`, the end of the text
    before the character is meant, not the beginning of the next one.
    """
    if request.token_ids is not None:
        return f"position {character}"
    place = locate(request, character - at_end)
    if place is None:
        return "the end of the prompt"
    path = place.path if names else _without_names(request.parts[place.part][0])
    words = _named(request, path)
    if place.text is None or path != place.path:
        return words
    before = place.text + (request.text[character - 1] if at_end else "")
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    return f"{words}, line {line}, character {column}"


def locate(request: Request, character: int) -> Place | None:
    """Find the part and the path of a character; None behind the prompt's end."""
    start = 0
    for number, (path, text) in enumerate(request.parts):
        if character < start + len(text):
            if _is_markup(request, number):
                return Place(path, number, None)
            if _is_json(path, text):
                steps, before = _locate_in_json(text, character - start)
                return Place((*path, *steps), number, before)
            return Place(path, number, text[: character - start])
        start += len(text)
    return None


def role_of(request: Request, path: Path) -> str | None:
    """Return the role of the message that a path leads into; None if it leads into no message."""
    if path[:1] == ("system",) or path[:1] == ("instructions",):
        return "system"
    if path[:1] not in (("messages",), ("input",)):
        return None
    for at, text in request.parts:
        if at == path[:2]:
            found = re.search(r"<\|([^ |]+)", text)
            return found[1] if found else None
    return None


def _named(request: Request, path: Path) -> str:
    if path == ("answer",):
        return "the beginning of the answer"
    words = name(path)
    role = role_of(request, path)
    if path[0] == "messages" and role in INSTRUCTING and len(path) > 2:
        return f"{role} ({words})"
    return f"{words}, role" if len(path) == 2 and path[0] in ("messages", "input") else words


def _without_names(path: Path) -> Path:
    """Return the beginning of a path that has only the names of the API's own fields."""
    known = takewhile(lambda step: isinstance(step, int) or step in KNOWN_FIELDS, path)
    return tuple(known)


def _is_markup(request: Request, number: int) -> bool:
    """Whether a part is not of the body: the line before a message, or a template's text."""
    path, text = request.parts[number]
    if path == ("answer",) or (path[0] == "messages" and len(path) == 2):
        return True
    return (text.startswith(("<|", "\n<|")) and text.endswith("|>\n")) or text == "\n"


def _is_json(path: Path, text: str) -> bool:
    if path[0] in JSON_FIELDS:
        return text[:1] in ("{", "[")
    return path[-1] not in TEXT_FIELDS and len(path) > 1 and text[:1] in ("{", "[")


def _locate_in_json(text: str, character: int) -> tuple[Path, str | None]:
    """Return the path to a character of a JSON text, and what is before it in its string."""
    steps: list[str | int | None] = []  # the key or index in each object or list that is open
    is_key: list[bool] = []  # whether a key comes next there; never in a list
    for token in _TOKEN.finditer(text):
        if token.start() > character:
            break
        said = token[0]
        is_here = character < token.end()
        if steps and steps[-1] == BEFORE_FIRST and said != "]":
            steps[-1] = 0
        if said in "{[":
            if is_here:
                break
            steps.append(None if said == "{" else BEFORE_FIRST)
            is_key.append(said == "{")
        elif said in "}]":
            if is_here or not steps:
                break
            steps.pop()
            is_key.pop()
        elif said == "," and steps:
            last = steps[-1]
            if isinstance(last, int):
                steps[-1] = last + 1
            else:
                is_key[-1] = True
        elif said == ":" and is_key:
            is_key[-1] = False
        elif said.startswith('"') and is_key and is_key[-1]:
            steps[-1] = _decoded(said[1:-1])
        elif is_here and said.startswith('"'):
            return _path(steps), _decoded(said[1 : character - token.start()])
    return _path(steps), None


def _path(steps: list[str | int | None]) -> Path:
    return tuple(step for step in steps if step is not None and step != BEFORE_FIRST)


def _decoded(text: str) -> str:
    """Return the text of a JSON string, or of the beginning of one."""
    for cut in range(min(6, len(text)) + 1):  # an escape at the end may be cut off: \u00e
        try:
            return str(json.loads(f'"{text[: len(text) - cut]}"'))
        except ValueError:
            continue
    return text
