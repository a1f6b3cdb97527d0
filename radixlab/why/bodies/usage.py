"""The token counts that servers report for a request, in each of their formats.

OpenAI, vLLM, SGLang and radixlab count the cached tokens inside the prompt's tokens; Anthropic
counts them beside them.
"""

from typing import Any

from radixlab.why.errors import BadLineError, kind
from radixlab.why.request import Usage

DETAILS = ("prompt_tokens_details", "input_tokens_details")
BESIDE = ("cache_read_input_tokens", "cache_creation_input_tokens")


def read_usage(usage: Any) -> Usage | None:
    """Return the numbers; None if there are none. Raises `BadLineError` for impossible ones."""
    if usage is None:
        return None
    if type(usage) is not dict:
        raise BadLineError(f"usage is {kind(usage)}, not an object")
    if any(field in usage for field in BESIDE):
        return _anthropic(usage)
    if "prompt_cache_hit_tokens" in usage:  # DeepSeek's
        prompt = _count(usage, "prompt_tokens")
        return _checked(prompt, _count(usage, "prompt_cache_hit_tokens"))
    prompt = _count(usage, "prompt_tokens")
    prompt = _count(usage, "input_tokens") if prompt is None else prompt
    cached = _count(usage, "cached_tokens")
    for field in DETAILS:
        if type(details := usage.get(field)) is dict:
            cached = _count(details, "cached_tokens") if cached is None else cached
    return _checked(prompt, cached)


def _anthropic(usage: dict[str, Any]) -> Usage | None:
    read, written = (_count(usage, field) or 0 for field in BESIDE)
    rest = _count(usage, "input_tokens")
    return _checked(None if rest is None else rest + read + written, read)


def _checked(prompt: int | None, cached: int | None) -> Usage | None:
    if prompt is None and cached is None:
        return None
    if prompt is not None and cached is not None and cached > prompt:
        raise BadLineError(f"usage: {cached:,} cached tokens of a prompt of {prompt:,}")
    return Usage(prompt, cached)


def _count(holder: dict[str, Any], field: str) -> int | None:
    value = holder.get(field)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value < 2**53:
        raise BadLineError(f"usage: {field} is not a number of tokens")
    return value
