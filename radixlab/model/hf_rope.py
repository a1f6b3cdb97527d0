"""The base and the scaling of RoPE, from all keys of a `config.json` that state them.

transformers 5 writes one object, `rope_parameters`. Earlier versions wrote `rope_theta` and
`rope_scaling`, and model cards still advise users to add these for long contexts. If a file has
both, they must agree.
"""

from typing import Any

from radixlab.model.config import LinearScaling, RopeScaling
from radixlab.model.errors import BadFileError, UnsupportedModelError
from radixlab.model.fields import Fields, shown

THETA = 10_000.0
OBJECTS = ("rope_parameters", "rope_scaling")
SIZES = {
    "default": (),
    "linear": ("factor",),
    "llama3": (
        "factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"
    ),
}  # fmt: skip
"""The numbers that each known type of scaling needs."""
Scaling = RopeScaling | LinearScaling | None


def read_rope(fields: Fields, context_len: int) -> tuple[float, Scaling]:
    """Return the base and the scaling on which all parts of the file agree.

    `context_len` is the default of `original_max_position_embeddings`.
    """
    objects = {name: rope for name in OBJECTS if (rope := fields.under(name)).values}
    thetas = {f"{name}.rope_theta": _theta(rope) for name, rope in objects.items()}
    theta = fields.agreed({**thetas, "rope_theta": _theta(fields)})
    scalings = {name: _scaling(rope, fields, context_len) for name, rope in objects.items()}
    if len(scalings) == 2 and scalings["rope_parameters"] != scalings["rope_scaling"]:
        raise BadFileError(
            f"{fields.path}: rope_parameters is {shown(objects['rope_parameters'].values)}, but "
            f"rope_scaling is {shown(objects['rope_scaling'].values)}: keep the one that is meant"
        )
    factor = fields.values.get("partial_rotary_factor")
    if factor is not None and fields.number("partial_rotary_factor") != 1:
        raise UnsupportedModelError(
            f"{fields.path}: partial_rotary_factor is {factor}, which is not supported"
        )
    return THETA if theta is None else theta, next(iter(scalings.values()), None)


def _theta(fields: Fields) -> float | None:
    return None if fields.values.get("rope_theta") is None else fields.number("rope_theta")


def _scaling(rope: Fields, config: Fields, context_len: int) -> Scaling:
    """Read one object; raise `UnsupportedModelError` for an unknown type or key."""
    kinds = {name: rope.text(name) for name in ("rope_type", "type") if rope.values.get(name)}
    kind = rope.agreed(kinds) or "default"
    if kind not in SIZES:
        known = ", ".join(map(repr, SIZES))
        raise UnsupportedModelError(f"{rope.path}: RoPE of type {kind!r}; known are {known}")
    for name, value in rope.values.items():
        if name not in ("rope_type", "type", "rope_theta", *SIZES[kind]) and not _is_neutral(
            name, value
        ):
            raise UnsupportedModelError(
                f"{rope.path}: {name} is {shown(value)} in RoPE of type {kind!r}, "
                "which is not supported"
            )
    if kind == "default":
        return None
    if kind == "linear":
        return LinearScaling(rope.number("factor"))
    lengths = [each.values.get("original_max_position_embeddings") for each in (rope, config)]
    names = ("original_max_position_embeddings of RoPE", "original_max_position_embeddings")
    rope.agreed(dict(zip(names, lengths, strict=True)))
    original = config.integer("original_max_position_embeddings", context_len)
    return RopeScaling(
        rope.number("factor"),
        rope.number("low_freq_factor"),
        rope.number("high_freq_factor"),
        rope.integer("original_max_position_embeddings", original),
    )


def _is_neutral(name: str, value: Any) -> bool:
    """Whether a number that the type does not use is absent or a factor of one."""
    return value is None or (
        name in ("factor", "partial_rotary_factor", "attention_factor") and value == 1
    )
