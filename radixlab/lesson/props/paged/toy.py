"""One attention layer small enough to watch: random weights, byte tokens, real RoPE.

It projects tokens to queries, keys and values like a model's layer. The key of a token depends only
on the token and its position; in a model of many layers it also depends on all earlier tokens. This
file does not know blocks or caches.
"""

from collections.abc import Sequence as Many

import torch
from torch import Tensor

from radixlab.model.llama import rope_frequencies, rotate

HEADS, KV_HEADS, HEAD_DIM, WIDTH = 4, 2, 32, 32


class ToyLayer:
    """Embedding and the three projections of a layer: 4 query heads, 2 KV heads of 32."""

    def __init__(self, seed: int = 0) -> None:
        generator = torch.Generator().manual_seed(seed)

        def draw(*shape: int) -> Tensor:
            return torch.randn(shape, generator=generator)

        self.embedding = draw(256, WIDTH)
        self.w_q, self.w_k, self.w_v = (
            draw(WIDTH, heads * HEAD_DIM) * WIDTH**-0.5 for heads in (HEADS, KV_HEADS, KV_HEADS)
        )
        self.frequencies = rope_frequencies(HEAD_DIM, theta=10_000.0)

    def project(self, tokens: Many[int], start: int = 0) -> tuple[Tensor, Tensor, Tensor]:
        """Return `q` `[n, 4, 32]` and `k`, `v` `[n, 2, 32]` of tokens from position `start` on."""
        hidden = self.embedding[torch.tensor(tokens)]  # [n, WIDTH]
        angles = (start + torch.arange(len(tokens)))[:, None, None] * self.frequencies
        turn = angles.cos(), angles.sin()  # [n, 1, HEAD_DIM / 2]
        q, k, v = (
            (hidden @ w).view(len(tokens), -1, HEAD_DIM) for w in (self.w_q, self.w_k, self.w_v)
        )
        return rotate(q, turn), rotate(k, turn), v


def agree(a: Tensor, b: Tensor, within: float = 1e-5) -> bool:
    """Whether all pairs of numbers differ by at most `within`."""
    return bool((a - b).abs().max() <= within)
