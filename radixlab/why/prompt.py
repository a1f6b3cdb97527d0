"""A request as the analysis sees it: its text, its tokens, and which token a character is in.

Without a tokenizer, four bytes of UTF-8 count as one token, so that byte b is in token b // 4. A
prompt of token ids has a text too, for comparisons: its ids as decimal numbers. A line break
follows each id that is a multiple of a fixed number, and a space follows every other id, the last
one too. So equal runs of ids have equal lines at any position, long prompts can be compared by
lines first, and ids from two prompts can be put together without being glued.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import Any

import numpy as np

from radixlab.why.digests import TokenArray
from radixlab.why.request import Request
from radixlab.why.tokenizers import TOKEN_BYTES, BytesOverFour, TextTokenizer
from radixlab.why.units import Unit, units_of

LINE_END = 16
"""A new line is written behind the ids that are multiples of this."""


@dataclass(frozen=True)
class Prompt:
    """One request with its text and its tokens, which are made when they are first asked for."""

    request: Request
    tokenizer: TextTokenizer

    @cached_property
    def text(self) -> str:
        """The whole prompt as text."""
        ids: Any = self.request.token_ids
        return self.request.text if ids is None else _written(ids.tolist())

    @cached_property
    def tokens(self) -> TokenArray:
        """The tokens, int32 `[n]`."""
        if self.request.token_ids is not None:
            return np.ascontiguousarray(self.request.token_ids, np.int32)
        return self.tokenizer.encode(self.text)

    @cached_property
    def units(self) -> list[Unit]:
        """The tools, the system prompt, and every message."""
        return units_of(self.request, self.text)

    @property
    def are_bytes(self) -> bool:
        """Whether the tokens are the bytes of the text."""
        return self.request.token_ids is None and isinstance(self.tokenizer, BytesOverFour)

    def position(self, character: int) -> int:
        """Return how many tokens begin before this character."""
        if self.request.token_ids is not None:
            before = self.text[:character]
            inside = character > 0 and not before[-1].isspace()
            return before.count(" ") + before.count("\n") + inside
        return self.positions_in(self.text, [character])[0]

    def positions_in(self, text: str, characters: Iterable[int]) -> list[int]:
        """Return how many tokens begin before each of some characters of a text, ascending.

        The text is the prompt's, or what stands for it; not token ids.
        """
        if not isinstance(self.tokenizer, BytesOverFour):
            return [len(self.tokenizer.encode(text[:character])) for character in characters]
        positions, num_bytes, last = [], 0, 0
        is_ascii = text.isascii()
        for character in characters:
            between = character - last if is_ascii else len(text[last:character].encode())
            num_bytes, last = num_bytes + between, character
            positions.append(-(-num_bytes // TOKEN_BYTES))
        return positions

    def ends_of_parts(self) -> list[int]:
        """Return the character at which each part of the prompt ends."""
        return list(accumulate(len(text) for _, text in self.request.parts))


def _written(token_ids: list[int]) -> str:
    r"""Return token ids as a text.

    >>> _written([5, 16, 7])
    '5 16\n7 '
    """
    return "".join(map(_word_of, token_ids))


@lru_cache(maxsize=2**18)
def _word_of(token: int) -> str:
    return f"{token}\n" if token % LINE_END == 0 else f"{token} "
