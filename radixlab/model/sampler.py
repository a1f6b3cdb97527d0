"""From logits to the next token: greedily, or at random within top-k and top-p.

    logits ─► what top-k and top-p keep (kept.py) ─► one draw per request

This file does not know text, or how the logits were computed. Each request draws from its own
generator, one number per token, so its draws do not depend on the other requests in the batch.
"""

import math
from collections.abc import Sequence as Many
from dataclasses import dataclass
from numbers import Integral

import torch
from torch import Tensor

from radixlab.config import ConfigError, positive, shown
from radixlab.model.errors import LogitsError
from radixlab.model.kept import Kept, keep


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How a request's tokens are chosen, and when it ends."""

    temperature: float = 0.0
    """Logits are divided by it; 0 means greedy: always the likeliest token."""
    top_k: int | None = None
    """How many of the likeliest tokens can be drawn; None for all."""
    top_p: float = 1.0
    """Of those, only the fewest likeliest tokens with this total probability can be drawn."""
    seed: int | None = None
    """Seed of the request's own generator; None for an unpredictable one."""
    max_tokens: int = 16
    stop: tuple[str, ...] = ()
    """The answer ends before the first of these strings."""
    ignore_eos: bool = False
    """Continue after the model's end-of-text token, as benchmarks do."""

    def __post_init__(self) -> None:
        positive("max_tokens", self.max_tokens)
        if self.top_k is not None:
            positive("top_k", self.top_k)
        if not _is_number(self.temperature) or self.temperature < 0:
            raise ConfigError(f"temperature must be 0 or more, not {shown(self.temperature)}")
        if not _is_number(self.top_p) or not 0 < self.top_p <= 1:
            raise ConfigError(f"top_p must be above 0 and at most 1, not {shown(self.top_p)}")
        if self.seed is not None and not (_is_int(self.seed) and 0 <= self.seed < 2**64):
            raise ConfigError(
                f"seed must be an integer from 0 to 2**64 - 1, not {shown(self.seed)}"
            )
        if not isinstance(self.stop, tuple) or not all(s and type(s) is str for s in self.stop):
            raise ConfigError(f"stop must be a tuple of non-empty strings, not {self.stop!r}")


class Sampler:
    """The parameters of one request, and the state of its random numbers."""

    def __init__(self, params: SamplingParams) -> None:
        self.params = params
        self.num_drawn = 0
        self._last, self._again = 1.0, False
        self.generator = torch.Generator()
        if params.seed is None:
            self.generator.seed()
        else:
            self.generator.manual_seed(int(params.seed))  # torch takes no NumPy int

    def draw(self) -> float:
        """Return the next random number, uniform in (0, 1]."""
        if self._again:
            self._again = False
            return self._last
        self._last = 1 - float(torch.rand((), generator=self.generator, dtype=torch.float64))
        self.num_drawn += 1
        return self._last

    def rewind(self, num_tokens: int) -> None:
        """After a fault, repeat the last number if it was drawn for a token that was lost."""
        self._again = self.num_drawn == num_tokens + 1


def choose(logits: Tensor, samplers: Many[Sampler]) -> list[int]:
    """Choose a token for each row of `logits` `[n, vocab]` by its sampler; the lower id wins ties.

    Raises `LogitsError` if a row's largest logit is not finite.
    """
    for row, largest in enumerate(logits.amax(-1).tolist()):
        if not math.isfinite(largest):
            raise LogitsError(f"row {row} of {len(logits)}: the largest logit is {largest}")
    chance = [row for row, sampler in enumerate(samplers) if sampler.params.temperature]
    greedy = [row for row, sampler in enumerate(samplers) if not sampler.params.temperature]
    chosen = dict(zip(greedy, _rows(logits, greedy).argmax(-1).tolist(), strict=True))
    draws = [samplers[row].draw() for row in chance]
    for kept in keep(_rows(logits, chance), [samplers[row].params for row in chance]):
        tokens = draw_tokens(kept, [draws[i] for i in kept.rows])
        chosen |= zip((chance[i] for i in kept.rows), tokens, strict=True)
    return [chosen[row] for row in range(len(logits))]


def draw_tokens(kept: Kept, draws: Many[float]) -> list[int]:
    """Return each row's first token at which the cumulative weight, by id, reaches its draw.

    A draw is a number in (0, 1], a share of the row's total weight.
    """
    up_to = kept.weights.cumsum(-1, dtype=torch.float64)
    goal = torch.tensor(draws, dtype=up_to.dtype, device=up_to.device)[:, None] * up_to[:, -1:]
    column = torch.searchsorted(up_to, goal)
    tokens: list[list[int]] = (
        column if kept.tokens is None else kept.tokens.gather(-1, column)
    ).tolist()
    return [token for (token,) in tokens]


def _rows(logits: Tensor, rows: list[int]) -> Tensor:
    """Return these rows; do not copy if they are all rows."""
    return logits if len(rows) == len(logits) else logits[rows]


def _is_int(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    if not (_is_int(value) or isinstance(value, float)):
        return False
    try:
        return math.isfinite(value)  # type: ignore[arg-type]
    except OverflowError:  # an int beyond all floats
        return False
