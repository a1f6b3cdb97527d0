"""What a caller may say about an answer: how its tokens are chosen, and when it ends.

This file knows names, values and bounds. It does not know tensors; `sampler.py` does what is said.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from numbers import Real
from typing import Any

from radixlab.config import ConfigError, as_int, none_or_more, positive, settle, shown

MOST_ANSWERS = 1024
"""Most answers to one prompt: all of them run at the same time."""
MOST_LOGPROBS = 20
"""Most alternatives that are listed for a token, as in OpenAI's and vLLM's servers."""
MOST_BIAS = 100.0
"""The largest bias of a token, up or down, as in OpenAI's interface: enough to rule it out."""
MOST_PENALTY = 2.0
"""The largest presence or frequency penalty, up or down, as in OpenAI's interface."""
MOST_FACTOR = 1000.0
"""Bound of the repetition penalty, and of its inverse: beyond it logits would overflow."""
OPEN = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")
"""What a model's folder may state a default for."""
ALL = -1
"""Value of `top_k` for no limit, as in vLLM and SGLang."""


class Default(float):
    """A value that the caller did not choose, so that the model's folder may state another.

    >>> SamplingParams().chosen("temperature"), SamplingParams(temperature=0).chosen("temperature")
    (False, True)
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How a request's tokens are chosen, and when it ends.

    Logits become a token in this order, which is the order of transformers: `logit_bias`,
    `repetition_penalty`, `presence_penalty` with `frequency_penalty` (which transformers lacks),
    `min_tokens`, `temperature`, `top_k`, `top_p`, `min_p`, one draw. At temperature 0 the likeliest
    token is taken after `min_tokens`, and the rest has no effect.

    A folder's generation_config.json may state defaults for `temperature`, `top_p`, `top_k`,
    `min_p` and `repetition_penalty`. They apply to each of these that the caller has not set; a
    caller who sets one, even to the default shown here, gets what was set. `Output.params` has what
    applied.
    """

    temperature: float = Default(0.0)
    """Logits are divided by it; 0 means greedy: always the likeliest token."""
    top_k: int | None = None
    """How many of the likeliest tokens can be drawn; -1 for all. None is all too, unless the
    model's folder says otherwise."""
    top_p: float = Default(1.0)
    """Of those, only the fewest likeliest tokens with this total probability can be drawn."""
    seed: int | None = None
    """Seed of the request's own generator; None for an unpredictable one. Of several answers to a
    prompt, answer i is drawn with seed + i."""
    max_tokens: int = 16
    """Most tokens of the answer."""
    stop: tuple[str, ...] | Any = ()
    """The answer ends before the first of these strings; a text, a list of texts, or None."""
    ignore_eos: bool = False
    """Continue after the model's end-of-text token, as benchmarks do."""
    n: int = 1
    """Answers to the prompt, at most 1,024. They are forks: the prompt is computed and stored once,
    and a block is copied only when two answers write to it."""
    min_p: float = Default(0.0)
    """Of the tokens that `top_k` and `top_p` keep, only those can be drawn that are at least this
    share as likely as the likeliest."""
    min_tokens: int = 0
    """The answer does not end before it has this many tokens: until then tokens that would end it
    cannot be chosen (unless the model allows no other), and stop strings are not looked for."""
    stop_token_ids: tuple[int, ...] | Any = ()
    """Tokens that end the answer as the end-of-text token does, even with `ignore_eos`; any list of
    ids, or None."""
    repetition_penalty: float = Default(1.0)
    """Logits above 0 are divided by it, others multiplied, for all tokens of the prompt *and* of
    the answer so far, however often they occur; 1 for none (Keskar et al., arXiv 1909.05858)."""
    presence_penalty: float = 0.0
    """Subtracted from the logits of all tokens of the *answer* so far; the prompt does not count.
    From -2 to 2."""
    frequency_penalty: float = 0.0
    """Subtracted from a token's logit as many times as the token occurs in the *answer* so far; the
    prompt does not count. From -2 to 2."""
    logit_bias: tuple[tuple[int, float], ...] | Any = ()
    """Added to the logits of these token ids, from -100 to 100: a mapping, which is kept as pairs,
    or None."""
    logprobs: int | None = None
    """Report the log probability of each chosen token, and of this many of the likeliest, at most
    20; None for neither. They are the model's own: before bias, penalties and temperature."""

    def __post_init__(self) -> None:
        for name, bound in COUNTS.items():
            settle(self, name, bound(name, getattr(self, name)))
        for name, (least, most, words) in NUMBERS.items():
            settle(self, name, _number(name, getattr(self, name), least, most, words))
        if self.top_p == 0:
            raise ConfigError(f"top_p must be above 0 and at most 1, not {shown(self.top_p)}")
        settle(self, "ignore_eos", _flag("ignore_eos", self.ignore_eos))
        settle(self, "stop", _texts(self.stop))
        settle(self, "stop_token_ids", _ids(self.stop_token_ids))
        settle(self, "logit_bias", _biases(self.logit_bias))
        if self.min_tokens > self.max_tokens:
            raise ConfigError(
                f"min_tokens must be at most max_tokens, which is {shown(self.max_tokens)}, "
                f"not {shown(self.min_tokens)}"
            )

    def chosen(self, name: str) -> bool:
        """Whether the caller chose this value, so that no default of a folder replaces it."""
        value = getattr(self, name)
        return value is not None and not isinstance(value, Default)

    def completed(self, defaults: Mapping[str, Any]) -> "SamplingParams":
        """Return these parameters with a folder's defaults for what the caller did not choose.

        >>> SamplingParams(top_p=0.5).completed({"temperature": 0.7, "top_p": 0.9}).top_p
        0.5
        """
        open_ones = {name: value for name, value in defaults.items() if not self.chosen(name)}
        return replace(self, **open_ones) if open_ones else self

    def check_ids(self, vocab_size: int) -> None:
        """Raise `ConfigError` if a parameter names a token that the vocabulary lacks."""
        named = {"logit_bias": dict(self.logit_bias), "stop_token_ids": self.stop_token_ids}
        for name, ids in named.items():
            for token in ids:
                if token >= vocab_size:
                    known = f"the model knows 0 to {vocab_size - 1}"
                    raise ConfigError(f"{name} has token {shown(token)}: {known}")

    def __repr__(self) -> str:
        """Show what differs from the defaults."""
        values = ((field.name, field.default, getattr(self, field.name)) for field in fields(self))
        changed = (f"{name}={value!r}" for name, usual, value in values if value != usual)
        return f"SamplingParams({', '.join(changed)})"


# ---- checks: each returns the plain value, or raises a `ConfigError` that names it


def _top_k(name: str, value: object) -> int | None:
    number = as_int(value)
    if value is None or number == ALL:
        return number
    if number is None or number <= 0:
        raise ConfigError(f"{name} must be a positive integer, or -1 for all, not {shown(value)}")
    return number


def _seed(name: str, value: object) -> int | None:
    number = as_int(value)
    if value is None or (number is not None and 0 <= number < 2**64):
        return number
    raise ConfigError(f"{name} must be an integer from 0 to 2**64 - 1, not {shown(value)}")


COUNTS: dict[str, Callable[[str, object], int | None]] = {
    "top_k": _top_k,
    "seed": _seed,
    "max_tokens": positive,
    "min_tokens": none_or_more,
    "n": lambda name, value: positive(name, value, MOST_ANSWERS),
    "logprobs": lambda name, value: (
        None if value is None else none_or_more(name, value, MOST_LOGPROBS)
    ),
}
NUMBERS = {
    "temperature": (0.0, math.inf, "0 or more"),
    "top_p": (0.0, 1.0, "above 0 and at most 1"),
    "min_p": (0.0, 1.0, "from 0 to 1"),
    "repetition_penalty": (1 / MOST_FACTOR, MOST_FACTOR, "from 0.001 to 1000"),
    "presence_penalty": (-MOST_PENALTY, MOST_PENALTY, "from -2 to 2"),
    "frequency_penalty": (-MOST_PENALTY, MOST_PENALTY, "from -2 to 2"),
}
"""Least value, largest value, and both in words."""


def _number(name: str, value: object, least: float, most: float, words: str) -> float:
    number = as_float(value)
    if number is None or not least <= number <= most:
        raise ConfigError(f"{name} must be {words}, not {shown(value)}")
    return value if isinstance(value, Default) else number


def as_float(value: object) -> float | None:
    """Return a finite number of any kind, NumPy's too, as a plain float; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        number = float(value)
    except OverflowError:  # an int beyond all floats
        return None
    return number if math.isfinite(number) else None


def _flag(name: str, value: object) -> bool:
    if type(value).__name__ not in ("bool", "bool_"):  # the second is NumPy's
        raise ConfigError(f"{name} must be True or False, not {shown(value)}")
    return bool(value)


def _texts(value: object) -> tuple[str, ...]:
    texts = (value,) if isinstance(value, str) else () if value is None else value
    if not isinstance(texts, list | tuple) or not all(
        isinstance(text, str) and text for text in texts
    ):
        raise ConfigError(f"stop must be a non-empty text or a list of them, not {shown(value)}")
    return tuple(str(text) for text in texts)


def _ids(value: object) -> tuple[int, ...]:
    if value is None:
        return ()
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise ConfigError(f"stop_token_ids must be a list of token ids, not {shown(value)}")
    return tuple(none_or_more("a token of stop_token_ids", each) for each in value)


def _biases(value: object) -> tuple[tuple[int, float], ...]:
    try:
        pairs = {} if value is None else dict(value)  # type: ignore[call-overload]
        is_mapping = isinstance(value, Mapping | tuple | None)
    except (TypeError, ValueError):
        is_mapping = False
    if not is_mapping:
        raise ConfigError(
            f"logit_bias must be a mapping of token ids to numbers, not {shown(value)}"
        )
    for token, bias in pairs.items():
        none_or_more("a token of logit_bias", token)
        _number(f"logit_bias of token {token}", bias, -MOST_BIAS, MOST_BIAS, "from -100 to 100")
    return tuple((int(token), float(bias)) for token, bias in pairs.items())
