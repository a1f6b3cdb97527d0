"""A request as the analysis sees it: its text, its tokens, and which token a character is in.

Without a tokenizer, four bytes of UTF-8 count as one token, so that byte b is in token b // 4. A
prompt of token ids has a text too, for comparisons: its ids as decimal numbers, one blank between
them.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from radixlab.why.digests import TokenArray
from radixlab.why.request import Request

BYTES_PER_TOKEN = 4


class Tokenizer(Protocol):
    """What turns texts into token ids."""

    @property
    def name(self) -> str:
        """As the report names it."""

    def tokens(self, text: str) -> TokenArray:
        """Return the token ids of a text."""

    def position(self, text: str, character: int) -> int:
        """Return how many tokens begin before a character of a text."""


class FourBytes:
    """Four bytes a token: no tokenizer of anybody's, and quick.

    >>> FourBytes().tokens("abcdefg").tobytes()
    b'abcdefg\\x00'
    >>> FourBytes().position("abcdefg", 5)
    2
    """

    name = "bytes ÷ 4"

    def tokens(self, text: str) -> TokenArray:
        """Return the bytes of a text as integers of four bytes, the last one filled with zeros."""
        data = text.encode(errors="replace")
        data += b"\0" * (-len(data) % BYTES_PER_TOKEN)
        return np.frombuffer(data, np.int32)

    def position(self, text: str, character: int) -> int:
        """Return how many tokens begin before a character of a text."""
        num_bytes = character if text.isascii() else len(text[:character].encode(errors="replace"))
        return -(-num_bytes // BYTES_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class Prompt:
    """One request with its text and its tokens."""

    request: Request
    text: str
    tokens: TokenArray
    tokenizer: Tokenizer

    def position(self, character: int) -> int:
        """Return how many tokens begin before this character."""
        if self.request.token_ids is None:
            return self.tokenizer.position(self.text, character)
        return self.text.count(" ", 0, character) + (character > 0)


def tokens_of(request: Request, tokenizer: Tokenizer) -> TokenArray:
    """Return the tokens of a request, without anything else."""
    if request.token_ids is not None:
        return np.ascontiguousarray(request.token_ids, np.int32)
    return tokenizer.tokens(request.text)


def prompt_of(request: Request, tokenizer: Tokenizer) -> Prompt:
    """Return a request with its text and its tokens."""
    ids: Any = request.token_ids
    text = request.text if ids is None else " ".join(map(str, ids.tolist()))
    return Prompt(request, text, tokens_of(request, tokenizer), tokenizer)
