"""How likely the model found the tokens that were chosen, and the likeliest ones beside them.

This file knows rows of logits. It does not know requests, or how a token was chosen.
"""

from collections.abc import Sequence as Many
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Logprob:
    """The log probability of a chosen token, by the model alone: before bias and temperature."""

    token_id: int
    logprob: float
    top: tuple[tuple[int, float], ...] = ()
    """The likeliest tokens and their log probabilities, likeliest first. The chosen token need not
    be among them."""


def logprobs_of(logits: Tensor, tokens: Many[int], num_top: Many[int]) -> list[Logprob]:
    """Return the log probability of each row's token; `logits` is `[n, vocab]`.

    `num_top` tells for each row how many of the likeliest tokens to list. The vocabulary is not
    sorted. Of equally likely tokens, any may be listed.

    >>> import torch
    >>> (found,) = logprobs_of(torch.tensor([[0.0, 2.0, 1.0]]), [2], [1])
    >>> round(found.logprob, 3), [(token, round(value, 3)) for token, value in found.top]
    (-1.408, [(1, -0.408)])
    """
    logits = logits.float()
    total = logits.logsumexp(-1, keepdim=True)
    chosen = (logits.gather(-1, total.new_tensor(tokens).long()[:, None]) - total)[:, 0].tolist()
    best = logits.topk(min(max(num_top), logits.shape[1]))
    values, ids = (best.values - total).tolist(), best.indices.tolist()
    return [
        Logprob(token, chosen[row], tuple(zip(ids[row], values[row], strict=True))[: num_top[row]])
        for row, token in enumerate(tokens)
    ]
