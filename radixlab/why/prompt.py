"""A request as the analysis sees it: its text, its tokens, and which token a character is in.

Without a tokenizer, four bytes of UTF-8 count as one token, so that byte b is in token b // 4. A
prompt of token ids has a text too, for comparisons: its ids as decimal numbers. A line break
follows each id that is a multiple of a fixed number, and a space follows every other id, the last
one too. So equal runs of ids have equal lines at any position, long prompts can be compared by
lines first, and ids from two prompts can be put together without being glued.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from radixlab.why.digests import TokenArray
from radixlab.why.request import Request
from radixlab.why.tokenizers import TOKEN_BYTES, BytesOverFour, TextTokenizer

LINE_END = 16
"""A new line is written behind the ids that are multiples of this."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One request with its text and its tokens."""

    request: Request
    text: str
    tokens: TokenArray
    tokenizer: TextTokenizer

    def position(self, character: int) -> int:
        """Return how many tokens begin before this character."""
        if self.request.token_ids is not None:
            before = self.text[:character]
            inside = character > 0 and not before[-1].isspace()
            return before.count(" ") + before.count("\n") + inside
        before = self.text[:character]
        if isinstance(self.tokenizer, BytesOverFour):
            num_bytes = character if before.isascii() else len(before.encode())
            return -(-num_bytes // TOKEN_BYTES)
        return len(self.tokenizer.encode(before))


def are_bytes(request: Request, tokenizer: TextTokenizer) -> bool:
    """Whether the tokens of a request are the bytes of its text."""
    return request.token_ids is None and isinstance(tokenizer, BytesOverFour)


def tokens_of(request: Request, tokenizer: TextTokenizer) -> TokenArray:
    """Return the tokens of a request, without anything else."""
    if request.token_ids is not None:
        return np.ascontiguousarray(request.token_ids, np.int32)
    return tokenizer.encode(request.text)


def prompt_of(request: Request, tokenizer: TextTokenizer) -> Prompt:
    """Return a request with its text and its tokens."""
    ids: Any = request.token_ids
    text = request.text if ids is None else _written(ids.tolist())
    return Prompt(request, text, tokens_of(request, tokenizer), tokenizer)


def _written(token_ids: list[int]) -> str:
    r"""Return token ids as a text.

    >>> _written([5, 16, 7])
    '5 16\n7 '
    """
    ends = ("\n" if token % LINE_END == 0 else " " for token in token_ids)
    return "".join(f"{token}{end}" for token, end in zip(token_ids, ends, strict=True))
