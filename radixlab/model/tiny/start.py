"""The weights at the start of training: a rough sketch of a circuit that looks things up.

To answer, the model must find the words that it has just said in the document, and say what follows
them there. Attention does this in two steps, by an *induction head* (Olsson et al., arXiv
2209.11895). A head of the first layer copies the previous word into every position. A head of a
later layer looks for the position whose previous word is its own word, and copies the word there.
Random weights need long to become such heads, so they are sketched here, with noise, four words
deep. Training does the rest. This file knows parameters. It does not know text.
"""

import torch
from torch import Tensor, nn

from radixlab.model.config import ModelConfig
from radixlab.model.llama import Attention, Llama
from radixlab.model.tiny.examples import IDS

CONFIG = ModelConfig(
    vocab_size=len(IDS),
    hidden_size=128,
    intermediate_size=256,
    num_layers=3,
    num_heads=4,
    num_kv_heads=2,
    head_dim=64,
    max_context_len=2048,
    rope_theta=1e6,  # half of a head's numbers hardly rotate in 1,000 tokens: they compare words
    tied_embeddings=True,
)
CONSTANT = 0.3
"""The first number of every embedding, three times as large as the others."""
LOOK_BACK, LOOKED_BACK = 2.8, 0.15
"""Strength of the queries and keys of layer 0, and of what its heads write."""
MATCH, COPY = 1.2, 0.2
"""The same for the later layers."""


@torch.no_grad()
def start(config: ModelConfig, seed: int) -> Llama:
    """Make a model whose layer 0 looks back, and whose later layers match what layer 0 wrote."""
    torch.manual_seed(seed)
    model = Llama(config)
    for part in model.modules():
        if isinstance(part, nn.Linear):
            nn.init.normal_(part.weight, std=0.3 * part.in_features**-0.5)
    nn.init.normal_(model.embed_tokens.weight, std=0.1)
    model.embed_tokens.weight[:, 0] = CONSTANT
    width = config.hidden_size // config.num_heads
    read = orthogonal(config.hidden_size)[:width]  # [width, hidden_size]
    slots = orthogonal(config.hidden_size).split(width)  # num_heads × [width, hidden_size]
    first, *later = (part for part in model.modules() if isinstance(part, Attention))
    look_back(first, model.frequencies, read, slots)
    for attention in later:
        match(attention, config, read, slots)
    return model


def orthogonal(size: int) -> Tensor:
    """Draw a rotation `[size, size]`."""
    return nn.init.orthogonal_(torch.empty(size, size))


def look_back(
    attention: Attention, frequencies: Tensor, read: Tensor, slots: tuple[Tensor, ...]
) -> None:
    """Let head h attend to the token h + 1 positions back, and write that token to subspace h.

    All tokens have the same query and key, because of the constant in their embeddings. RoPE
    rotates both by their positions. The query is rotated back by h + 1 positions more, so that it
    matches the key at that distance.
    """
    size = attention.head_dim
    half = len(frequencies)
    fast = frequencies[: half * 3 // 8]  # rotates enough from one position to the next
    for at in range(0, len(attention.k_proj.weight), size):
        attention.k_proj.weight[at : at + len(fast), 0] = LOOK_BACK
        attention.v_proj.weight[at : at + len(read)] = read
    for head, slot in enumerate(slots):
        at, angles = head * size, fast * (head + 1)
        attention.q_proj.weight[at : at + len(fast), 0] = LOOK_BACK * angles.cos()
        attention.q_proj.weight[at + half : at + half + len(fast), 0] = -LOOK_BACK * angles.sin()
        attention.o_proj.weight[:, at : at + len(read)] = LOOKED_BACK * slot.T


def match(
    attention: Attention, config: ModelConfig, read: Tensor, slots: tuple[Tensor, ...]
) -> None:
    """Let queries look for a position after the same words as theirs, and copy the word there.

    The word n positions before the query is compared with the word n + 1 positions before the key,
    in the numbers of a head that RoPE hardly rotates.
    """
    size, half, group = config.head_dim, config.head_dim // 2, config.group_size
    slow = torch.cat([torch.arange(half // 2, half), torch.arange(half // 2, half) + half])
    for kv_head in range(config.num_kv_heads):
        mixes = [MATCH * orthogonal(len(slow))[:, : len(read)] for _ in slots]
        copy = orthogonal(config.hidden_size)[:size]
        at = kv_head * size
        attention.k_proj.weight[slow + at] += total(mixes, slots)
        attention.v_proj.weight[at : at + size] = copy
        for head in range(kv_head * group, (kv_head + 1) * group):
            attention.q_proj.weight[slow + head * size] += total(mixes, (read, *slots[:-1]))
            attention.o_proj.weight[:, head * size : (head + 1) * size] += COPY * copy.T


def total(mixes: list[Tensor], parts: tuple[Tensor, ...]) -> Tensor:
    """Sum `mix @ part`; each mix is `[n, width]`, each part is `[width, hidden_size]`."""
    products = [mix @ part for mix, part in zip(mixes, parts, strict=True)]
    return torch.stack(products).sum(0)
