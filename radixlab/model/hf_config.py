"""From a Hugging Face `config.json` to our `ModelConfig`.

Knows the file's names and which models this code can be: what it does not know it refuses, because
a switch that is overlooked gives a model that talks, and wrongly.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radixlab.config import ConfigError
from radixlab.model.config import LinearScaling, ModelConfig, RopeScaling
from radixlab.model.errors import BadFileError, UnsupportedModelError
from radixlab.model.folder import read_json

ARCHITECTURES = ("LlamaForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM")
MOST, MOST_LAYERS = 2**31 - 1, 10_000
"""Of any size in a file: a damaged one must not keep us building layers for ever."""


def load_config(folder: str | Path) -> ModelConfig:
    """Read a model's sizes and switches from its `config.json`.

    Raises `MissingFileError`, `BadFileError` or `UnsupportedModelError`.
    """
    path = Path(folder) / "config.json"
    fields = Fields(path, read_json(path))
    architecture = _architecture(fields)
    _refuse_unknown_switches(fields)
    hidden_size, num_heads = fields.integer("hidden_size"), fields.integer("num_attention_heads")
    try:
        theta, scaling = _rope(fields)
        return ModelConfig(
            vocab_size=fields.integer("vocab_size"),
            hidden_size=hidden_size,
            intermediate_size=fields.integer("intermediate_size"),
            num_layers=fields.integer("num_hidden_layers", most=MOST_LAYERS),
            num_heads=num_heads,
            num_kv_heads=fields.integer("num_key_value_heads", num_heads),
            head_dim=fields.integer("head_dim", hidden_size // max(num_heads, 1)),
            max_context_len=fields.integer("max_position_embeddings"),
            rms_norm_eps=fields.number("rms_norm_eps", 1e-6),
            rope_theta=theta,
            rope_scaling=scaling,
            tied_embeddings=fields.flag("tie_word_embeddings"),
            **_switches(architecture, fields),
        )
    except ConfigError as error:
        raise BadFileError(f"{path}: {error}") from error


@dataclass(frozen=True, slots=True)
class Fields:
    """The values of a JSON object by name and type; `null` is as good as absent.

    A value of another type, or one without a default that is absent, is a `BadFileError`.
    """

    path: Path
    values: dict[str, Any]

    def integer(self, name: str, default: int | None = None, most: int = MOST) -> int:
        """Return an integer; one above `most` is a `BadFileError` too."""
        value = int(self._value(name, int, default))
        if value > most:
            raise BadFileError(f"{self.path}: {name} cannot be above {most}, and is {value!s:.20}")
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """Return a number; integers count."""
        return float(self._value(name, (int, float), default))

    def flag(self, name: str) -> bool:
        """Return true or false; absent is false."""
        return bool(self._value(name, bool, False))

    def text(self, name: str, default: str | None = None) -> str:
        """Return a string."""
        return str(self._value(name, str, default))

    def several(self, name: str) -> list[Any]:
        """Return a list; absent is empty."""
        return list(self._value(name, list, []))

    def under(self, *names: str) -> "Fields":
        """Return the object under the first of these names that is there; else an empty one."""
        found = [name for name in names if self.values.get(name) is not None]
        return Fields(self.path, self._value(found[0], dict, None) if found else {})

    def _value(self, name: str, kind: Any, default: Any) -> Any:
        value = self.values.get(name)
        value = default if value is None else value
        if value is None:
            raise BadFileError(f"{self.path}: {name} is missing")
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise BadFileError(f"{self.path}: {name} cannot be {value!r}")
        return value


def _architecture(fields: Fields) -> str:
    names = fields.several("architectures")
    for name in ARCHITECTURES:
        if name in names:
            return name
    raise UnsupportedModelError(
        f"{fields.path}: architectures is {names}; known are {', '.join(ARCHITECTURES)}"
    )


def _switches(architecture: str, fields: Fields) -> dict[str, bool]:
    """Return what tells the three apart."""
    if architecture == "Qwen2ForCausalLM":
        return {"qkv_bias": True}
    bias = fields.flag("attention_bias")
    switches = {"qkv_bias": bias, "output_bias": bias}
    if architecture == "Qwen3ForCausalLM":
        return switches | {"qk_norm": True}
    return switches | {"mlp_bias": fields.flag("mlp_bias")}


def _rope(fields: Fields) -> tuple[float, RopeScaling | LinearScaling | None]:
    """Read the base and the scaling of RoPE, as transformers 5 or as earlier ones wrote them."""
    rope = fields.under("rope_parameters", "rope_scaling")
    theta = rope.number("rope_theta", fields.number("rope_theta", 10_000.0))
    kind = rope.text("rope_type", rope.text("type", "default"))
    if kind == "default":
        return theta, None
    if kind == "linear":
        return theta, LinearScaling(rope.number("factor"))
    if kind == "llama3":
        return theta, RopeScaling(
            rope.number("factor"),
            rope.number("low_freq_factor"),
            rope.number("high_freq_factor"),
            rope.integer("original_max_position_embeddings"),
        )
    raise UnsupportedModelError(
        f"{fields.path}: RoPE of type {kind!r}; known are 'default', 'linear', 'llama3'"
    )


def _refuse_unknown_switches(fields: Fields) -> None:
    values = fields.values
    rope = fields.under("rope_parameters", "rope_scaling")
    wrong = {
        "hidden_act": fields.text("hidden_act", "silu") != "silu",
        "use_sliding_window": fields.flag("use_sliding_window"),
        "layer_types": any(kind != "full_attention" for kind in fields.several("layer_types")),
        "quantization_config": values.get("quantization_config") is not None,
        "partial_rotary_factor": (
            fields.number("partial_rotary_factor", 1) != 1
            or rope.number("partial_rotary_factor", 1) != 1
        ),
    }
    for name in (name for name, is_wrong in wrong.items() if is_wrong):
        value = " ".join(str(values.get(name, rope.values.get(name))).split())
        shown = value if len(value) <= 80 else value[:79] + "…"
        raise UnsupportedModelError(f"{fields.path}: {name} is {shown}, which is not supported")
