"""The weights that training starts from: a look-up circuit, roughly laid out.

To answer, the model must find the place in the document where the words just written stand, and say
what follows there. Attention does that in two steps, an *induction head* (Olsson et al., arXiv
2209.11895): a head of the first layer brings the word before into each position, and a head of a
later one looks for a position whose word before is its own. From random weights training finds the
circuit late or never; so it is sketched here, with noise, and training does the rest.
Knows parameters; no text.
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
    rope_theta=1e6,
    tied_embeddings=True,
)
EMBEDDING_STD = 0.1
CONSTANT = 0.3
"""What every embedding has in its first place, so that a head can be the same for all words."""


@torch.no_grad()
def start(config: ModelConfig, seed: int) -> Llama:
    """Make a model whose layer 0 looks back, and whose later layers match what it brought."""
    torch.manual_seed(seed)
    model = Llama(config)
    for part in model.modules():
        if isinstance(part, nn.Linear):
            nn.init.normal_(part.weight, std=0.3 * part.in_features**-0.5)
    nn.init.normal_(model.embed_tokens.weight, std=EMBEDDING_STD)
    model.embed_tokens.weight[:, 0] = CONSTANT
    first, *later = (layer.self_attn for layer in model.layers)
    width = config.hidden_size // config.num_heads
    read = orthogonal(config.hidden_size)[:width]  # [width, hidden_size]
    slots = orthogonal(config.hidden_size).split(width)  # num_heads × [width, hidden_size]
    look_back(first, model.frequencies, read, slots)
    for attention in later:
        match(attention, config, read, slots)
    return model


def orthogonal(size: int) -> Tensor:
    """Draw a rotation `[size, size]`."""
    return nn.init.orthogonal_(torch.empty(size, size))


def look_back(attention: Attention, frequencies: Tensor, read: Tensor, slots: list[Tensor]) -> None:
    """Let head h attend to the token h + 1 places back, and write what it reads into slot h.

    A query turned back by n places meets the key n places before it: RoPE does the counting.
    """
    head_dim, half = attention.head_dim, len(frequencies)
    fast = frequencies[: half * 3 // 8]
    strength = 2.8
    for start in range(0, len(attention.k_proj.weight), head_dim):
        attention.k_proj.weight[start : start + len(fast), 0] = strength
        attention.v_proj.weight[start : start + len(read)] = read
    for head, slot in enumerate(slots):
        at, angle = head * head_dim, fast * (head + 1)
        attention.q_proj.weight[at : at + len(fast), 0] = strength * angle.cos()
        attention.q_proj.weight[at + half : at + half + len(fast), 0] = -strength * angle.sin()
        attention.o_proj.weight[:, at : at + len(read)] = 0.15 * slot.T


def match(attention: Attention, config: ModelConfig, read: Tensor, slots: list[Tensor]) -> None:
    """Let queries look for the place after one like their own, and copy the word that is there.

    The word h places before the query is compared with the word h + 1 places before the key, in the
    half of the head's numbers that RoPE hardly turns.
    """
    size, half = config.head_dim, config.head_dim // 2
    slow = torch.cat([torch.arange(half // 2, half), torch.arange(half // 2, half) + half])
    group = config.group_size
    for kv_head in range(config.num_kv_heads):
        mixed = [1.2 * orthogonal(len(slow))[:, : len(read)] for _ in slots]
        key = sum(mix @ slot for mix, slot in zip(mixed, slots, strict=True))
        query = sum(mix @ seen for mix, seen in zip(mixed, [read, *slots], strict=False))
        copy = orthogonal(config.hidden_size)[:size]
        attention.k_proj.weight[slow + kv_head * size] += key
        attention.v_proj.weight[kv_head * size : (kv_head + 1) * size] = copy
        for head in range(kv_head * group, (kv_head + 1) * group):
            attention.q_proj.weight[slow + head * size] += query
            attention.o_proj.weight[:, head * size : (head + 1) * size] += 0.2 * copy.T
