"""From a body's other fields to `SamplingParams`.

What a body leaves open is as the model's folder says, and otherwise as OpenAI has it: temperature 1
and everything else off.
"""

from collections.abc import Mapping
from typing import Any

from radixlab.config import ConfigError
from radixlab.model.params import SamplingParams
from radixlab.serve.bodies import ChatBody, CompletionBody, Sampling
from radixlab.serve.errors import bad_request

SAME = (
    *("temperature", "top_p", "min_p", "min_tokens", "ignore_eos", "stop", "stop_token_ids", "n"),
    *("presence_penalty", "frequency_penalty", "repetition_penalty"),
)
"""Fields that a body and `SamplingParams` name alike."""


def sampling_params(
    body: CompletionBody | ChatBody,
    max_tokens: int,
    defaults: Mapping[str, Any],
    vocab_size: int,
) -> SamplingParams:
    """Return the parameters that a body asks for; raise an `ApiError` if there are none such."""
    asked = {name: getattr(body, name) for name in SAME}
    if body.temperature is None and "temperature" not in defaults:
        asked["temperature"] = 1.0
    asked |= {
        "max_tokens": max_tokens,
        "top_k": -1 if body.top_k == 0 else body.top_k,
        "seed": None if body.seed is None else body.seed % 2**64,
        "logit_bias": _biases(body.logit_bias or {}),
        "logprobs": body.num_logprobs,
    }
    try:
        params = SamplingParams(**{k: value for k, value in asked.items() if value is not None})
        params.check_ids(vocab_size)
    except ConfigError as error:
        words = str(error).split()
        param = next((name for name in asked if name in words), None)
        raise bad_request(f"Invalid request: {error}.", param) from None
    return params


def asked_tokens(body: Sampling) -> int | None:
    """Return the length of the longest answer that a body asks for, by either of its names."""
    if not isinstance(body, ChatBody):
        return body.max_tokens
    if body.top_logprobs is not None and not body.logprobs:
        raise bad_request("'top_logprobs' needs 'logprobs' to be true.", "top_logprobs")
    if body.max_completion_tokens is None:
        return body.max_tokens
    if body.max_tokens not in (None, body.max_completion_tokens):
        raise bad_request(
            "'max_tokens' and 'max_completion_tokens' differ: send only one.", "max_tokens"
        )
    return body.max_completion_tokens


def _biases(given: Mapping[str, float]) -> dict[int, float]:
    """Return the biases by token id."""
    for name in given:
        if not (name.isascii() and name.isdigit() and len(name) < 11):
            raise bad_request(f"logit_bias has {name!r}, which is not a token id.", "logit_bias")
    biases = {int(name): bias for name, bias in given.items()}
    if len(biases) < len(given):
        raise bad_request("logit_bias names a token twice, such as '7' and '07'.", "logit_bias")
    return biases
