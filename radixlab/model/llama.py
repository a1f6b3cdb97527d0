"""The transformer of the Llama family, on a flat batch of tokens.

    token ids ─► embedding ─► [ norm ─► attend ─► norm ─► SwiGLU ] × layers ─► norm ─► logits

Every token is one row, no matter which request it belongs to: all layers except attention treat
each row separately. Attention is therefore passed in: `attend` decides which rows see which keys.
Dense attention and paged attention over the radix tree are two such functions (attend.py). All
other code is the same for both, so comparing the two tests the paged one.

Parameters have the names of a Hugging Face checkpoint (without the leading `model.`). This file
does not know batches, caches, blocks or devices.
"""

import math
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from radixlab.model.config import LinearScaling, ModelConfig, RopeScaling


class Attend(Protocol):
    """Attention of one layer over the keys that each row may see, its own key included."""

    def __call__(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attend: `q` `[T, heads, head_dim]`, new `k`, `v` `[T, kv_heads, head_dim]` → like `q`."""


Rotation = tuple[Tensor, Tensor]
"""Cosines and sines of the angles of every row, each `[T, 1, head_dim / 2]`, fp32."""


class Llama(nn.Module):
    """A Llama, Qwen2 or Qwen3 decoder, as its config says; load or train its parameters."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Layer(config, index) for index in range(config.num_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        if not config.tied_embeddings:
            self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        frequencies = rope_frequencies(config.head_dim, config.rope_theta, config.rope_scaling)
        self.frequencies: Tensor
        device = self.norm.weight.device
        self.register_buffer("frequencies", frequencies.to(device), persistent=False)

    def forward(self, token_ids: Tensor, positions: Tensor, attend: Attend) -> Tensor:
        """Return the last hidden state of each row: int `[T]`, int `[T]` → `[T, hidden_size]`."""
        hidden = self.embed_tokens(token_ids)
        rotation = self.rotation(positions)
        for layer in self.layers:
            hidden = layer(hidden, rotation, attend)
        normed: Tensor = self.norm(hidden)
        return normed

    def logits(self, hidden: Tensor) -> Tensor:
        """Return the logits of the next token: `[n, hidden_size]` → `[n, vocab_size]`, fp32."""
        head = self.embed_tokens if self.config.tied_embeddings else self.lm_head
        return functional.linear(hidden, head.weight).float()

    def rotation(self, positions: Tensor) -> Rotation:
        """Return the angles of RoPE at positions `[T]`, once for all layers."""
        angles = positions.float()[:, None, None] * self.frequencies  # [T, 1, head_dim / 2]
        return angles.cos(), angles.sin()


class Layer(nn.Module):
    """Attention, then SwiGLU; each reads the normalised hidden state and adds to it."""

    def __init__(self, config: ModelConfig, index: int) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.self_attn = Attention(config, index)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.mlp = SwiGLU(config)

    def forward(self, hidden: Tensor, rotation: Rotation, attend: Attend) -> Tensor:
        """`[T, hidden_size]` → the same shape."""
        hidden = hidden + self.self_attn(self.input_layernorm(hidden), rotation, attend)
        after: Tensor = hidden + self.mlp(self.post_attention_layernorm(hidden))
        return after


class Attention(nn.Module):
    """Project to queries, keys and values, rotate by position, attend, and project back."""

    def __init__(self, config: ModelConfig, index: int) -> None:
        super().__init__()
        self.index, self.head_dim = index, config.head_dim
        width, kv_width = (n * config.head_dim for n in (config.num_heads, config.num_kv_heads))
        self.q_proj = nn.Linear(config.hidden_size, width, config.qkv_bias)
        self.k_proj = nn.Linear(config.hidden_size, kv_width, config.qkv_bias)
        self.v_proj = nn.Linear(config.hidden_size, kv_width, config.qkv_bias)
        self.o_proj = nn.Linear(width, config.hidden_size, config.output_bias)
        if config.qk_norm:
            self.q_norm = RMSNorm(config.head_dim, config.rms_norm_eps)
            self.k_norm = RMSNorm(config.head_dim, config.rms_norm_eps)
        self.qk_norm = config.qk_norm

    def forward(self, hidden: Tensor, rotation: Rotation, attend: Attend) -> Tensor:
        """`[T, hidden_size]` → the same shape; keys are stored after their rotation."""
        heads = (len(hidden), -1, self.head_dim)
        q = self.q_proj(hidden).view(heads)  # [T, heads, head_dim]
        k = self.k_proj(hidden).view(heads)  # [T, kv_heads, head_dim]
        v = self.v_proj(hidden).view(heads)
        if self.qk_norm:
            q, k = self.q_norm(q), self.k_norm(k)
        attended = attend(self.index, rotate(q, rotation), rotate(k, rotation), v)
        out: Tensor = self.o_proj(attended.reshape(len(hidden), -1))
        return out


class SwiGLU(nn.Module):
    """A layer of `intermediate_size` gated units (Shazeer, arXiv 2002.05202)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        size, width, bias = config.hidden_size, config.intermediate_size, config.mlp_bias
        self.gate_proj = nn.Linear(size, width, bias)
        self.up_proj = nn.Linear(size, width, bias)
        self.down_proj = nn.Linear(width, size, bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """`[T, hidden_size]` → the same shape."""
        gate = functional.silu(self.gate_proj(hidden))
        out: Tensor = self.down_proj(gate * self.up_proj(hidden))
        return out


class RMSNorm(nn.Module):
    """Scale the last dimension to a root mean square of one, then by a learned weight."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """`[..., size]` → the same shape; the mean is computed in fp32."""
        if x.dtype == torch.float32:
            return functional.rms_norm(x, self.weight.shape, self.weight, self.eps)
        wide = x.float()
        scaled = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)
        return self.weight * scaled.to(x.dtype)


def rotate(x: Tensor, rotation: Rotation) -> Tensor:
    """Rotate pair (i, i + head_dim / 2) of each head by its angle: `[T, n, head_dim]` → the same.

    Then the dot product of a query and a key depends only on the distance of their positions
    (RoFormer, arXiv 2104.09864).
    """
    cos, sin = rotation
    first, second = x.float().chunk(2, -1)
    rotated = torch.cat((first * cos - second * sin, second * cos + first * sin), -1)
    return rotated.to(x.dtype)


def rope_frequencies(
    head_dim: int, theta: float, scaling: RopeScaling | LinearScaling | None = None
) -> Tensor:
    """Return the radians per position of each pair, `[head_dim / 2]`, fp32, on the CPU.

    >>> rope_frequencies(4, 100.0).tolist()
    [1.0, 0.10000000149011612]
    """
    pairs = torch.arange(0, head_dim, 2, dtype=torch.float32, device="cpu")
    frequencies = 1 / theta ** (pairs / head_dim)
    if scaling is None:
        return frequencies
    if isinstance(scaling, LinearScaling):
        return frequencies / scaling.factor
    turns = scaling.original_context_len * frequencies / (2 * math.pi)
    low, high = scaling.low_freq_factor, scaling.high_freq_factor
    kept = ((turns - low) / (high - low)).clamp(0, 1)  # 1: many turns in the context, unchanged
    return frequencies * (kept + (1 - kept) / scaling.factor)
