"""Answers of OpenAI's API, whole or streamed, completion or chat, in one form.

What arrives is not trusted: a field of the wrong type counts as absent. This file knows JSON. It
does not know HTTP.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from radixlab.certify.outcome import CannotTell


@dataclass(frozen=True, slots=True)
class Token:
    """A token of an answer, with its log probability."""

    text: str
    logprob: float
    margin: float | None
    """By how much it beats the next likely token; None if that was not sent."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer says that it cost; None for what it does not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None


@dataclass(slots=True)
class Choice:
    """One of an answer's texts."""

    text: str = ""
    finish_reason: str | None = None
    tokens: list[Token] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    choices: tuple[Choice, ...]
    usage: Usage
    headers: Mapping[str, str]
    body: Any = None
    """The JSON of an answer that was not streamed."""

    @property
    def text(self) -> str:
        """The first text."""
        return self.choices[0].text

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts."""
        return tuple(choice.text for choice in self.choices)

    @property
    def finish_reasons(self) -> tuple[str | None, ...]:
        """Why each text ended."""
        return tuple(choice.finish_reason for choice in self.choices)


def whole(body: Any, headers: Mapping[str, str]) -> Answer:
    """Read an answer that was not streamed."""
    listed = _choices(body)
    if not listed:
        raise CannotTell("the answer has no choices")
    choices = [Choice() for _ in listed]
    for number, each in enumerate(listed):
        _take(each, choices[_index(each, number, len(choices))])
    return Answer(tuple(choices), usage_of(body), headers, body)


def streamed(chunks: Iterable[Any], headers: Mapping[str, str]) -> Answer:
    """Put the chunks of a stream together."""
    choices: dict[int, Choice] = {}
    usage = Usage()
    for chunk in chunks:
        for each in _choices(chunk):
            _take(each, choices.setdefault(_index(each, 0, 1024), Choice()))
        if isinstance(chunk, dict) and isinstance(chunk.get("usage"), dict):
            usage = usage_of(chunk)
    if not choices:
        raise CannotTell("the stream has no choices")
    return Answer(tuple(choices[index] for index in sorted(choices)), usage, headers)


def usage_of(body: Any) -> Usage:
    """Read the usage of an answer."""
    usage = _dict(body, "usage")
    details = _dict(usage, "prompt_tokens_details")
    return Usage(
        _count(usage.get("prompt_tokens")),
        _count(usage.get("completion_tokens")),
        _count(details.get("cached_tokens")),
    )


def _take(each: Mapping[str, Any], choice: Choice) -> None:
    """Add what a choice of an answer, or of a chunk, says."""
    message = each.get("message") or each.get("delta")
    text = message.get("content") if isinstance(message, dict) else each.get("text")
    if isinstance(text, str):
        choice.text += text
    if isinstance(each.get("finish_reason"), str):
        choice.finish_reason = each["finish_reason"]
    choice.tokens += _tokens(each.get("logprobs"))


def _tokens(found: Any) -> list[Token]:
    """Read log probabilities, in the form of a completion or of a chat."""
    if not isinstance(found, dict):
        return []
    if isinstance(found.get("content"), list):
        return [_chat_token(each) for each in found["content"] if isinstance(each, dict)]
    texts, values = found.get("tokens"), found.get("token_logprobs")
    tops = found.get("top_logprobs")
    if not isinstance(texts, list) or not isinstance(values, list):
        return []
    tops = tops if isinstance(tops, list) else []
    tops = [*tops, *[None] * (len(texts) - len(tops))]
    return [
        Token(str(text), float(value), _margin(float(value), _others(top, str(text))))
        for text, value, top in zip(texts, values, tops, strict=False)
        if isinstance(value, int | float)
    ]


def _others(top: Any, text: str) -> list[float]:
    if not isinstance(top, dict):
        return []
    return [v for name, v in top.items() if name != text and isinstance(v, int | float)]


def _chat_token(each: Mapping[str, Any]) -> Token:
    value = each.get("logprob")
    value = float(value) if isinstance(value, int | float) else 0.0
    text, top = str(each.get("token")), each.get("top_logprobs")
    listed = {t.get("token"): t.get("logprob") for t in top or () if isinstance(t, dict)}
    return Token(text, value, _margin(value, _others(listed, text)))


def _margin(value: float, others: list[float]) -> float | None:
    return value - max(others) if others else None


def _choices(body: Any) -> list[Any]:
    listed = body.get("choices") if isinstance(body, dict) else None
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _index(each: Mapping[str, Any], default: int, most: int) -> int:
    index = each.get("index")
    return index if isinstance(index, int) and 0 <= index < most else default


def _dict(body: Any, name: str) -> dict[str, Any]:
    found = body.get(name) if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}


def _count(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None
