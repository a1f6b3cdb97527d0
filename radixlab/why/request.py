"""One request of a log, as the rest of the package sees it: parts of text, or token ids.

This file knows neither formats nor causes.
"""

from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
"""Where a value stands in a body: `("messages", 2, "content")`."""
Part = tuple[Path, str]
"""A stretch of a prompt: where its text comes from, and the text. Markup has its message's path."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the server that answered reported, in tokens."""

    prompt_tokens: int | None = None
    cached_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a log.

    The prompt is the text of all `parts` in order, or `token_ids` (then there are no parts).
    Requests of different `scope` never share a prefix: model, adapter, salt, and every parameter
    that changes what a server puts before the prompt, each as a pair of its name and its value.
    """

    line: int
    """Line of the log, from 1."""
    offset: int
    """Byte of the (unpacked) log at which the line begins, so that it can be read again."""
    form: str
    """`openai chat`, `openai completion`, `anthropic`, `prompt` or `token_ids`."""
    scope: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...] = ()
    token_ids: Any = None
    """A NumPy array of int32, or None."""
    breakpoints: tuple[int, ...] = ()
    """Numbers of parts after which the caller asks for caching (Anthropic's `cache_control`)."""
    timestamp: float | None = None
    """Seconds; None where the log does not say."""
    session: str | None = None
    usage: Usage | None = None

    @property
    def text(self) -> str:
        """The whole prompt as text."""
        return "".join([text for _, text in self.parts])
