"""Log probabilities in the two forms that OpenAI's API has for them.

`Texts` decodes token by token; a token that is only a part of a character decodes to �, so chats
carry its bytes too.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from radixlab.model.logprobs import Logprob


class Texts(Protocol):
    """What knows the text of a token."""

    def decode(self, token_ids: Sequence[int], /) -> str:
        """Return the text of tokens."""


def of_completion(texts: Texts, logprobs: Sequence[Logprob], num_before: int) -> dict[str, Any]:
    """Return the `logprobs` of a completion; `num_before` characters came before these tokens."""
    tokens = [texts.decode([each.token_id]) for each in logprobs]
    offsets = []
    for token in tokens:
        offsets.append(num_before)
        num_before += len(token)
    return {
        "tokens": tokens,
        "token_logprobs": [each.logprob for each in logprobs],
        "top_logprobs": [
            {texts.decode([token]): value for token, value in reversed(each.top)}
            for each in logprobs
        ],
        "text_offset": offsets,
    }


def of_chat(texts: Texts, logprobs: Sequence[Logprob]) -> dict[str, Any]:
    """Return the `logprobs` of a chat."""
    content = [
        {
            **_token(texts, each.token_id, each.logprob),
            "top_logprobs": [_token(texts, *pair) for pair in each.top],
        }
        for each in logprobs
    ]
    return {"content": content, "refusal": None}


def _token(texts: Texts, token_id: int, logprob: float) -> dict[str, Any]:
    text = texts.decode([token_id])
    return {"token": text, "bytes": [*text.encode()], "logprob": logprob}
