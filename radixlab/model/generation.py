"""The sampling that a model's makers recommend: the defaults in its generation_config.json.

This file knows the names in that file. `SamplingParams.completed` says when a default applies.
"""

import warnings
from pathlib import Path
from typing import Any

from radixlab.config import ConfigError
from radixlab.model.errors import BadFileError
from radixlab.model.folder import read_json_if_there
from radixlab.model.params import SamplingParams

FILE = "generation_config.json"
SAMPLING = ("temperature", "top_p", "top_k", "min_p")
"""Defaults that count only where the folder says to sample."""
NEUTRAL = {
    "num_beams": 1,
    "typical_p": 1.0,
    "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0,
    "no_repeat_ngram_size": 0,
    "encoder_repetition_penalty": 1.0,
    "guidance_scale": 1.0,
    "penalty_alpha": 0.0,
    "bad_words_ids": [],
    "suppress_tokens": [],
    "begin_suppress_tokens": [],
    "sequence_bias": {},
    "forced_bos_token_id": -1,
    "forced_eos_token_id": -1,
    "exponential_decay_length_penalty": [],
}
"""What this engine cannot do, each with the value that asks for nothing."""


def read_defaults(folder: str | Path) -> dict[str, Any]:
    """Return the sampling parameters that a folder recommends, by their names in `SamplingParams`.

    `"do_sample": false` means greedy: the temperature is 0, and what cuts the distribution is left
    out. `"do_sample": true` without a temperature means 1, as in transformers. Where `do_sample` is
    absent, what the file states counts, as in vLLM and SGLang. A top-k of 0 is none. The tokens
    that end an answer are in the tokenizer (`Tokenizer.eos_ids`).

    Raises `BadFileError` for a value that no request could have. Warns about what is asked for and
    cannot be done.
    """
    path = Path(folder) / FILE
    stated = {name: value for name, value in read_json_if_there(path).items() if value is not None}
    for name, neutral in NEUTRAL.items():
        if stated.get(name, neutral) not in (neutral, None):
            warnings.warn(
                f"{path}: {name} is {stated[name]!r:.60}, which radixlab does not apply",
                stacklevel=2,
            )
    does_sample = stated.get("do_sample")
    if does_sample not in (None, True, False):
        raise BadFileError(f"{path}: do_sample must be true or false, not {does_sample!r:.60}")
    names = ("repetition_penalty",) if does_sample is False else (*SAMPLING, "repetition_penalty")
    defaults = {name: stated[name] for name in names if name in stated}
    if defaults.get("top_k") == 0:
        defaults["top_k"] = -1
    if does_sample is not None:
        defaults.setdefault("temperature", 1.0 if does_sample else 0.0)
    try:
        params = SamplingParams(**defaults)
    except ConfigError as error:
        raise BadFileError(f"{path}: {error}") from None
    return {name: getattr(params, name) for name in defaults}
