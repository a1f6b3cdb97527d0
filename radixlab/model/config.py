"""The sizes and switches of a model of Llama's architecture.

This file knows numbers. `llama.py` has the arithmetic, and the loader reads `config.json`.
"""

from dataclasses import dataclass

from radixlab.config import ConfigError, positive


@dataclass(frozen=True, slots=True)
class RopeScaling:
    """How Llama 3.1 stretches RoPE beyond the context length that it was trained on.

    Wavelengths above `original_context_len / low_freq_factor` are stretched by `factor`. Those
    below `original_context_len / high_freq_factor` are kept. The factor changes smoothly in between
    (the Llama 3 herd of models, arXiv 2407.21783, and its reference code).
    """

    factor: float
    low_freq_factor: float
    high_freq_factor: float
    original_context_len: int

    def __post_init__(self) -> None:
        positive("original_context_len", self.original_context_len)
        _above_zero("factor", self.factor)
        if not 0 < self.low_freq_factor < self.high_freq_factor:
            raise ConfigError(
                f"low_freq_factor is {self.low_freq_factor}: it must be above 0 and below "
                f"high_freq_factor, which is {self.high_freq_factor}"
            )


@dataclass(frozen=True, slots=True)
class LinearScaling:
    """The plain way to stretch RoPE: every wavelength is multiplied by `factor`."""

    factor: float

    def __post_init__(self) -> None:
        _above_zero("factor", self.factor)


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """A decoder: RMSNorm, RoPE, grouped-query attention, SwiGLU.

    The switches make it Llama, Qwen2 (`qkv_bias`) or Qwen3 (`qk_norm`).
    """

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    """Width of the SwiGLU layer."""
    num_layers: int
    num_heads: int
    """Query heads: a multiple of `num_kv_heads`."""
    num_kv_heads: int
    head_dim: int
    """Numbers in a query or key: even, because RoPE rotates pairs."""
    max_context_len: int
    """Most tokens of prompt and answer together."""
    rms_norm_eps: float = 1e-6
    rope_theta: float = 10_000.0
    rope_scaling: RopeScaling | LinearScaling | None = None
    qkv_bias: bool = False
    output_bias: bool = False
    """Whether attention's output projection has a bias."""
    mlp_bias: bool = False
    qk_norm: bool = False
    """Whether each head's query and key are normalised before RoPE."""
    tied_embeddings: bool = False
    """Whether the last layer uses the embedding's matrix."""

    def __post_init__(self) -> None:
        names = ("vocab_size", "hidden_size", "intermediate_size", "num_layers", "num_heads")
        for name in (*names, "num_kv_heads", "head_dim", "max_context_len"):
            positive(name, getattr(self, name))
        _above_zero("rms_norm_eps", self.rms_norm_eps)
        _above_zero("rope_theta", self.rope_theta)
        if self.num_heads % self.num_kv_heads:
            raise ConfigError(
                f"num_heads is {self.num_heads}: it must be a multiple of num_kv_heads, "
                f"which is {self.num_kv_heads}"
            )
        if self.head_dim % 2:
            raise ConfigError(f"head_dim is {self.head_dim}: RoPE needs an even number")

    @property
    def group_size(self) -> int:
        """Query heads per KV head."""
        return self.num_heads // self.num_kv_heads

    @property
    def kv_numbers_per_token(self) -> int:
        """Numbers in a token's KV over all layers; times the dtype's size, this is its bytes."""
        return 2 * self.num_layers * self.num_kv_heads * self.head_dim


def _above_zero(name: str, value: float) -> None:
    if not value > 0:
        raise ConfigError(f"{name} must be above 0, not {value}")
