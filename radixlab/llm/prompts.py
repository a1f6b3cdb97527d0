"""What counts as one prompt, and what as several: told apart by type alone, never by content.

    "text"                  one text
    ["text", "text"]        several texts
    [1, 2, 3]               one prompt of token ids: every item is an int
    [[1, 2], [3, 4, 5]]     several prompts of token ids
    ["text", [1, 2, 3]]     several prompts, of both kinds
    array of shape (n,)     one prompt of token ids
    array of shape (m, n)   m prompts of token ids
    []                      no prompt, so no answer

An array is NumPy's or torch's, on any device. A tuple or a range counts as a list. An array of
texts counts as a list of texts. Everything else is refused by name: numbers among prompts, a
mapping, an iterator, bytes. This file does not know tokenizers or models.
"""

from collections.abc import Mapping
from collections.abc import Sequence as Many
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from radixlab.cache.tokens import Tokens, TokensLike
from radixlab.sched import ArgumentError

Prompt = str | TokensLike
"""Text, if there is a tokenizer, or token ids."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages that a chat template is to write as a prompt, and what else the template reads."""

    messages: Any
    variables: Mapping[str, Any]


def as_prompts(given: Any) -> list[Any]:
    """List the prompts that a caller gave, one or several; raise `ArgumentError` for other things.

    >>> as_prompts("text"), as_prompts([1, 2, 3]), as_prompts([[1, 2], "text"])
    (['text'], [[1, 2, 3]], [[1, 2], 'text'])
    """
    if isinstance(given, str | Tokens):
        return [given]
    if is_array(given):
        return _of_array(given)
    if not isinstance(given, Many) or isinstance(given, bytes | bytearray | memoryview):
        raise ArgumentError(f"prompts must be a text, token ids, or a list, not {short(given)}")
    is_id = [isinstance(item, Integral) for item in given]
    if given and all(is_id):
        return [given]
    if any(is_id):
        where = is_id.index(True)
        raise ArgumentError(f"prompts has the number {given[where]!r} at {where}, beside prompts")
    for item in given:
        if isinstance(item, Mapping):
            raise ArgumentError(f"a prompt is text or token ids, not {short(item)}: use chat")
    return list(given)


def as_conversations(given: Any, variables: Mapping[str, Any]) -> list[Conversation]:
    """List the conversations that a caller gave: a list of messages, or a list of such lists."""
    if isinstance(given, Many) and not isinstance(given, str | bytes) and given:
        are_messages = {isinstance(item, Mapping) for item in given}
        if are_messages == {True}:
            return [Conversation(given, variables)]
        if are_messages == {False} and all(isinstance(item, list | tuple) for item in given):
            return [Conversation(item, variables) for item in given]
    raise ArgumentError(
        f"messages must be a list of messages, or a list of such lists, not {short(given)}"
    )


def is_array(value: object) -> bool:
    """Whether a value has what the arrays of NumPy and torch have in common."""
    return hasattr(value, "ndim") and hasattr(value, "dtype") and hasattr(value, "tolist")


def token_ids(prompt: Any) -> TokensLike:
    """Return token ids in a form that the cache takes: an array of torch becomes a list."""
    if is_array(prompt) and not isinstance(prompt, np.ndarray):
        return prompt.tolist()  # type: ignore[no-any-return]
    return prompt  # type: ignore[no-any-return]


def _of_array(given: Any) -> list[Any]:
    """List the prompts of an array: each row of a matrix is one."""
    is_text = isinstance(given, np.ndarray) and given.dtype.kind in "UO"
    if is_text and given.ndim == 1:
        return as_prompts(given.tolist())
    if given.ndim == 1:
        return [given]
    if given.ndim == 2 and not is_text:
        return list(given)
    raise ArgumentError(f"prompts must be an array of one or two dimensions, not {given.ndim}")


def short(value: object) -> str:
    """Return at most 24 characters that show a caller's argument."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 24 else f"{text[:20]}…"
