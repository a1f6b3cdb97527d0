"""From a Hugging Face `config.json` to our `ModelConfig`.

This file knows the keys of `config.json`, and which models this code can run. A fact that the file
states twice must have the same value; a key with an unknown meaning is refused (`hf_keys`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from radixlab.config import ConfigError
from radixlab.model.config import ModelConfig
from radixlab.model.errors import BadFileError, UnsupportedModelError
from radixlab.model.fields import Fields, shown
from radixlab.model.folder import read_json
from radixlab.model.hf_keys import HARMLESS, NEUTRAL, NOT_FALSE, READ, SAME
from radixlab.model.hf_rope import read_rope

MOST_LAYERS = 10_000
"""A limit, so that a damaged file cannot make us build layers without end."""


@dataclass(frozen=True, slots=True)
class Family:
    """What an absent key means to `transformers`, and the keys that only this family has."""

    model_type: str
    max_context_len: int
    num_kv_heads: int | None = None
    """None: as many as query heads."""
    head_dim: int | None = None
    """None: `hidden_size / num_heads`."""
    sliding_window: int | None = None
    """What an absent `sliding_window` means."""
    keys: frozenset[str] = frozenset()
    switches: Mapping[str, bool] = field(default_factory=dict)


FAMILIES = {
    "LlamaForCausalLM": Family(
        "llama", max_context_len=2048, keys=frozenset({"attention_bias", "mlp_bias"})
    ),
    "MistralForCausalLM": Family(
        "mistral", max_context_len=131_072, num_kv_heads=8, sliding_window=4096
    ),
    "Qwen2ForCausalLM": Family(
        "qwen2",
        max_context_len=32_768,
        num_kv_heads=32,
        sliding_window=4096,
        keys=frozenset({"use_sliding_window", "max_window_layers"}),
        switches={"qkv_bias": True},
    ),
    "Qwen3ForCausalLM": Family(
        "qwen3",
        max_context_len=32_768,
        num_kv_heads=32,
        head_dim=128,
        sliding_window=4096,
        keys=frozenset({"use_sliding_window", "max_window_layers", "attention_bias"}),
        switches={"qk_norm": True},
    ),
}
"""By the name of the class in transformers; its configuration has the same numbers."""


def load_config(folder: str | Path) -> ModelConfig:
    """Read a model's sizes and switches from its `config.json`.

    Raises `MissingFileError`, `BadFileError` or `UnsupportedModelError`.
    """
    path = Path(folder) / "config.json"
    fields = Fields(path, read_json(path))
    family = FAMILIES[_architecture(fields)]
    _dtype(fields)
    hidden_size, num_heads = fields.integer("hidden_size"), fields.integer("num_attention_heads")
    context_len = fields.integer("max_position_embeddings", family.max_context_len)
    default_head_dim = family.head_dim or hidden_size // max(num_heads, 1)
    try:
        theta, scaling = read_rope(fields, context_len)
        config = ModelConfig(
            vocab_size=fields.integer("vocab_size"),
            hidden_size=hidden_size,
            intermediate_size=fields.integer("intermediate_size"),
            num_layers=fields.integer("num_hidden_layers", most=MOST_LAYERS),
            num_heads=num_heads,
            num_kv_heads=fields.integer("num_key_value_heads", _kv_heads(fields, family)),
            head_dim=fields.integer("head_dim", default_head_dim),
            max_context_len=context_len,
            rms_norm_eps=fields.number("rms_norm_eps", 1e-6),
            rope_theta=theta,
            rope_scaling=scaling,
            tied_embeddings=fields.flag("tie_word_embeddings"),
            **_switches(fields, family),
        )
    except ConfigError as error:
        raise BadFileError(f"{path}: {error}") from error
    _refuse_other_arithmetic(fields, family, config)
    return config


def load_dtype(folder: str | Path) -> str | None:
    """Return the dtype that a `config.json` names, such as "bfloat16"; None if it names none."""
    path = Path(folder) / "config.json"
    return _dtype(Fields(path, read_json(path)))


def _dtype(fields: Fields) -> str | None:
    named = {name: fields.values.get(name) for name in ("dtype", "torch_dtype")}
    for name, value in named.items():
        if value is not None and not isinstance(value, str):
            raise BadFileError(f"{fields.path}: {name} cannot be {shown(value)}")
    plain = {name: value.removeprefix("torch.") if value else None for name, value in named.items()}
    dtype: str | None = fields.agreed(plain)
    return None if dtype == "auto" else dtype


def _architecture(fields: Fields) -> str:
    """Return the one architecture that `architectures` and `model_type` state."""
    names = fields.several("architectures")
    model_type = fields.text("model_type", "")
    by_type = [name for name, family in FAMILIES.items() if family.model_type == model_type]
    if not names and by_type:
        return by_type[0]
    if len(names) != 1 or not isinstance(names[0], str) or names[0] not in FAMILIES:
        raise UnsupportedModelError(
            f"{fields.path}: architectures is {shown(names)}; known are {', '.join(FAMILIES)}"
        )
    if model_type and by_type != names:
        raise BadFileError(
            f"{fields.path}: architectures is {names}, but model_type is {model_type!r}: "
            f"a {names[0]} is of type {FAMILIES[names[0]].model_type!r}"
        )
    return str(names[0])


def _kv_heads(fields: Fields, family: Family) -> int:
    """Return transformers' default number of KV heads; `null` means one per query head."""
    num_heads = fields.integer("num_attention_heads")
    is_null = "num_key_value_heads" in fields.values
    return num_heads if is_null or family.num_kv_heads is None else family.num_kv_heads


def _switches(fields: Fields, family: Family) -> dict[str, bool]:
    """Return the switches in which families differ: fixed by the family, or read from its keys."""
    switches = dict(family.switches)
    if "attention_bias" in family.keys:
        switches["qkv_bias"] = switches["output_bias"] = fields.flag("attention_bias")
    if "mlp_bias" in family.keys:
        switches["mlp_bias"] = fields.flag("mlp_bias")
    return switches


def _refuse_other_arithmetic(fields: Fields, family: Family, config: ModelConfig) -> None:
    """Refuse by name any key that this code does not implement or does not know."""
    if fields.text("hidden_act", "silu") not in ("silu", "swish"):
        raise _unsupported(fields, "hidden_act")
    _refuse_windows(fields, family, config)
    for name, value in fields.values.items():
        if name in READ or name in family.keys:
            continue
        if name in SAME and value is not None and not _equal(value, SAME[name](config)):
            raise BadFileError(
                f"{fields.path}: {name} is {shown(value)}, but the rest of the file implies "
                f"{SAME[name](config)}"
            )
        if name not in SAME and not _is_harmless(name, value):
            raise _unsupported(fields, name)


def _is_harmless(name: str, value: Any) -> bool:
    """Whether an unread key leaves the model unchanged."""
    if value is None or name in HARMLESS:
        return True
    if any(_equal(value, neutral) for neutral in NEUTRAL.get(name, ())):
        return True
    return value is False and name not in NOT_FALSE


def _equal(value: Any, other: Any) -> bool:
    """Compare as JSON does, where `true` is not 1."""
    return bool(value == other) and isinstance(value, bool) == isinstance(other, bool)


def _refuse_windows(fields: Fields, family: Family, config: ModelConfig) -> None:
    """Refuse attention that does not see the whole context, however the file says so."""
    kinds = fields.several("layer_types")
    if any(kind not in ("full_attention", "attention") for kind in kinds):
        raise _unsupported(fields, "layer_types")
    if kinds and len(kinds) != config.num_layers:
        raise BadFileError(
            f"{fields.path}: layer_types has {len(kinds)} entries, but num_hidden_layers is "
            f"{config.num_layers}"
        )
    if "use_sliding_window" in family.keys:
        first = fields.integer("max_window_layers", 28)  # the first layer with a window
        if not fields.flag("use_sliding_window") or kinds or first >= config.num_layers:
            return
    is_null = "sliding_window" in fields.values and fields.values["sliding_window"] is None
    if is_null or fields.values.get("sliding_window", family.sliding_window) is None:
        return
    window = fields.integer("sliding_window", family.sliding_window)
    if window >= config.max_context_len:
        return  # it hides nothing
    how = "" if "sliding_window" in fields.values else ", the default of an absent key"
    raise UnsupportedModelError(
        f"{fields.path}: sliding_window is {window}{how}: below max_position_embeddings, which is "
        f"{config.max_context_len}, it hides tokens, which is not supported"
    )


def _unsupported(fields: Fields, name: str) -> UnsupportedModelError:
    return UnsupportedModelError(
        f"{fields.path}: {name} is {shown(fields.values[name])}, which is not supported"
    )
